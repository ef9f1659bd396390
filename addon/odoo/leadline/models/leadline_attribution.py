from odoo import fields, models

ORIGIN = ("source_id", "medium_id", "campaign_id")


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
    last_source_id = fields.Many2one("utm.source", readonly=True, ondelete="set null")
    last_medium_id = fields.Many2one("utm.medium", readonly=True, ondelete="set null")
    last_campaign_id = fields.Many2one("utm.campaign", readonly=True, ondelete="set null")
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
            came = {f"last_{name}": value for name, value in self._origin_of(last).items()}
            link = self._link_of(last)
            self.write({"last_touch_at": last.at, "last_link_id": link.id} | came | _ad_values(last))
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

    def _touch_words(self, prefix):
        """Return source, medium and campaign of the first way in, or with the prefix `last_` of the last, in a line."""
        named = (self[f"{prefix}{name}"].display_name for name in ORIGIN)
        return " / ".join(name for name in named if name)

    def _prepare_lead(self, phone):
        values = super()._prepare_lead(phone)
        link = self.first_link_id
        origin = {name: self[name].id for name in ORIGIN} | link._lead_values(self.company_id)
        return values | {name: value for name, value in origin.items() if value}


def _ad_values(touch):
    """Return what is kept of an advertisement; that of an earlier one stays when the customer came otherwise."""
    if touch.link:
        return {}
    return {"ad": touch.headline, "ad_identifier": touch.ad, "ctwa_clid": touch.click}
