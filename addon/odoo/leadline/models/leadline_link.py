import logging
import re
from urllib.parse import quote

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command, Domain

from ..tools.edge import apart

STATED = (
    "name",
    "text",
    "source_id",
    "medium_id",
    "campaign_id",
    "user_id",
    "team_id",
    "tag_id",
    "expires",
)
"""What the service is told of a link, and told again when it changes."""

PAGE = 200
"""Links asked for at once."""

NAME_LIMIT = 100
"""Characters that the service takes of a name."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LIGHTEST = 0.4
"""Of a QR code's colour, from 0 to 1 (ITU-R BT.709): paler ones cameras can't read."""

_logger = logging.getLogger(__name__)


class LeadlineLink(models.Model):
    """One way in for customers: a link or QR code that opens WhatsApp with a text ready, and tells whom it brought."""

    _name = "leadline.link"
    _description = "WhatsApp Link"
    _order = "create_date desc, id desc"
    _check_company_auto = True

    name = fields.Char(
        "Label", required=True, size=NAME_LIMIT, help="Where it will be seen, such as Spring poster. Agents see it."
    )
    active = fields.Boolean(default=True)
    line_id = fields.Many2one(
        "leadline.line",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
        default=lambda self: self._default_line(),
    )
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    text = fields.Text(
        "Prefilled Text",
        help="What stands ready to be sent when WhatsApp opens. A variable such as {{page}} is filled in from the "
        "short link's address: …/l/abc?page=Bicycles. The website button fills in {{page}} with the page's title.",
    )
    source_id = fields.Many2one("utm.source", index="btree_not_null", ondelete="set null")
    medium_id = fields.Many2one("utm.medium", ondelete="set null")
    campaign_id = fields.Many2one("utm.campaign", index="btree_not_null", ondelete="set null")
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        check_company=True,
        domain="[('share', '=', False)]",
        help="Who gets the leads that the link brings. When empty, the line's rules decide.",
    )
    team_id = fields.Many2one("crm.team", string="Sales Team", check_company=True, ondelete="set null")
    tag_id = fields.Many2one("crm.tag", ondelete="set null", help="Leads that the link brings get it.")
    expires = fields.Datetime(help="From then on the link opens the chat without its text, and counts no more.")
    slug = fields.Char(
        "Short Link Ends In",
        copy=False,
        help="Small letters, digits and dashes. When empty, one is drawn that nobody can guess. What is printed "
        "can't change, so neither can this.",
    )
    identifier = fields.Char(readonly=True, copy=False, help="The link's id in the Leadline service.")
    reference = fields.Char(readonly=True, copy=False, help="By which the customer's message names the link.")
    url = fields.Char("WhatsApp Link", readonly=True, copy=False, help="Works by itself; clicks are not counted.")
    short_url = fields.Char("Short Link", readonly=True, copy=False, help="Counts clicks and leads to WhatsApp.")
    colour = fields.Char("QR Code Colour", default="#000000", required=True)
    prefilled = fields.Text("What the Customer Sees", compute="_compute_prefilled")
    qr_svg_url = fields.Char("QR Code", compute="_compute_qr_urls")
    qr_png_url = fields.Char("QR Code as PNG", compute="_compute_qr_urls")
    snippet = fields.Text("Website Button", compute="_compute_snippet")

    click_ids = fields.One2many("leadline.link.click", "link_id", readonly=True)
    clicks = fields.Integer(readonly=True, copy=False, help="By people; link previews and robots are not counted.")
    message_count = fields.Integer("First Messages", compute="_compute_results", compute_sudo=True)
    lead_count = fields.Integer("Leads", compute="_compute_results", compute_sudo=True)
    won_count = fields.Integer("Won", compute="_compute_results", compute_sudo=True)
    revenue = fields.Monetary(
        "Won Revenue", compute="_compute_results", compute_sudo=True, currency_field="currency_id"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    _identifier_unique = models.Constraint("UNIQUE (identifier)", "There is a link with this id already.")

    @api.model
    def _default_line(self):
        return self.env["leadline.line"].search([("company_id", "=", self.env.company.id)], limit=1)

    @api.constrains("colour")
    def _check_colour(self):
        for link in self:
            if not _COLOUR.fullmatch(link.colour) or _lightness(link.colour) > _LIGHTEST:
                raise ValidationError(
                    self.env._("The QR code needs a dark colour, such as #1a7f4b: cameras can't read a pale one.")
                )

    # ------------------------------------------------------------
    # Derived
    # ------------------------------------------------------------

    @api.depends("text", "reference")
    def _compute_prefilled(self):
        for link in self:
            reference = f"{link.reference[:3]}-{link.reference[3:]}" if link.reference else "…"
            link.prefilled = f"{link.text or ''} ({reference})".lstrip()

    @api.depends("short_url", "colour")
    def _compute_qr_urls(self):
        for link in self:
            colour = quote(link.colour or "#000000", safe="")
            address = link.short_url
            link.qr_svg_url = address and f"{address}/qr.svg?colour={colour}"
            link.qr_png_url = address and f"{address}/qr.png?colour={colour}&scale=20"

    @api.depends("short_url")
    def _compute_snippet(self):
        for link in self:
            link.snippet = link.short_url and (
                f'<script defer src="{link.get_base_url()}/leadline/static/button/leadline-button.js"\n'
                f'    data-link="{link.short_url}"\n'
                f'    data-text="{self.env._("Chat on WhatsApp")}"\n'
                f'    data-side="right"></script>'
            )

    def _compute_results(self):
        """Add up what the links brought, as the report has it."""
        groups = self.env["leadline.link.report"]._read_group(
            [("link_id", "in", self.ids)], ["link_id"], ["messages:sum", "leads:sum", "won:sum", "revenue:sum"]
        )
        results = {link.id: sums for link, *sums in groups}
        for link in self:
            sums = results.get(link._origin.id, (0, 0, 0, 0.0))
            link.message_count, link.lead_count, link.won_count, link.revenue = sums

    # ------------------------------------------------------------
    # The service
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        links = super().create(vals_list)
        # One that came with an event is known there.
        for link in links.filtered(lambda link: not link.identifier):
            link._tell()
        return links

    def write(self, vals):
        if any(link._moves(vals) for link in self):
            raise UserError(self.env._("A link that is out in the world keeps its line and its address."))
        written = super().write(vals)
        if set(STATED) & vals.keys():
            for link in self:
                link._tell()
        return written

    def _moves(self, vals):
        """Say whether these values would change what is printed already."""
        line, slug = vals.get("line_id", self.line_id.id), vals.get("slug", self.slug)
        return self.identifier and (line != self.line_id.id or (slug or False) != self.slug)

    def _tell(self):
        """Make the link at the service, or state its particulars anew, and take over what the service says of it.

        :raise UserError: when the service is away or says no; nothing is saved then
        """
        self.ensure_one()
        connection = self.line_id._service()
        if self.identifier:
            answer = connection._call("PUT", f"/v1/links/{self.identifier}", payload=self._stated())
        else:
            place = {"line": self.line_id.identifier, "slug": self.slug or None}
            answer = connection._call("POST", "/v1/links", payload=self._stated() | place)
        self.write(
            {
                "identifier": answer["id"],
                "reference": answer["reference"],
                "url": answer["url"],
                "short_url": answer["short"],
            }
        )

    def _stated(self):
        """Return what is said of the link, as the chat API takes it."""
        # Names in the company's language, in which they are looked up when a customer comes.
        link = self.with_context(lang=self.company_id.partner_id.lang)
        named = {
            "source": link.source_id,
            "medium": link.medium_id,
            "campaign": link.campaign_id,
            "team": link.team_id,
            "tag": link.tag_id,
        }
        owner = link.user_id
        return {
            "text": link.text or "",
            "label": link.name,
            "owner": {"id": str(owner.id), "name": owner.name[:NAME_LIMIT]} if owner else None,
            "expires": f"{link.expires.isoformat()}Z" if link.expires else None,
        } | {name: (record.name or "")[:NAME_LIMIT].strip() or None for name, record in named.items()}

    @api.model
    def _action_new(self, company, **filled):
        """Open the form of a link that is still to be made, with these values filled in.

        :param company: whose line it is to lead to; the user's own where it is empty
        """
        company = company or self.env.company
        line = self.env["leadline.line"].search([("company_id", "=", company.id)], limit=1)
        filled = {"line_id": line.id, **filled, "name": (filled.get("name") or "")[:NAME_LIMIT]}
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New WhatsApp Link"),
            "res_model": self._name,
            "views": [[False, "form"]],
            "context": {f"default_{field}": value for field, value in filled.items() if value},
        }

    def action_refresh(self):
        """Ask the service for the clicks."""
        for link in self.filtered("identifier"):
            link._take_clicks(link.line_id._service()._call("GET", f"/v1/links/{link.identifier}"))
        return True

    def action_report(self):
        """Open the report of these links."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("leadline.leadline_link_report_action")
        return action | {"domain": [("link_id", "in", self.ids)]}

    @api.model
    def _cron_refresh(self):
        """Fetch the clicks on all links. A service that is away costs the others nothing."""
        for connection in self.env["leadline.connection"].search([("secret", "!=", False)]):
            with apart(self.env, f"Connection {connection.id}"):
                try:
                    self._refresh_all(connection)
                except UserError as failure:
                    _logger.info("No clicks could be fetched for connection %s: %s", connection.identifier, failure)

    @api.model
    def _refresh_all(self, connection):
        """Fetch the clicks on a connection's links, page by page."""
        ours = Domain("line_id.connection_id", "=", connection.id)
        links = self.with_context(active_test=False).search(ours).grouped("identifier")
        after = None
        while True:
            query = {"limit": PAGE} | ({"after": after} if after else {})
            answer = connection._call("GET", "/v1/links", query=query)
            for item in answer["items"]:
                if link := links.get(item["id"]):
                    link._take_clicks(item)
            after = answer["next"]
            if not after:
                return

    def _take_clicks(self, told):
        """Take over the clicks that the service counted: `{"clicks": in all, "days": {ISO date: clicks}}`."""
        self.ensure_one()
        if self.clicks == told["clicks"]:
            return
        # sudo: nobody writes counts by hand, and whoever may see the link may have them fetched.
        self.sudo().clicks = told["clicks"]
        rows = self.sudo().click_ids
        counted = rows.grouped(lambda row: row.day.isoformat())
        rows.create(
            [
                {"link_id": self.id, "day": day, "count": count}
                for day, count in told["days"].items()
                if day not in counted
            ]
        )
        for day, row in counted.items():
            row.count = told["days"].get(day, row.count)

    # ------------------------------------------------------------
    # Customers who came
    # ------------------------------------------------------------

    @api.model
    def _of_touch(self, line, touch):
        """Return the link by which a customer came, made here if it was made elsewhere; none for an advertisement.

        :param touch: `tools.event.Touch`
        """
        if not touch.link:
            return self.browse()
        found = self.with_context(active_test=False).search([("identifier", "=", touch.link)])
        if not found:
            self.env["leadline.claim"]._take(f"link/{touch.link}")
            return self.create(self._prepare_link(line, touch))
        return found if found.line_id == line else self.browse()

    @api.model
    def _prepare_link(self, line, touch):
        """Return the values of a link that was made elsewhere: by another program, at the service itself."""
        owner = self.env["res.users"].browse(int(touch.owner) if touch.owner.isdecimal() else 0).exists()
        company = line.company_id
        team = self.env["crm.team"].search(
            Domain("name", "=", touch.team) & Domain("company_id", "in", (False, company.id)), limit=1
        )
        return {
            "name": (touch.label or touch.reference or touch.link)[:NAME_LIMIT],
            "identifier": touch.link,
            "reference": touch.reference,
            "line_id": line.id,
            "source_id": self._named("utm.source", touch.source).id,
            "medium_id": self._named("utm.medium", touch.medium).id,
            "campaign_id": self._named("utm.campaign", touch.campaign).id,
            "tag_id": self._named("crm.tag", touch.tag).id,
            "team_id": team.id,
            "user_id": owner.filtered(lambda user: not user.share and company in user.company_ids).id,
        }

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

    @api.model
    def _named(self, model, name):
        """Return the record of this name, made when there is none; an empty one for no name."""
        if not name:
            return self.env[model]
        found = self.env[model].with_context(active_test=False).search([("name", "=", name)], limit=1)
        if found:
            return found
        self.env["leadline.claim"]._take(f"{model}/{name}")
        return self.env["utm.mixin"]._find_or_create_record(model, name)


def _lightness(colour):
    """Return how light a colour such as #1a7f4b is, from 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
