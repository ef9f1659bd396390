from odoo import api, fields, models


class LeadlineConversation(models.Model):
    """Conversations that were there before Odoo was connected."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    existing = fields.Boolean(
        "Was There Before",
        readonly=True,
        copy=False,
        help="It was there before Odoo was connected, and the customer has not written since. No lead was made of it.",
    )

    def _take_state(self, told):
        writes_again = self.existing and told.received > self.received_count
        taken = super()._take_state(told)
        if writes_again:
            self.existing = False
            self._welcome(told.contact)
        return taken

    def _welcome(self, contact):
        if not self.env.context.get("leadline_existing"):
            return super()._welcome(contact)
        if self.window_until and self.window_until > fields.Datetime.now():
            # The customer wrote within a day and waits; who gets the lead need not be mailed about each of many.
            quiet = self.with_context(mail_auto_subscribe_no_notify=True)
            return super(LeadlineConversation, quiet)._welcome(contact)
        self.existing = True
        return None

    def _notify_owner(self):
        return None if self.existing else super()._notify_owner()

    @api.model
    def _send_alerts(self, alerts):
        # No tab is open on what appears for the first time.
        return super()._send_alerts([] if self.env.context.get("leadline_existing") else alerts)

    @api.model
    def get_empty_list_help(self, help_message):
        # sudo: agents may not read connections; whether there is one is no secret.
        if self.env["leadline.connection"].sudo().search_count([], limit=1):
            return super().get_empty_list_help(help_message)
        if not self.env.user.has_group("base.group_system"):
            return self.env["ir.qweb"]._render("leadline.not_connected_yet", {"action": None})
        action = self.env.ref("leadline.leadline_pairing_action")
        return self.env["ir.qweb"]._render("leadline.not_connected_yet", {"action": action.id})
