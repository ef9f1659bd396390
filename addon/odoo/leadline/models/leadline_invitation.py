from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain

from ..tools.asked import fields_of, identifier_of, text_of
from .leadline_connection import ServiceRefused

PAGE = 100
"""Templates asked for at once."""


class LeadlineConversation(models.Model):
    """What we say first, or again after the window has closed: with a template, in a new conversation or in one
    that is there."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def chat_templates(self, res_model, res_id, line_identifier, after=None):
        """Return a page of a line's templates as the chat API gives it, for a card that has no conversation on it.

        :raise AccessError: when the user may not read the card or has no such line
        """
        self._card(res_model, res_id)
        line = self._line(line_identifier)
        query = {"line": line.identifier, "limit": PAGE} | ({"after": text_of(after)} if after else {})
        return line._service()._call("GET", "/v1/templates", query=query)

    @api.model
    @api.readonly
    def chat_template_values(self, res_model, res_id, line_identifier, template, language):
        """Return the values that a template's parameters have on a card, read with the user's rights.

        :return: texts by parameter; what nothing is bound to is missing
        :raise AccessError: when the user may not read the card or has no such line
        """
        card = self._card(res_model, res_id)
        line = self._line(line_identifier)
        return self.env["leadline.template.binding"]._values(
            self._cards_of(card), line, text_of(template), text_of(language)
        )

    @api.model
    def chat_start(self, res_model, res_id, line_identifier, message):
        """Send a template to the customer of a card and return the conversation that it begins.

        Harmless to repeat: `message` carries a `client_id`.

        :param message: as the chat API takes it
        :return: {"conversation": summary} or, when the service says no, {"refused": its problem document}
        :raise AccessError: when the user may not write to the customer of this card
        :raise UserError: with a sentence that says what is wrong with the card
        """
        card, line = self._card_and_line(res_model, res_id, line_identifier)
        call = self._call_to_start(card, line, message)
        try:
            answer = line._service()._call("POST", "/v1/conversations", payload=call)
        except ServiceRefused as refusal:
            return {"refused": refusal.problem}
        return {"conversation": self._begun(line, card, answer["conversation"])._chat_summary()}

    @api.model
    def _call_to_start(self, card, line, message):
        """Return the body of the call that sends a first template to the customer of a card."""
        return {
            "line": line.identifier,
            "to": self._addressee(card, line),
            "name": self._customer_name(card),
            "message": message,
            "author": {"kind": "agent", "id": str(self.env.user.id), "name": self.env.user.name},
        }

    @api.model
    def chat_start_upload(self, res_model, res_id, line_identifier, file):
        """Return where the user's browser may put a file that goes with the first message to the customer of a card.

        :param file: {"type", "filename", "mime", "size"} as the chat API takes them
        :return: {"id", "upload"} as the chat API answers or, when it says no, {"refused": its problem document}
        :raise AccessError: when the user may not write to the customer of this card
        :raise UserError: with a sentence that says what is wrong with the card
        """
        card, line = self._card_and_line(res_model, res_id, line_identifier)
        self._addressee(card, line)
        announced = {name: fields_of(file).get(name) for name in ("type", "filename", "mime", "size")}
        try:
            return line._service()._call("POST", "/v1/media", payload={"line": line.identifier} | announced)
        except ServiceRefused as refusal:
            return {"refused": refusal.problem}

    @api.model
    def _card_and_line(self, res_model, res_id, line_identifier):
        """Return a card from which the user may write to its customer, and one of their lines. Raises `AccessError`."""
        card = self._card(res_model, res_id)
        if not self._may_send(card):
            raise AccessError(self.env._("You may read this card, not write to its customer."))
        return card, self._line(line_identifier)

    # ------------------------------------------------------------
    # Who may be written to
    # ------------------------------------------------------------

    @api.model
    def _invitation(self, card):
        """Return what the tab needs to offer a first message to the customer of a card.

        `refused` says why there can be none and what to do about it.
        """
        lines = self.env["leadline.line"].search([("company_id", "in", self.env.companies.ids)])
        return {
            "lines": [line._chat_summary() | {"held": line.sending == "held"} for line in lines],
            "phone": self._phone_of(card) or None,
            "name": self._customer_name(card),
            "language": self._language_of(card) or None,
            "refused": self._hindrance(card, lines) or None,
        }

    @api.model
    def _hindrance(self, card, lines):
        """Say why the customer of a card can't be written to, and what to do about it; empty when nothing hinders."""
        if not self._may_send(card):
            return self.env._("You may read this card, not write to its customer.")
        if not lines:
            return self.env._("There is no WhatsApp number yet. A line appears when somebody writes to it.")
        if self._of_card(card):
            return ""
        if not card.phone:
            return self.env._("There is no phone number on this card. Add one, with its country code, and save.")
        if not self._phone_of(card):
            return self.env._(
                "%s is no valid phone number. Correct it on the card, with its country code, and save.", card.phone
            )
        if card.phone_blacklisted:
            return self.env._(
                "%s is on the phone blacklist: whoever it belongs to wants no messages.", self._phone_of(card)
            )
        return ""

    @api.model
    def _phone_of(self, card):
        """Return the number of a card in E.164, or False."""
        return "phone" in card and card._phone_format(fname="phone", force_format="E164")

    @api.model
    def _addressee(self, card, line):
        """Return whom the service shall write to: the person of a conversation on another line, or the card's number.

        Who hides their number has one already, since they wrote first.
        """
        known = self._of_card(card)
        if refused := self._hindrance(card, line):
            raise UserError(refused)
        return {"conversation": known[0].identifier} if known else {"phone": self._phone_of(card)}

    @api.model
    def _customer_name(self, card):
        """Return what to call the customer, or None."""
        if card._name == "crm.lead":
            return card.contact_name or card.partner_name or card.partner_id.name or None
        return card.name or None

    @api.model
    def _language_of(self, card):
        """Return the customer's language as Odoo has it, such as pt_BR, or False."""
        cards = self._cards_of(card)
        lead, partner = cards["crm.lead"], cards["res.partner"]
        return lead.lang_id.code or partner.lang

    @api.model
    def _cards_of(self, card):
        """Return lead and contact of a card by model name, as far as the user may read them; empty ones included."""
        if card._name == "crm.lead":
            found = {"crm.lead": card, "res.partner": card.partner_id}
        elif card._name == "res.partner":
            found = {"crm.lead": self.env["crm.lead"], "res.partner": card}
        else:
            # sudo: who may read no lead may not read that there is one; then none is found.
            leads = card.sudo().lead_ids.with_env(card.env)._filtered_access("read")
            found = {"crm.lead": leads._leadline_ranked()[:1], "res.partner": card.partner_id}
        return {model: record._filtered_access("read") for model, record in found.items()}

    @api.model
    def _line(self, identifier):
        """Return one of the user's lines. Raises `AccessError`."""
        found = self.env["leadline.line"].search([("identifier", "=", identifier_of(identifier))])
        if not found:
            raise AccessError(self.env._("There is no such WhatsApp line for you."))
        return found

    # ------------------------------------------------------------
    # What comes of it
    # ------------------------------------------------------------

    @api.model
    def _begun(self, line, card, head):
        """Return, in sudo, the row of a conversation that we began, linked to the card from which we did.

        :param head: the chat API's answer
        """
        # sudo: agents don't make or write mirror rows; that this one may write to the card's customer is checked.
        conversations = self.sudo()
        self.env["leadline.claim"].sudo()._take(f"conversation/{head['id']}")
        row = conversations.search(
            Domain("identifier", "=", head["id"]) & Domain("connection_id", "=", line._service().id)
        ) or conversations.create(
            {
                "identifier": head["id"],
                "contact": head["contact"]["id"],
                "name": head["contact"].get("name") or self._customer_name(card) or self._phone_of(card),
                "line_id": line.id,
                # Below every version, so that the first event is taken.
                "version": -1,
            }
        )
        cards = self._cards_of(card)
        row.write(
            {
                "lead_ids": [Command.link(lead.id) for lead in cards["crm.lead"]],
                "partner_id": (row.partner_id or cards["res.partner"]).id,
            }
        )
        return row
