from odoo import api, fields, models

TROUBLED = frozenset({"REJECTED", "PAUSED", "DISABLED"})
"""Statuses, in WhatsApp's words, in which a template can't be sent until somebody does something about it."""


class LeadlineTemplate(models.Model):
    """What WhatsApp last said of a message template. Its definition is not here: the chat asks the service for it."""

    _name = "leadline.template"
    _description = "WhatsApp Template"
    _order = "name, language"

    name = fields.Char(required=True, readonly=True)
    language = fields.Char(required=True, readonly=True)
    line_id = fields.Many2one("leadline.line", required=True, readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    status = fields.Char(readonly=True, help="In WhatsApp's own words.")
    category = fields.Char(readonly=True, help="In WhatsApp's own words. It decides what a message costs.")
    quality = fields.Char(readonly=True, help="In WhatsApp's own words.")
    reason = fields.Char(readonly=True, help="Why WhatsApp does not allow it.")
    told_at = fields.Datetime("Since", required=True, readonly=True)

    _unique = models.Constraint("UNIQUE (line_id, name, language)", "There is a row for this template already.")

    @api.model
    def _take(self, line, told, at):
        """Take over what an event tells of a template, unless something newer is known.

        Managers are told when it falls into trouble.

        :param told: `tools.event.Template`
        """
        self.env["leadline.claim"]._take(f"template/{line.identifier}/{told.name}/{told.language}")
        found = self.search([("line_id", "=", line.id), ("name", "=", told.name), ("language", "=", told.language)])
        if found and found.told_at > at:
            return
        falls = told.status in TROUBLED and found.status != told.status
        values = {
            "status": told.status,
            "category": told.category,
            "quality": told.quality,
            "reason": told.reason,
            "told_at": at,
        }
        if found:
            found.write(values)
        else:
            found = self.create({"line_id": line.id, "name": told.name, "language": told.language} | values)
        if falls:
            line._notify_managers(found._words_when_troubled)

    def _words_when_troubled(self, env):
        """Return subject and body of what managers are told when the template can't be sent any more."""
        return (
            env._("WhatsApp template can't be sent: %s", self.name),
            env._(
                "WhatsApp set the template %(name)s (%(language)s) of %(line)s to %(status)s. %(reason)s "
                "Look at it in WhatsApp Manager.",
                name=self.name,
                language=self.language,
                line=self.line_id.name,
                status=self.status,
                reason=self.reason,
            ),
        )
