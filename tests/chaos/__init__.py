"""A busy line on its worst day, against what was really said.

    python -m tests.chaos                       some minutes' worth
    python -m tests.chaos --events 200000 --odoo   the long run (`make chaos`)
    python -m tests.chaos --seed 7 --events 600    one seed again

`world` knows what was said, `meta` plays WhatsApp at its worst, `faults` breaks the store, the queue and the processes,
`crm` plays Odoo or stands before a real one, `day` lets everything happen at once, and `verdict` compares.
"""
