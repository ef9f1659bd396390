from odoo import api, fields, models

from ..tools.event import EventRefused


class LeadlineLine(models.Model):
    """One WhatsApp number of the business, and what becomes of those who write to it."""

    _name = "leadline.line"
    _description = "WhatsApp Line"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    identifier = fields.Char(required=True, readonly=True, copy=False, help="The line's id in the Leadline service.")
    phone_number_id = fields.Char("Phone Number ID", readonly=True, copy=False, help="The line's id at Meta.")
    number = fields.Char(readonly=True, copy=False)
    connection_id = fields.Many2one("leadline.connection", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    team_id = fields.Many2one(
        "crm.team", string="Sales Team", check_company=True, help="The team that new leads of this line go to."
    )
    user_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Who gets new leads of this line. When empty, CRM's own assignment decides.",
    )
    unknown_customer = fields.Selection(
        [
            ("lead", "Create a contact and a lead"),
            ("contact", "Create a contact"),
            ("nothing", "Only show the conversation"),
        ],
        string="Unknown Customers",
        default="lead",
        required=True,
        help="What becomes of somebody who writes for the first time and is neither a contact nor a lead.",
    )

    _identifier_unique = models.Constraint("UNIQUE (identifier)", "There is a line with this id already.")

    @api.model
    def _of_event(self, connection, line):
        """Return the line that an event names, created or brought up to date.

        :param line: `tools.event.Line`
        :raise EventRefused: when the line belongs to another connection
        """
        found = self.with_context(active_test=False).search([("identifier", "=", line.id)])
        if not found:
            self.env["leadline.claim"]._take(f"line/{line.id}")
            return self.create(self._prepare_line(connection, line))
        if found.connection_id != connection:
            raise EventRefused("The line belongs to another connection.")
        # The name is not among them: it is the business's own.
        told = {"phone_number_id": line.phone_number_id, "number": line.number}
        if changed := {key: value for key, value in told.items() if (found[key] or "") != value}:
            found.write(changed)
        return found

    @api.model
    def _prepare_line(self, connection, line):
        """Return the values of a line that an event names for the first time."""
        company = connection.company_id
        team = self.env["crm.team"].search([("company_id", "in", (False, company.id))], limit=1)
        return {
            "name": line.name or line.number or line.id,
            "identifier": line.id,
            "phone_number_id": line.phone_number_id,
            "number": line.number,
            "connection_id": connection.id,
            "company_id": company.id,
            "team_id": team.id,
        }
