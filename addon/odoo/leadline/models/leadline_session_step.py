from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

SENTENCES = {
    "responsible": _lt("%(agent)s got the chat, as the one who looks after the customer."),
    "queue_only": _lt("%(agent)s got the chat, as the only one in the line's queue who was available."),
    "queue_order": _lt("%(agent)s got the chat, as the first in the line's queue who was available."),
    "queue_fewest": _lt("%(agent)s got the chat, with the fewest open chats in the line's queue: %(chats)s."),
    "queue_longest": _lt(
        "%(agent)s got the chat: the fewest open chats in the line's queue (%(chats)s), and longest without a new one."
    ),
    "team_only": _lt("%(agent)s got the chat, as the only one of the team who was available."),
    "team_fewest": _lt("%(agent)s got the chat, with the fewest open chats of the team: %(chats)s."),
    "team_longest": _lt(
        "%(agent)s got the chat: the fewest open chats of the team (%(chats)s), and longest without a new one."
    ),
    "nobody": _lt("Nobody was available. The chat waits in the queue of %(line)s."),
    "nobody_else": _lt("Nobody else was available. The chat stays with %(former)s."),
    "owner": _lt("%(agent)s got the chat, as CRM decided."),
    "unmanned": _lt("The line has no agents and CRM named nobody. The chat waits for whoever takes it."),
    "answered": _lt("%(agent)s got the chat by answering."),
    "late": _lt("%(former)s did not answer within %(minutes)s minutes."),
    "taken": _lt("%(agent)s took the chat."),
    "taken_from": _lt("%(agent)s took the chat from %(former)s."),
    "transferred": _lt("%(by)s transferred the chat to %(agent)s."),
    "to_line": _lt("%(by)s transferred the chat to the agents of %(line)s."),
    "by_hand": _lt("%(by)s gave the chat to %(agent)s."),
    "released": _lt("%(by)s took the chat from %(former)s. It waits in the queue of %(line)s."),
    "lead": _lt("%(agent)s got the chat together with the lead."),
    "warned": _lt("%(agent)s was reminded: the first answer is due."),
    "warned_managers": _lt("The managers were reminded: the first answer is due."),
    "waiting_told": _lt("%(agent)s was told that the customer still waits."),
    "waiting_managers": _lt("The managers were told that the customer still waits."),
    "missed": _lt("The first answer was not given in time."),
    "alerted": _lt("The managers were told that nobody was available."),
    "away": _lt("The customer was told that nobody is here now."),
    "away_stopped": _lt("The customer said STOP and was not told that nobody is here now."),
    "away_failed": _lt("The customer could not be told that nobody is here now."),
    "closed": _lt("%(by)s closed the session."),
    "closed_time": _lt("The session was closed after %(minutes)s minutes without a message."),
    "closed_merged": _lt("The session was joined to that of the same customer's elder conversation."),
    "reopened": _lt("%(by)s opened the session again."),
    "moved": _lt("The conversation turned out to be the same customer's as this one."),
    "asked": _lt("The customer was asked how satisfied they were."),
    "rated": _lt("The customer gave %(rating)s of 5."),
}
"""What may happen to a session, as its log tells it."""

HINDRANCES = {
    "leave": _lt("%s (on leave)"),
    "hours": _lt("%s (outside working hours)"),
    "offline": _lt("%s (not online)"),
    "full": _lt("%s (as many chats as allowed)"),
    "tried": _lt("%s (had it and did not answer)"),
}
"""What kept a chat from somebody."""

NAMED = 10
"""So many are named of those whom a chat passed by."""


class LeadlineSessionStep(models.Model):
    """Something that happened to a session. Facts are kept; the sentence is made in the language of who reads it."""

    _name = "leadline.session.step"
    _description = "WhatsApp Session Log"
    _order = "id"
    _rec_name = "what"

    session_id = fields.Many2one("leadline.session", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="session_id.company_id")
    at = fields.Datetime(required=True, readonly=True)
    what = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="Agent", readonly=True, ondelete="set null")
    former_id = fields.Many2one("res.users", string="Former Agent", readonly=True, ondelete="set null")
    by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    line_id = fields.Many2one("leadline.line", readonly=True, ondelete="set null")
    figure = fields.Integer(readonly=True, help="Open chats, minutes or a rating: what the sentence is about.")
    passed = fields.Json(readonly=True, help="Whom the chat passed by, and what kept it from them.")
    sentence = fields.Char("What Happened", compute="_compute_sentence")

    @api.depends("what")
    @api.depends_context("lang")
    def _compute_sentence(self):
        for step in self:
            step.sentence = step._sentence()

    def _sentence(self):
        """Return what happened, in whole sentences."""
        self.ensure_one()
        # sudo: whoever may read the log may read the names of those it is about.
        step = self.sudo()
        gone = self.env._("somebody who is gone")
        words = self.env._(SENTENCES[self.what])
        said = words % {
            "agent": step.user_id.name or gone,
            "former": step.former_id.name or gone,
            "by": step.by_id.name or gone,
            "line": step.line_id.name or gone,
            "chats": step.figure,
            "minutes": step.figure,
            "rating": step.figure,
        }
        hindered = [step._hindered(user, why) or gone for user, why in (step.passed or [])[:NAMED]]
        if not hindered:
            return said
        return self.env._("%(what)s Passed by: %(agents)s.", what=said, agents=", ".join(hindered))

    def _hindered(self, user, why):
        """Return a user's name with what kept the chat from them; None when they are gone."""
        name = self.env["res.users"].browse(user).exists().name
        words = self.env._(HINDRANCES[why])
        return name and words % name

    @api.model
    def _write_down(self, session, what, *, user=None, former=None, by=None, line=None, figure=0, passed=()):
        """Add a line to a session's log.

        :param what: a key of `SENTENCES`
        :param passed: pairs of a user's id and a key of `HINDRANCES`
        """
        return self.create(
            {
                "session_id": session.id,
                "at": fields.Datetime.now(),
                "what": what,
                "user_id": user.id if user else False,
                "former_id": former.id if former else False,
                "by_id": by.id if by else False,
                "line_id": line.id if line else False,
                "figure": figure,
                "passed": [list(one) for one in passed] or False,
            }
        )
