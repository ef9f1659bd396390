from odoo import api, fields, models


class PhoneBlacklist(models.Model):
    """Who is on the list gets nothing by WhatsApp either, and who writes STOP there is put on it.

    What came from WhatsApp is written with `leadline_told` in the context, and is not told back.
    """

    _inherit = "phone.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        numbers = [self.env.user._phone_format(number=values.get("number")) for values in vals_list]
        known = self.with_context(active_test=False).search([("number", "in", [one for one in numbers if one])])
        entries = super().create(vals_list)
        # One that was archived comes back by `write`.
        (entries - known).filtered("active")._leadline_tell("stop")
        return entries

    def write(self, vals):
        before = {entry: entry.number for entry in self if entry.active}
        written = super().write(vals)
        if {"active", "number"} & vals.keys():
            after = {entry: entry.number for entry in self if entry.active}
            self._leadline_tell("resume", set(before.values()) - set(after.values()))
            self._leadline_tell("stop", set(after.values()) - set(before.values()))
        return written

    def unlink(self):
        numbers = set(self.filtered("active").mapped("number"))
        unlinked = super().unlink()
        self._leadline_tell("resume", numbers)
        return unlinked

    def _leadline_tell(self, value, numbers=None):
        """Have the service told of the customers whose numbers these are, and keep a stop on record."""
        numbers = set(self.mapped("number")) if numbers is None else numbers
        if not numbers or self.env.context.get("leadline_told"):
            return
        # sudo: the list holds for all companies, and who keeps it need not see the chats.
        conversations = self.env["leadline.conversation"].sudo()._of_numbers(numbers)
        now = fields.Datetime.now()
        self.env["leadline.consent.telling"]._queue(conversations, value, "blacklist", now)
        if value == "stop":
            evidence = self.env._("%s put the number on the phone blacklist.", self.env.user.name)
            for conversation in conversations.filtered("partner_id"):
                self.env["leadline.consent"].sudo()._record(
                    conversation, purpose="marketing", state="withdrawn", way="blacklist", at=now, evidence=evidence
                )
