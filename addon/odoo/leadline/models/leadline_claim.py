from odoo import fields, models
from odoo.tools import SQL


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

    _name_unique = models.Constraint("UNIQUE (name)", "This claim exists already.")

    def _take(self, name):
        """Hold `name`, an id that says nothing of a person, until this transaction ends.

        Raises `psycopg2.errors.SerializationFailure` when another transaction has held it since ours began.
        """
        query = SQL(
            "INSERT INTO leadline_claim (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name",
            name,
        )
        # Losing is part of the game: nothing for the log.
        self.env.cr.execute(query, log_exceptions=False)
