from odoo import models


class LeadlineConversation(models.Model):
    """What the customer agreed to and took back, as far as the conversation tells it."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    def _take_state(self, told):
        taken = super()._take_state(told)
        # Last, when it is known who writes.
        if told.marketing:
            self._take_marketing(told.marketing)
        if told.attribution and self.first_link_id:
            self._take_way_in(told.attribution.first)
        return taken

    def _take_marketing(self, said):
        """Record what the customer said of marketing last.

        :param said: `tools.event.Marketing`
        """
        by_word, stops = said.source == "keyword", said.value == "stop"
        if by_word:
            evidence = self.env._("The customer wrote a word that stops messages, such as STOP.")
        elif stops:
            evidence = self.env._("The customer switched marketing messages off in WhatsApp.")
        else:
            evidence = self.env._("The customer switched marketing messages on in WhatsApp.")
        self.env["leadline.consent"]._record(
            self,
            purpose="marketing",
            state="withdrawn" if stops else "given",
            way="keyword" if by_word else "whatsapp",
            at=said.at,
            evidence=evidence,
        )

    def _take_way_in(self, touch):
        """Record that the customer wrote of their own accord, and what the link that they came through showed."""
        link = self.first_link_id
        shown = link.prefilled if link.text else touch.reference
        self.env["leadline.consent"]._record(
            self,
            purpose="service",
            state="given",
            way="link",
            at=touch.at,
            evidence=self.env._("Wrote first, through the link “%(label)s”: %(text)s", label=link.name, text=shown),
        )
