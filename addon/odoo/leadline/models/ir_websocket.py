from odoo import models

from .leadline_conversation_answering import CHANNEL


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        asked = {channel for channel in channels if isinstance(channel, str) and channel.startswith(CHANNEL)}
        allowed = [self.env["leadline.conversation"]._of_channel(channel) for channel in asked]
        return super()._build_bus_channel_list(
            [*(channel for channel in channels if channel not in asked), *filter(None, allowed)]
        )
