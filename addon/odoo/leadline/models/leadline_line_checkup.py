from odoo import api, fields, models


class LeadlineLine(models.Model):
    """What the service's checkup found of the line: its token, its number, its webhooks, its templates."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    checkup = fields.Selection(
        [("ok", "All Right"), ("warn", "Worth a Look"), ("bad", "Needs an Admin")],
        default="ok",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
        help="What the service found when it last looked, as it does every 15 minutes.",
    )
    problems = fields.Text("What Was Found", readonly=True, copy=False)
    is_slow = fields.Boolean(
        "WhatsApp Answers Slowly", readonly=True, copy=False, help="Three answers running took over 1.5 seconds."
    )

    def _take_health(self, health, at):
        is_old = self.health_at and self.health_at > at
        before = self.checkup
        result = super()._take_health(health, at)
        if is_old:
            return result
        self.write(
            {
                "checkup": self._checkup_of(health),
                "problems": "\n".join(self._sentence_of(problem) for problem in health.problems) or False,
                "is_slow": health.slow,
            }
        )
        # That sending is held the managers hear anyway.
        if self.checkup == "bad" and before != "bad" and not health.held:
            self._notify_managers(self._words_when_unwell)
        return result

    @api.model
    def _checkup_of(self, health):
        if any(problem.bad for problem in health.problems):
            return "bad"
        return "warn" if health.problems else "ok"

    @api.model
    def _sentence_of(self, problem):
        """Return a problem as the form shows it, in the words of the service."""
        mend = f" → {problem.mend}" if problem.mend else ""
        return f"{problem.check}: {problem.seen}{mend}"

    def _words_when_unwell(self, env):
        """Return subject and body of what managers are told when a checkup finds what stops a line."""
        return (
            env._("The WhatsApp line %s needs an admin", self.name),
            env._("A checkup of %(line)s found: %(problems)s", line=self.name, problems=self.problems),
        )
