import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

RULES = (
    "marketing_rule",
    "stop_words",
    "resume_words",
    "stop_replied",
    "stop_reply",
    "notice_text",
    "notice_url",
)
"""What the service is told of a line, and told again when it changes."""

WORDS, WORD = 50, (2, 40)
"""How many words the service takes, and how long each may be."""


class LeadlineLine(models.Model):
    """What customers of the line are sent by itself, and who may be sent marketing. The service keeps to it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.line"  # pylint: disable=consider-merging-classes-inherited

    marketing_rule = fields.Selection(
        [
            ("opt_in", "Only customers whose consent is recorded"),
            ("opt_out", "All customers who did not object"),
        ],
        string="Marketing Templates Go To",
        default="opt_in",
        required=True,
        tracking=True,
        help="In most countries marketing needs the customer's consent first, and so do WhatsApp's own terms. Whoever "
        "wrote STOP or switched marketing off in WhatsApp gets none by either rule.",
    )
    stop_words = fields.Char(
        "More STOP Words",
        help="Words of your languages, parted by commas, that stop marketing when a customer writes nothing else. STOP "
        "and its like in English, Spanish, Portuguese, French, German and Italian are known.",
    )
    resume_words = fields.Char(
        "More START Words", help="Words, parted by commas, by which a customer takes a STOP back, beside START."
    )
    stop_replied = fields.Boolean(
        "Confirm a STOP", default=True, help="The customer is told once that no more offers will come."
    )
    stop_reply = fields.Text(
        "Confirmation", help="When empty, a short text in the language of the word that the customer wrote."
    )
    notice_text = fields.Text(
        "Data Notice",
        help="Sent by itself, once, to every customer who writes: what you must tell them about their data. Empty: "
        "nothing is sent.",
    )
    notice_url = fields.Char("Notice's Link", help="Such as the address of your privacy policy.")
    rules_told = fields.Boolean(readonly=True, copy=False, help="Whether the service knows these rules.")

    @api.constrains("stop_words", "resume_words")
    def _check_words(self):
        for line in self:
            for words in (_words(line.stop_words), _words(line.resume_words)):
                if len(words) > WORDS or any(not WORD[0] <= len(word) <= WORD[1] for word in words):
                    raise ValidationError(
                        self.env._("Give at most 50 words, parted by commas, each of 2 to 40 characters.")
                    )

    @api.constrains("notice_text", "notice_url")
    def _check_notice(self):
        for line in self:
            if line.notice_url and not re.fullmatch(r"https?://\S+", line.notice_url):
                raise ValidationError(self.env._("The notice's link must look like https://example.com/privacy."))
            if line.notice_url and not (line.notice_text or "").strip():
                raise ValidationError(self.env._("Say in the data notice what its link leads to."))

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        # An event that names a new line must not wait for the service.
        self.env["leadline.consent.telling"]._wake()
        return lines

    def write(self, vals):
        written = super().write(vals)
        if set(RULES) & vals.keys():
            for line in self:
                line._tell_rules()
        return written

    def _tell_rules(self):
        """State the rules at the service, where they hold within a minute.

        :raise UserError: when the service is away or says no; nothing is saved then
        """
        self.ensure_one()
        self._service()._call("PUT", f"/v1/lines/{self.identifier}/rules", payload=self._rules())
        self.rules_told = True

    def _tell_rules_waiting(self):
        """State the rules of lines of which the service knows none yet."""
        for line in self.filtered(lambda line: not line.rules_told):
            try:
                line._tell_rules()
            except UserError:
                return  # Told with the next round.

    def _rules(self):
        """Return the rules as the chat API takes them."""
        return {
            "opt_in": self.marketing_rule == "opt_in",
            "stop_words": _words(self.stop_words),
            "resume_words": _words(self.resume_words),
            "stop_replied": self.stop_replied,
            "stop_reply": self.stop_reply or "",
            "language": self.company_id.partner_id.lang or self.env.lang or "en_US",
            "notice": self._notice(),
        }

    def _notice(self):
        """Return the data notice as customers get it, or an empty text."""
        return "\n".join(filter(None, ((self.notice_text or "").strip(), self.notice_url)))


def _words(text):
    """Return the words that are parted by commas or lines."""
    return [word for part in re.split(r"[,;\n]", text or "") if (word := part.strip())]
