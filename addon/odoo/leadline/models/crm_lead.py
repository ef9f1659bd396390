from odoo import fields, models
from odoo.fields import Command

FILLED = ("source_id", "medium_id", "campaign_id", "team_id", "user_id")
"""What the customer's way in fills, unless somebody has chosen otherwise."""


class CrmLead(models.Model):
    _inherit = "crm.lead"

    # As for contacts, and only for leads that have none.
    _leadline_head = models.Index("(lower(left(contact_name, 3))) WHERE partner_id IS NULL")
    _leadline_tail = models.Index("(lower(right(contact_name, 3))) WHERE partner_id IS NULL")

    leadline_link_id = fields.Many2one(
        "leadline.link",
        string="Came Through",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The WhatsApp link that brought it.",
    )

    leadline_first_touch = fields.Char(
        "First Touch",
        compute="_compute_leadline_touches",
        compute_sudo=True,
        help="Source, medium and campaign by which the customer first came to WhatsApp.",
    )
    leadline_last_touch = fields.Char(
        "Last Touch",
        compute="_compute_leadline_touches",
        compute_sudo=True,
        help="Source, medium and campaign by which the customer last came to WhatsApp.",
    )

    def _compute_leadline_touches(self):
        touched = self.env["leadline.conversation"].search(
            [("lead_ids", "in", self.ids), ("first_touch_at", "!=", False)]
        )
        for lead in self:
            came = touched.filtered(lambda row, lead=lead: lead._origin in row.lead_ids)
            lead.leadline_first_touch = came.sorted("first_touch_at")[:1]._touch_words("")
            lead.leadline_last_touch = came.sorted("last_touch_at")[-1:]._touch_words("last_")

    def action_leadline_link(self):
        """Open a new link's form with what this lead says of where it came from and whose it is."""
        self.ensure_one()
        return self.env["leadline.link"]._action_new(
            self.company_id,
            name=self.name,
            source_id=self.source_id.id,
            medium_id=self.medium_id.id,
            campaign_id=self.campaign_id.id,
            user_id=self.user_id.id,
            team_id=self.team_id.id,
        )

    def _leadline_ranked(self):
        """Return the leads with the likeliest one to be spoken of first: open ones, opportunities, new ones, owned."""
        return self.sorted(
            key=lambda lead: (
                lead.active and lead.won_status == "pending",
                lead.type == "opportunity",
                lead.create_date or fields.Datetime.now(),
                bool(lead.user_id),
                lead._origin.id,
            ),
            reverse=True,
        )

    def _merge_get_fields(self):
        return [*super()._merge_get_fields(), "leadline_link_id"]

    def _merge_dependences(self, opportunities):
        merged = super()._merge_dependences(opportunities)
        # sudo: agents don't write mirror rows, and the chat goes where the lead goes whoever merges it.
        conversations = self.env["leadline.conversation"].sudo().search([("lead_ids", "in", opportunities.ids)])
        conversations.write(
            {"lead_ids": [Command.link(self.id), *(Command.unlink(tail) for tail in opportunities.ids)]}
        )
        conversations.filtered(lambda row: row.lead_id in opportunities).lead_id = self
        return merged

    def _leadline_fill(self, line, origin, link):
        """Fill in how the customer came, where nothing stands yet but what the line gives to everybody."""
        data = self.env["ir.model.data"]
        common = {
            "source_id": data._xmlid_to_res_id("leadline.utm_source_whatsapp"),
            "medium_id": data._xmlid_to_res_id("leadline.utm_medium_whatsapp"),
            "team_id": line.team_id.id,
            "user_id": line.user_id.id,
        }
        for lead in self:
            told = origin | link._lead_values(line.company_id)
            told = {name: value for name, value in told.items() if value}
            values = {
                name: told[name] for name in FILLED if name in told and lead[name].id in (False, common.get(name))
            }
            if link and not lead.leadline_link_id:
                values |= {name: told[name] for name in ("leadline_link_id", "tag_ids") if name in told}
            lead.write(values)
