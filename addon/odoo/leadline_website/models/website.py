from odoo import fields, models
from odoo.tools.date_utils import float_to_time

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


class Website(models.Model):
    _inherit = "website"

    leadline_link_id = fields.Many2one(
        "leadline.link",
        string="WhatsApp Link",
        domain="[('company_id', '=', company_id)]",
        ondelete="set null",
        index="btree_not_null",
        help="Every page gets a button that leads to it. Empty: no button.",
    )
    leadline_side = fields.Selection(
        [("right", "Right"), ("left", "Left")], string="WhatsApp Button's Side", default="right", required=True
    )
    leadline_text = fields.Char("WhatsApp Button's Text", translate=True)
    leadline_calendar_id = fields.Many2one(
        "resource.calendar",
        string="WhatsApp Hours",
        ondelete="set null",
        help="The button says whether somebody is there now. Empty: it says nothing of it.",
    )

    def write(self, vals):
        written = super().write(vals)
        if any(name.startswith("leadline_") for name in vals):
            self._leadline_forget_pages()
        return written

    def _leadline_forget_pages(self):
        """Let the next visitors have pages that are made anew: Odoo keeps those of the public for an hour."""
        self.env.registry.clear_cache("templates")

    def _leadline_button(self):
        """Return the attributes of the button's script on a page in the visitor's language; none without a link."""
        self.ensure_one()
        # sudo: visitors read no links; the address is what the button is there to show.
        link = self.sudo().leadline_link_id
        if not link.active or not link.short_url:
            return {}
        button = {
            "data-link": link.short_url,
            "data-side": self.leadline_side,
            "data-text": self.leadline_text or self.env._("Chat on WhatsApp"),
        }
        calendar = self.sudo().leadline_calendar_id
        hours = _hours(calendar)
        if not hours:
            return button
        return button | {
            "data-hours": hours,
            "data-timezone": calendar.tz,
            "data-open": self.env._("We are here"),
            "data-closed": self.env._("We answer later"),
        }


def _hours(calendar):
    """Return a calendar's hours as the button reads them: "Mo 09:00-12:00, Mo 13:00-18:00, Tu …"."""
    return ", ".join(
        f"{DAYS[int(span.dayofweek)]} {_clock(span.hour_from)}-{_clock(span.hour_to)}"
        for span in calendar.attendance_ids
        # Lunch is a span of its own. Hours of every other week, or without a beginning, can't be said this way.
        if span.day_period != "lunch" and not span.display_type and not span.week_type and not span.duration_based
    )


def _clock(hour):
    return "24:00" if hour >= 24 else f"{float_to_time(hour):%H:%M}"
