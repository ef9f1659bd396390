from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

SENTENCES = (
    _lt("This line may not send just now: its access to WhatsApp needs an admin."),
    _lt("This number no longer exists at WhatsApp."),
    _lt("The line's access token has expired or was withdrawn; an admin must renew it."),
    _lt("WhatsApp has restricted this business's account; an admin must look at it in Meta's account quality page."),
    _lt("The number's display name must be approved before it can send."),
    _lt("WhatsApp stopped sending because of the payment method; an admin must mend it."),
    _lt("WhatsApp stopped because of the payment method; an admin must mend it."),
    _lt("This number is not registered for sending; an admin must register it."),
    _lt("WhatsApp limits this number because messages were reported as spam."),
    _lt("WhatsApp limits this business because templates were in the wrong category."),
    _lt("The number's two-step PIN is wrong; an admin must set it."),
    _lt("Too many wrong two-step PINs; an admin must wait and try again."),
    _lt("Two-step PINs were entered too fast; an admin must wait and try again."),
    _lt("The number was registered too often; WhatsApp blocks it for 72 hours."),
    _lt("The line's access token can't be opened on this server; an admin must enter it again."),
)
"""Why a line can't send, as the service says it in English: by these, translators find the sentences."""


class LeadlineLine(models.Model):
    """Why a line can't send is said in the language of who reads it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    held_words = fields.Char("Why Sending Is Stopped", compute="_compute_held_words")

    @api.depends("held_reason")
    @api.depends_context("lang")
    def _compute_held_words(self):
        for line in self:
            line.held_words = line._held_words(line.env)

    def _held_words(self, env):
        """Return why the line can't send in an environment's language; as the service says it where we lack it."""
        self.ensure_one()
        return env._(self.held_reason) if self.held_reason else False
