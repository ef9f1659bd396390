from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .leadline_connection import ServiceRefused

PATIENCE = timedelta(hours=1)
"""So long it is tried again when the service does not answer. What the customer is told later is told too late."""

RATINGS = (5, 3, 1)
"""What the three buttons stand for, in Odoo's ratings."""


class LeadlineSession(models.Model):
    """What the customer is told and asked by itself. It goes out in a cron: no event and no click waits for it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.session"  # pylint: disable=consider-merging-classes-inherited

    away_reply = fields.Selection(
        [("due", "To Be Sent"), ("sent", "Sent"), ("stopped", "Not Sent: STOP"), ("failed", "Not Sent")],
        string="Automatic Reply",
        readonly=True,
    )
    satisfaction = fields.Selection(
        [
            ("due", "To Be Asked"),
            ("asked", "Asked"),
            ("rated", "Answered"),
            ("unanswered", "Not Asked: No Answer Given"),
            ("recent", "Not Asked: Asked Lately"),
            ("stopped", "Not Asked: STOP"),
            ("closed", "Not Asked: 24 Hours Over"),
            ("failed", "Not Asked: Refused"),
        ],
        readonly=True,
        help="Whether the customer was asked how satisfied they were.",
    )
    satisfaction_at = fields.Datetime("Asked At", readonly=True)
    score = fields.Float(
        "Rating", readonly=True, aggregator="avg", help="By the customer, from 1 to 5. Empty when there is none."
    )

    # ------------------------------------------------------------
    # Nobody here
    # ------------------------------------------------------------

    def _wish_away_reply(self):
        if self.queue_line_id.away_reply and not self.away_reply:
            self.away_reply = "due"

    def _send_away_reply(self):
        """Tell the customer that nobody is here, unless somebody came meanwhile. Return what came of it."""
        self.ensure_one()
        if self.state != "queued":
            self.away_reply = False
            return None
        text = self.queue_line_id.with_context(lang=self._customer_lang()).away_reply
        outcome = text and self._say(f"away-{self.id}", {"type": "text", "text": {"body": text}}, self.stranded_at)
        if outcome != "later":
            self.away_reply = {"sent": "sent", "stopped": "stopped"}.get(outcome, "failed")
            self._log({"sent": "away", "stopped": "away_stopped"}.get(outcome, "away_failed"))
        return outcome

    # ------------------------------------------------------------
    # How satisfied
    # ------------------------------------------------------------

    def _wish_satisfaction(self):
        """Decide, at the end, whether the customer shall be asked."""
        self.ensure_one()
        line = self.line_id
        if not line.asks_satisfaction or self.ending == "merged" or self.satisfaction in ("asked", "rated"):
            return
        if not self.first_response_at:
            self.satisfaction = "unanswered"
        elif self._was_asked_lately():
            self.satisfaction = "recent"
        else:
            self.satisfaction = "due"
            self._wake_cron()

    def _unwish_satisfaction(self):
        """The session goes on: the question is for its end."""
        if self.satisfaction not in ("asked", "rated"):
            self.satisfaction = False

    def _was_asked_lately(self):
        since = fields.Datetime.now() - timedelta(days=self.line_id.satisfaction_pause)
        conversation = self.conversation_id
        same_person = Domain("conversation_id.contact", "=", conversation.contact) & Domain(
            "conversation_id.connection_id", "=", conversation.connection_id.id
        )
        return bool(self.search_count(same_person & Domain("satisfaction_at", ">", since), limit=1))

    def _ask_satisfaction(self):
        """Ask the customer, inside the window with buttons and outside of it with the line's template.

        Return what came of it.
        """
        self.ensure_one()
        outcome = self._say(f"satisfaction-{self.id}", self._question(), self.closed_at)
        if outcome == "sent":
            self.write({"satisfaction": "asked", "satisfaction_at": fields.Datetime.now()})
            self._log("asked")
        elif outcome != "later":
            self.satisfaction = outcome
        return outcome

    def _question(self):
        """Return the message that asks, in Graph's shape; None when there is no way to ask."""
        window = self.conversation_id.window_until
        if window and window > fields.Datetime.now():
            return self._buttons()
        template = self.line_id.satisfaction_template_id
        return self._template(template) if template else None

    def _buttons(self):
        env = self.with_context(lang=self._customer_lang()).env
        question = self.line_id.with_env(env).satisfaction_question or env._("How satisfied are you with our help?")
        titles = (env._("😊 Good"), env._("😐 Okay"), env._("😞 Bad"))
        buttons = [
            {"type": "reply", "reply": {"id": self._answer_id(rating), "title": title}}
            for rating, title in zip(RATINGS, titles, strict=True)
        ]
        return {
            "type": "interactive",
            "interactive": {"type": "button", "body": {"text": question}, "action": {"buttons": buttons}},
        }

    def _template(self, template):
        buttons = [
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": index,
                "parameters": [{"type": "payload", "payload": self._answer_id(rating)}],
            }
            for index, rating in enumerate(RATINGS)
        ]
        return {
            "type": "template",
            "template": {"name": template.name, "language": {"code": template.language}, "components": buttons},
        }

    def _answer_id(self, rating):
        """Return the id of a button, by which the service knows the answer when it comes."""
        return f"leadline.satisfaction.{self.id}.{rating}"

    @api.model
    def _take_satisfaction(self, conversation, answer):
        """Take a customer's answer; say whether it was one to a question that this conversation was asked.

        :param answer: `tools.event.Satisfaction`
        """
        session = self.browse(answer.session).exists()
        # The customer's phone sends the id back: it is believed only where we have asked.
        if session.conversation_id != conversation or session.satisfaction not in ("asked", "rated"):
            return False
        if session.satisfaction == "asked":
            session.write({"satisfaction": "rated", "score": answer.rating})
            asked = self.env["rating.rating"].create(
                {
                    "res_model_id": self.env["ir.model"]._get_id(self._name),
                    "res_id": session.id,
                    "partner_id": conversation.partner_id.id,
                    "rated_partner_id": session.user_id.partner_id.id,
                }
            )
            # In two steps, as Odoo's own forms do it: what it keeps of a rating follows when that is filled in.
            asked.flush_recordset()
            asked.write({"rating": answer.rating, "consumed": True})
            session._log("rated", figure=answer.rating)
        return True

    # ------------------------------------------------------------
    # Saying it
    # ------------------------------------------------------------

    def _say(self, client_id, message, since):
        """Let the service send a message that nobody pressed send for; `client_id` makes saying it again harmless.

        :param message: in Graph's shape; None is not said
        :param since: when it was due first
        :return: `sent`; or why not: `stopped`, `closed`, `failed`; or `later`, when it is to be tried again
        """
        if not message:
            return "closed"
        path = f"/v1/conversations/{self.conversation_id.identifier}/messages"
        payload = {"client_id": client_id, "automatic": True} | message
        try:
            self.line_id._service()._call("POST", path, payload=payload)
        except ServiceRefused as refusal:
            # Said before, in another language: it was said.
            reasons = {"stopped": "stopped", "window_closed": "closed", "client_id_reused": "sent"}
            return reasons.get(refusal.problem.get("code"), "failed")
        except UserError:
            return "later" if since and fields.Datetime.now() - since < PATIENCE else "failed"
        return "sent"

    def _customer_lang(self):
        """Return the language in which the customer is spoken to, if Odoo has it."""
        conversation = self.conversation_id
        wanted = conversation.partner_id.lang or conversation._lead().lang_id.code
        return wanted or self.company_id.partner_id.lang
