import logging

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from ..tools.edge import apart
from ..tools.likeness import ENOUGH, ends, likeness, name_key

_logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Conversations that one run of the scheduled action looks at, before it is asked to run again."""

LOOKED_AT = 300
"""Names compared with one, newest cards first: a common name must not cost a minute."""

PAGES = 10
"""Pages of the service's reviews that are read at once."""


class LeadlineDouble(models.Model):
    """Two cards that may be one customer's. A person decides; nothing is joined by a guess."""

    _name = "leadline.double"
    _description = "Probable Double"
    _order = "state desc, likeness desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one("res.partner", string="Contact", required=True, index=True, ondelete="cascade")
    other_id = fields.Many2one("res.partner", string="Other Contact", index="btree_not_null", ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", string="Lead Without Contact", index="btree_not_null", ondelete="cascade")
    reason = fields.Selection(
        [
            ("name", "The same name, or nearly"),
            ("number", "The same number, written otherwise"),
            ("whatsapp", "WhatsApp named one identity with two people"),
        ],
        required=True,
    )
    likeness = fields.Integer("Likeness (%)", aggregator=None)
    state = fields.Selection(
        [("open", "To Review"), ("different", "Not the Same")], default="open", required=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade")
    comparison = fields.Html(compute="_compute_comparison", sanitize=False)

    @api.depends("partner_id", "other_id", "lead_id")
    def _compute_comparison(self):
        for double in self:
            double.comparison = double._comparison(double.partner_id, double.other_id or double.lead_id)

    def _comparison(self, one, other):
        """Return both cards side by side, what differs in bold, without what is on neither."""
        rows = Markup()
        for (label, left), (_label, right) in zip(self._shown(one), self._shown(other), strict=True):
            if not left and not right:
                continue
            differs = left and right and left != right
            cells = (Markup("<b>%s</b>") % value if differs else value for value in (left, right))
            rows += Markup("<tr><th scope='row'>%s</th><td>%s</td><td>%s</td></tr>") % (label, *cells)
        head = Markup("<thead><tr><td></td><th scope='col'>%s</th><th scope='col'>%s</th></tr></thead>") % (
            self.env._("First"),
            self.env._("Second"),
        )
        table = Markup("<table class='table table-sm'>%s<tbody>%s</tbody></table>") % (head, rows)
        return Markup("<div class='table-responsive'>%s</div>") % table

    @api.model
    def _shown(self, card):
        """Return what is compared of a card, as labels and texts."""
        lead = card._name == "crm.lead"
        leads = card if lead else self.env["crm.lead"].search([("partner_id", "=", card.id)])
        rows = self.env["leadline.conversation"].search(
            [("lead_ids", "in", card.ids)] if lead else [("partner_id", "=", card.id)]
        )
        langs = dict(self.env["res.lang"].get_installed())
        return [
            (self.env._("Card"), self.env._("Lead") if lead else self.env._("Contact")),
            (self.env._("Name"), (card.contact_name or card.partner_name or card.name) if lead else card.name),
            (self.env._("Company"), card.partner_name if lead else card.parent_id.name or ""),
            (self.env._("Phone"), card.phone or ""),
            (self.env._("Email"), (card.email_from if lead else card.email) or ""),
            (self.env._("City"), card.city or ""),
            (self.env._("Country"), card.country_id.name or ""),
            (self.env._("Language"), (card.lang_id.name if lead else langs.get(card.lang)) or ""),
            (self.env._("Salesperson"), card.user_id.name or ""),
            (self.env._("Leads"), ", ".join(leads.mapped("name"))),
            (self.env._("WhatsApp"), ", ".join(rows.mapped(lambda row: f"{row.line_id.name}: {row.name}"))),
            (self.env._("Created On"), fields.Date.to_string(card.create_date) or ""),
        ]

    # ------------------------------------------------------------
    # Deciding
    # ------------------------------------------------------------

    def action_keep_first(self):
        """Join the two, and keep the first card."""
        return self._join(self.partner_id, self.other_id)

    def action_keep_second(self):
        """Join the two, and keep the second card."""
        return self._join(self.other_id, self.partner_id)

    def action_different(self):
        """Remember that these are two people."""
        self._check_both()
        # sudo: agents decide, and write nothing else.
        self.sudo().state = "different"

    def action_reopen(self):
        """Ask once more."""
        self._check_both()
        self.sudo().state = "open"

    def _join(self, kept, gone):
        """Join the two by Odoo's own means, after which every conversation is with the one that stays."""
        self.ensure_one()
        self._check_both()
        partner, lead = self.partner_id, self.lead_id
        if lead:
            self._join_lead(partner, lead)
        else:
            merging = self.env["base.partner.merge.automatic.wizard"]
            merging.check_access("create")
            # Odoo lets nobody but the administrator merge contacts whose addresses differ; none differs from none.
            differ = bool(kept.email and gone.email and kept.email_normalized != gone.email_normalized)
            merging._merge((kept | gone).ids, kept, extra_checks=differ)
            partner = kept
        self.env.invalidate_all()
        # sudo: what was decided is nobody's question any more, and agents remove nothing.
        settled = self.sudo().search([("partner_id", "=", partner.id), ("other_id", "=", partner.id)])
        (settled | self.sudo().exists().filtered("lead_id")).unlink()
        return partner._get_records_action(views=[(False, "form")])

    def _join_lead(self, partner, lead):
        """Give the lead the contact and its conversations, and merge it with the lead that WhatsApp brought."""
        rows = self.env["leadline.conversation"].sudo().search([("partner_id", "=", partner.id)])
        brought = rows._lead().filtered(lambda found: found.active and found.won_status == "pending")
        lead._handle_partner_assignment(force_partner_id=partner.id, create_missing=False)
        rows.write({"lead_ids": [Command.link(lead.id)]})
        both = lead | brought[:1].with_env(self.env)._filtered_access("write")
        if len(both) > 1:
            both.merge_opportunity()

    def _check_both(self):
        for double in self:
            for card in (double.partner_id, double.other_id, double.lead_id):
                if card and not card.has_access("write"):
                    raise AccessError(self.env._("You may decide only about cards that you may write to."))

    # ------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------

    @api.model
    def _cron_find(self):
        """Look for doubles of customers who are new or have another name, and ask the service for its own doubts."""
        self._ask_service()
        due = Domain("doubles_due", "=", True) & Domain("partner_id", "!=", False)
        found = self.env["leadline.conversation"].search(due, limit=AT_ONCE, order="id")
        looked = self.env["leadline.conversation"]
        for row in found:
            with apart(self.env, f"Conversation {row.id}") as outcome:
                self._look(row)
            if not outcome.busy:
                looked |= row
        looked.doubles_due = False
        if len(looked) == AT_ONCE:
            self.env.ref("leadline.ir_cron_doubles")._trigger()

    @api.model
    def _look(self, conversation):
        """Note the cards that may be the customer's too."""
        partner, numbers = conversation.partner_id, (conversation.phones or "").split()
        in_company = Domain("company_id", "in", (False, conversation.company_id.id))
        if numbers:
            same = Domain("phone_sanitized", "in", numbers) & Domain("id", "!=", partner.id)
            for other in self.env["res.partner"].search(same & in_company, limit=AT_ONCE):
                if not _contradict(partner, other, numbers):
                    self._note(conversation.company_id, partner, other, "number", 100)
        key = name_key(partner.name or "")
        for other, other_name in self._alike(partner.name or "", in_company, key):
            likely = likeness(key, name_key(other_name))
            if likely >= ENOUGH and other != partner and not _contradict(partner, other, numbers):
                self._note(conversation.company_id, partner, other, "name", likely)

    @api.model
    def _alike(self, name, in_company, key):
        """Return cards with the names to compare: those that begin or end like this one, as an index finds them."""
        if not key:
            return []
        heads, tails = ends(name)
        found = []
        for model, column, more in (
            ("res.partner", "name", Domain.TRUE),
            ("crm.lead", "contact_name", Domain("partner_id", "=", False)),
        ):
            cards = self.env[model]
            query = cards._search(in_company & more, limit=LOOKED_AT, order="id desc")
            field = SQL.identifier(cards._table, column)
            # As arrays, for which the planner takes the indexes of the two expressions.
            query.add_where(
                SQL("(lower(left(%s, 3)) = ANY(%s) OR lower(right(%s, 3)) = ANY(%s))", field, heads, field, tails)
            )
            found += [(card, card[column] or "") for card in cards.browse(query)]
        return found

    @api.model
    def _note(self, company, partner, other, reason, percent):
        """Ask people to look at two cards, unless they were asked before, whatever they said."""
        if other._name == "crm.lead":
            known, side = Domain("partner_id", "=", partner.id) & Domain("lead_id", "=", other.id), "lead_id"
        else:
            pair = (partner | other).ids
            known, side = Domain("partner_id", "in", pair) & Domain("other_id", "in", pair), "other_id"
        if not self.search_count(known, limit=1):
            self.create(
                {
                    "company_id": company.id,
                    "partner_id": partner.id,
                    side: other.id,
                    "reason": reason,
                    "likeness": percent,
                }
            )

    @api.model
    def _ask_service(self):
        """Take over what the service itself doubts: one identity that WhatsApp named with two people."""
        for connection in self.env["leadline.connection"].search([("active", "=", True)]):
            try:
                self._take_reviews(connection)
            except UserError as failure:
                # It is asked again with the next run; the connection's own check says what is wrong.
                _logger.info("Reviews of connection %s: %s", connection.id, type(failure).__name__)

    @api.model
    def _take_reviews(self, connection):
        before = None
        for _page in range(PAGES):
            query = {"limit": 50} | ({"before": before} if before else {})
            answer = connection._call("GET", "/v1/reviews", query=query)
            for review in answer["items"]:
                rows = self.env["leadline.conversation"].search(
                    [
                        ("connection_id", "=", connection.id),
                        ("contact", "in", [contact["id"] for contact in review["contacts"]]),
                    ]
                )
                partners = rows.partner_id
                if len(partners) == 2:
                    self._note(connection.company_id, partners[0], partners[1], "whatsapp", 0)
            before = answer["next"]
            if not before:
                return


def _contradict(partner, other, numbers):
    """Say whether something on two cards speaks against their being one person's."""
    lead = other._name == "crm.lead"
    mail = other.email_normalized
    if other.phone_sanitized and numbers and other.phone_sanitized not in numbers:
        return True
    if partner.email_normalized and mail and partner.email_normalized != mail:
        return True
    if partner.country_id and other.country_id and partner.country_id != other.country_id:
        return True
    if lead:
        return False
    if partner.is_company != other.is_company or other.with_context(active_test=False).user_ids:
        return True
    return bool(partner.parent_id and other.parent_id and partner.parent_id != other.parent_id) or (
        partner in (other.parent_id, *other.child_ids)
    )
