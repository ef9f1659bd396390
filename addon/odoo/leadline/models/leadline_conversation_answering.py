from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..tools.asked import id_in, identifier_of

CHANNEL = "leadline.conversation/"
"""What the bus channels that a chat tab asks for begin with: `leadline.conversation/crm.lead/7/<conversation>`."""


class LeadlineConversation(models.Model):
    """Agents who have the same conversation open see which of them is answering."""

    # Each of its subjects is a file of its own.
    _name = "leadline.conversation"
    _inherit = ("leadline.conversation", "bus.listener.mixin")

    @api.model
    def chat_answering(self, res_model, res_id, identifier):
        """Tell the others who have one of the card's conversations open that the user is writing to the customer.

        :raise AccessError: when the user may not write to the customer of this card, or it has no such conversation
        """
        _card, conversation = self._chat_of_card(res_model, res_id, identifier, writing=True)
        agent = {"id": self.env.user.id, "name": self.env.user.name}
        conversation._bus_send("leadline/answering", {"conversation": conversation.identifier, "agent": agent})

    @api.model
    def _of_channel(self, channel):
        """Return, in sudo, the conversation whose bus channel the user's browser asks for; none when it is not
        theirs to see.
        """
        try:
            res_model, res_id, identifier = channel.removeprefix(CHANNEL).split("/")
            card = self._card(res_model, id_in(res_id))
        except (ValueError, AccessError):
            # The browser asks for all of its channels at once: one that is refused must not cost the others.
            return self.browse()
        return self._of_card(card, Domain("identifier", "=", identifier_of(identifier)))
