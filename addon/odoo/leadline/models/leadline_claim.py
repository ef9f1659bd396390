from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 1
"""No transaction that could still need a claim is older."""

AT_ONCE = 10_000


class LeadlineClaim(models.Model):
    """A name that one transaction at a time may hold, to create something that must exist once.

    Odoo's transactions see the database as it was when they began (REPEATABLE READ). Whoever waited for a lock
    therefore still can't see what the other has created meanwhile, and would create it again. Writing to a row that
    somebody else has written meanwhile fails instead, and Odoo runs the request again, with a view that is new.
    """

    _name = "leadline.claim"
    _description = "WhatsApp Creation Claim"
    _log_access = False

    name = fields.Char(required=True)
    taken_at = fields.Datetime(required=True, index=True, default=fields.Datetime.now)

    _name_unique = models.Constraint("UNIQUE (name)", "This claim exists already.")

    def _take(self, name):
        """Hold `name`, an id that says nothing of a person, until this transaction ends.

        Raises `psycopg2.errors.SerializationFailure` when another transaction has held it since ours began.
        """
        query = SQL(
            "INSERT INTO leadline_claim (name, taken_at) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET taken_at = EXCLUDED.taken_at",
            name,
            fields.Datetime.now(),
        )
        # Losing is part of the game: nothing for the log.
        self.env.cr.execute(query, log_exceptions=False)

    @api.autovacuum
    def _gc_old(self):
        """Remove claims that every transaction which was there when they were taken has long outlived."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM leadline_claim WHERE id IN "
                "(SELECT id FROM leadline_claim WHERE taken_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
                fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS),
                AT_ONCE,
            )
        )
        removed = self.env.cr.rowcount
        # How much was done, and whether there is more.
        return removed, removed == AT_ONCE
