from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.edge import apart

MOST_HOURS = 23
"""A window is open for 24."""

AT_ONCE = 200
"""Conversations that one run of the scheduled action looks at."""


class LeadlineConversation(models.Model):
    """What somebody has to see to: a message that did not go out, or a window about to close on a customer who waits.

    One activity per conversation, on the customer's card, which ends by itself when the customer is answered.
    """

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    activity_id = fields.Many2one(
        "mail.activity", readonly=True, copy=False, index="btree_not_null", ondelete="set null"
    )
    failed_at = fields.Datetime("Not Sent", readonly=True, help="When a message of ours failed that nothing followed.")
    failed_message = fields.Char(readonly=True, help="The message that failed last.")
    warned_until = fields.Datetime(readonly=True, help="End of the window of which somebody was warned last.")

    def _take_state(self, told):
        taken = super()._take_state(told)
        self._settle_activity()
        return taken

    def _take_failure(self, message):
        """Note that a message of ours did not go out, once, and ask somebody to see to it."""
        self.ensure_one()
        if message == self.failed_message:
            return
        self.write({"failed_message": message, "failed_at": fields.Datetime.now()})
        self._ask(
            "leadline.activity_type_failed",
            self.env._("WhatsApp message not sent"),
            self.env._("The chat shows why, and lets you send it again."),
        )

    def _settle_activity(self):
        """End what somebody was asked to see to, once the customer waits for nothing any more."""
        self.ensure_one()
        if self.failed_at and (not self.last_out or self.last_out <= self.failed_at):
            return
        if self.failed_at:
            self.failed_at = False
        activity = self.activity_id
        if activity and not self._awaits_answer():
            self.activity_id = False
            if activity.active:
                is_answered = self.last_out and self.last_in and self.last_out > self.last_in
                answered, closed = self.env._("Answered on WhatsApp."), self.env._("Closed on WhatsApp.")
                activity.action_feedback(feedback=answered if is_answered else closed)

    def _awaits_answer(self):
        """Say whether the customer waits for an answer."""
        return self.state == "waiting"

    @api.model
    def _cron_warn_closing(self):
        """Ask for an answer where a window is about to close on a customer who waits."""
        now = fields.Datetime.now()
        for line in self.env["leadline.line"].search([("closing_notice", ">", 0)]):
            until = now + timedelta(hours=min(line.closing_notice, MOST_HOURS))
            closing = self.search(
                Domain("line_id", "=", line.id)
                & Domain("state", "=", "waiting")
                & Domain("window_until", ">", now)
                & Domain("window_until", "<=", until)
                # Those who were warned of this window must not stand before the others.
                & Domain.custom(to_sql=_is_not_warned),
                order="window_until",
                limit=AT_ONCE,
            )
            for row in closing:
                with apart(self.env, f"Conversation {row.id}"):
                    row.with_company(row.company_id)._warn_of_closing()

    def _warn_of_closing(self):
        self.ensure_one()
        asked = self._ask(
            "leadline.activity_type_closing",
            self.env._("Answer on WhatsApp before the window closes"),
            self.env._("Afterwards WhatsApp takes templates only, until the customer writes again."),
        )
        if asked:
            self.warned_until = self.window_until

    def _ask(self, activity_type, summary, note):
        """Give whoever looks after the conversation an activity, unless they have one, and say whether they do now."""
        self.ensure_one()
        if self.activity_id.active:
            return True
        card, user = self._lead() or self.partner_id, self._responsible()
        # Somebody may have deleted the type: what happens to a customer's message matters more.
        kind = self.env.ref(activity_type, raise_if_not_found=False)
        if not card or not user or not kind or not self._may_open(card, user):
            return False
        self.activity_id = card.activity_schedule(activity_type_id=kind.id, summary=summary, note=note, user_id=user.id)
        return True

    def _responsible(self):
        """Return who looks after the conversation: its owner, else the line's, else the leader of its team."""
        line = self.line_id
        return self.user_id or line.user_id or line.team_id.user_id


def _is_not_warned(model, alias, query):
    warned, until = (model._field_to_sql(alias, name, query) for name in ("warned_until", "window_until"))
    return SQL("%s IS DISTINCT FROM %s", warned, until)
