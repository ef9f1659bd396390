from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools.asked import id_of, identifier_of, ids_of, text_of

SHOWN = 8
"""Colleagues offered at once; whoever looks further types more of the name."""

CANDIDATES = 100
"""Users whose rights are looked at for one list."""

MENTIONED = 20
"""Colleagues whom one note may alert."""


class LeadlineConversation(models.Model):
    """Colleagues on a conversation: mentioned in a note, or asked to join."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def chat_mentions(self, res_model, res_id, identifier, term, everyone=False):
        """Return the colleagues of a name who may read the chat on a card.

        :param term: part of the name; all when it is empty
        :param everyone: also those who may not, after the others, each with a sentence `why` not
        :return: [{"id": user, "partner_id": partner, "name", "why"}]
        :raise AccessError: when the user may not read the card, or the card has no such conversation
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        offered, others = [], []
        for colleague in conversation._colleagues(text_of(term)):
            why = conversation._why_not_reading(card, colleague)
            told = {"id": colleague.id, "partner_id": colleague.partner_id.id, "name": colleague.name, "why": why}
            (others if why else offered).append(told)
            if len(offered) == SHOWN:
                break
        return (offered + others if everyone else offered)[:SHOWN]

    @api.model
    def chat_note_alert(self, res_model, res_id, identifier, message, partner_ids):
        """Alert colleagues who are mentioned in a note, each once, with a link to the card and not with its text.

        Harmless to repeat. Who may not read the chat is left out.

        :param message: the id by which the browser knows the note
        :return: the names of those who were left out
        :raise AccessError: when the user may not read the card, or the card has no such conversation
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        mentioned = Domain("partner_id", "in", ids_of(partner_ids, MENTIONED))
        # sudo: who is mentioned is looked up whatever the user may see of them.
        colleagues = self.env["res.users"].sudo().search(mentioned & Domain("share", "=", False))
        readers = colleagues.filtered(lambda one: not conversation._why_not_reading(card, one))
        for reader in conversation._mention(identifier_of(message), readers):
            env = self.with_context(lang=reader.lang).env
            self._alert_colleague(
                card,
                reader,
                subject=env._("%s mentioned you", self.env.user.name),
                body=env._(
                    "%(colleague)s mentioned you in a note on the WhatsApp chat of %(card)s.",
                    colleague=self.env.user.name,
                    card=card.display_name,
                ),
            )
        return (colleagues - readers).mapped("name")

    @api.model
    def chat_invite(self, res_model, res_id, identifier, user_id):
        """Ask a colleague to join a conversation: they are alerted with a link to the card.

        They follow the card from then on where the user may change it.

        :return: {"name": of the colleague, "follows": whether they follow the card now}
        :raise AccessError: when the user may not read the card, or the card has no such conversation
        :raise UserError: with what to do, when the colleague may not read it
        """
        card, conversation = self._chat_of_card(res_model, res_id, identifier)
        # sudo: their name and rights are looked up whatever the user may see of them.
        colleague = self.env["res.users"].sudo().search([("id", "=", id_of(user_id)), ("share", "=", False)])
        if not colleague:
            raise UserError(self.env._("This colleague is not here any more."))
        if why := conversation._why_not_reading(card, colleague):
            raise UserError(why)
        follows = "message_follower_ids" in card and card.has_access("write")
        if follows:
            card.message_subscribe(colleague.partner_id.ids)
        env = self.with_context(lang=colleague.lang).env
        self._alert_colleague(
            card,
            colleague,
            subject=env._("%s asks you to join a WhatsApp chat", self.env.user.name),
            body=env._(
                "%(colleague)s asks you to join the WhatsApp chat of %(card)s.",
                colleague=self.env.user.name,
                card=card.display_name,
            ),
        )
        return {"name": colleague.name, "follows": follows}

    # ------------------------------------------------------------
    # Who may read
    # ------------------------------------------------------------

    def _colleagues(self, term):
        """Return, in sudo, the users of a name who might be told of the conversation, likely ones first."""
        self.ensure_one()
        found = Domain("share", "=", False) & Domain("id", "!=", self.env.uid) & Domain("name", "ilike", term)
        users = self.env["res.users"].sudo().search(found, limit=CANDIDATES, order="name, id")
        begins = term.casefold()
        return users.sorted(lambda user: (not user.name.casefold().startswith(begins), user.name.casefold()))

    def _why_not_reading(self, card, user):
        """Say why a user may not read the conversation on a card, and what to do about it; empty when they may."""
        self.ensure_one()
        user = user.sudo()
        told = {"name": user.name, "company": self.company_id.name}
        if not user.has_group("leadline.group_agent"):
            return self.env._("%(name)s is no WhatsApp agent. An administrator can make them one.", **told)
        if self.company_id not in user.company_ids:
            return self.env._("%(name)s may not work in %(company)s. An administrator can allow it.", **told)
        if not self._may_open(card, user):
            return self.env._(
                "%(name)s may not open this card. Make them its salesperson, or ask an administrator to let them "
                "see all documents.",
                **told,
            )
        return ""

    # ------------------------------------------------------------
    # Telling them
    # ------------------------------------------------------------

    def _mention(self, message, users):
        """Note that users are mentioned in a note; return those for whom that is new."""
        self.ensure_one()
        self.env["leadline.claim"].sudo()._take(f"mentions/{self.identifier}")
        mentions = self.env["leadline.mention"].sudo()
        known = mentions.search([("conversation_id", "=", self.id), ("message", "=", message)]).user_id
        fresh = (users - known - self.env.user).sudo()
        mentions.create([{"conversation_id": self.id, "message": message, "user_id": user.id} for user in fresh])
        return fresh

    @api.model
    def _alert_colleague(self, card, user, *, subject, body):
        """Notify a user, in Odoo or by mail as they prefer, with a link to the card."""
        about = card.sudo().with_context(lang=user.lang)
        told = {"partner_ids": user.partner_id.ids, "subject": subject, "body": body}
        if "message_follower_ids" in card:
            about.message_notify(**told)
        else:
            # sudo: who may read a card may tell a colleague who may read it, too.
            threads = self.env["mail.thread"].sudo().with_context(lang=user.lang)
            threads.message_notify(model=card._name, res_id=card.id, **told)
