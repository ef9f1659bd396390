from odoo import fields, models
from odoo.fields import Command

ORIGIN = ("source_id", "medium_id", "campaign_id")
FILLED = (*ORIGIN, "team_id", "user_id")
"""Fields of a lead that a way in fills, unless somebody has chosen otherwise."""


class LeadlineConversation(models.Model):
    """Through what the customer came: the first way and the last one are kept, whatever comes between."""

    _inherit = "leadline.conversation"

    first_link_id = fields.Many2one(
        "leadline.link", string="First Came Through", readonly=True, index="btree_not_null", ondelete="set null"
    )
    last_link_id = fields.Many2one(
        "leadline.link", string="Last Came Through", readonly=True, index="btree_not_null", ondelete="set null"
    )
    first_touch_at = fields.Datetime("First Came", readonly=True)
    last_touch_at = fields.Datetime("Last Came", readonly=True)
    source_id = fields.Many2one("utm.source", readonly=True, ondelete="set null")
    medium_id = fields.Many2one("utm.medium", readonly=True, ondelete="set null")
    campaign_id = fields.Many2one("utm.campaign", readonly=True, ondelete="set null")
    ad = fields.Char("Advertisement", readonly=True, help="Headline of the one that brought the customer last.")
    ad_identifier = fields.Char("Advertisement ID", readonly=True, help="As Meta has it.")
    ctwa_clid = fields.Char(
        "Click ID", readonly=True, help="Meta's id of the tap on the advertisement, by which a sale is told to Meta."
    )

    def _take_state(self, told):
        # First, so that a lead that is made of it has it.
        if told.attribution:
            self._take_attribution(told.attribution)
        return super()._take_state(told)

    def _take_attribution(self, told):
        """Take over through what the customer came, and let open leads know of what is new.

        :param told: `tools.event.Attribution`
        """
        self.ensure_one()
        first, last = told.first, told.last
        earlier, later = first.at != self.first_touch_at, last.at != self.last_touch_at
        if earlier:
            self.write({"first_touch_at": first.at, "first_link_id": self._link_of(first).id} | self._origin_of(first))
        if later:
            self.write({"last_touch_at": last.at, "last_link_id": self._link_of(last).id} | _ad_values(last))
        if earlier or later:
            touch = first if earlier else last
            lead = self._lead().filtered(lambda lead: lead.active and lead.won_status == "pending")
            lead._leadline_fill(self.line_id, self._origin_of(touch), self._link_of(touch))

    def _link_of(self, touch):
        return self.env["leadline.link"]._of_touch(self.line_id, touch)

    def _origin_of(self, touch):
        """Return source, medium and campaign of a way in, as values."""
        if touch.link:
            link = self._link_of(touch)
            return {name: link[name].id for name in ORIGIN}
        named = self.env["leadline.link"]._named
        return {
            "source_id": named("utm.source", "Instagram" if "instagram" in touch.place.lower() else "Facebook").id,
            "medium_id": named("utm.medium", "Post" if touch.post else "Click to WhatsApp").id,
            "campaign_id": False,
        }

    def _prepare_lead(self, contact):
        values = super()._prepare_lead(contact)
        link = self.first_link_id
        origin = {name: self[name].id for name in ORIGIN} | link._lead_values(self.company_id)
        return values | {name: value for name, value in origin.items() if value}


def _ad_values(touch):
    """Return what is kept of an advertisement; that of an earlier one stays when the customer came otherwise."""
    if touch.link:
        return {}
    return {"ad": touch.headline, "ad_identifier": touch.ad, "ctwa_clid": touch.click}


class LeadlineLink(models.Model):
    _inherit = "leadline.link"

    def _lead_values(self, company):
        """Return the values of a lead that the link brings, beside where it came from."""
        if not self:
            return {}
        # Both may have changed since the link was made, and must not cost the customer's message.
        owner = self.user_id.filtered(lambda user: user.active and company in user.company_ids)
        team = self.team_id.filtered(lambda team: team.active and team.company_id in (company, company.browse()))
        return {
            "user_id": owner.id,
            "team_id": team.id,
            "tag_ids": [Command.link(tag.id) for tag in self.tag_id],
            "leadline_link_id": self.id,
        }


class CrmLead(models.Model):
    _inherit = "crm.lead"

    leadline_link_id = fields.Many2one(
        "leadline.link",
        string="Came Through",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The WhatsApp link that brought it.",
    )

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
