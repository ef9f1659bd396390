import mimetypes
import re

from odoo import api, models
from odoo.exceptions import AccessError, UserError

LONGEST_NAME = 200

ENDINGS = {"audio/ogg": ".ogg"}
"""Where the customary one is not the one that Python knows first."""

MESSAGE = re.compile(r"[\w-]{1,100}", re.ASCII)
_MIME = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)


class LeadlineConversation(models.Model):
    """Files of a conversation that somebody keeps with the card."""

    # Each of its subjects is a file of its own.
    _inherit = "leadline.conversation"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _save_file(self, res_model, res_id, identifier, message, *, name, mimetype, raw):
        """Return the attachment that a message's file is on the lead or contact, made when there is none yet.

        :param message: id of the message, so that its file is there once however often it is saved
        :raise AccessError: when the user may not change the card, or the card has no such conversation
        :raise UserError: with a sentence that says what is wrong
        """
        card, _conversation = self._chat_of_card(res_model, res_id, identifier)
        if not isinstance(message, str) or not MESSAGE.fullmatch(message) or not raw:
            raise UserError(self.env._("This file can't be saved: it is empty, or its message has no id."))
        keeper = self._keeper(card)
        # Of two who save it at the same moment, one waits and finds it.
        self.env["leadline.claim"].sudo()._take(f"file/{keeper._name}/{keeper.id}/{message}")
        attachments = self.env["ir.attachment"]
        saved = attachments.search(
            [("res_model", "=", keeper._name), ("res_id", "=", keeper.id), ("leadline_message", "=", message)], limit=1
        )
        if saved:
            return saved
        mimetype = (mimetype or "").split(";")[0].strip().lower()
        if not _MIME.fullmatch(mimetype):
            mimetype = "application/octet-stream"
        return attachments.create(
            {
                "name": _file_name(name, mimetype),
                "mimetype": mimetype,
                "raw": raw,
                "res_model": keeper._name,
                "res_id": keeper.id,
                "leadline_message": message,
            }
        )

    @api.model
    def _keeper(self, card):
        """Return the card with which files are kept: the lead or contact itself, of a conversation the one it has."""
        if card._name == self._name:
            cards = self._cards_of(card)
            card = cards["crm.lead"] or cards["res.partner"]
        if not card:
            raise UserError(self.env._("There is no lead and no contact yet to save it with."))
        if not card.has_access("write"):
            raise AccessError(self.env._("You may read this card, not save files with it."))
        return card


def _file_name(name, mimetype):
    """Return what a file of a stranger is called: one line without folders, with an ending."""
    name = re.split(r"[/\\]", name or "")[-1]
    name = "".join(character for character in name if character.isprintable()).strip(". ")
    stem, dot, ending = name.rpartition(".")
    if not stem or not 0 < len(ending) <= 8:
        stem, dot = name or "file", ""
        ending = ENDINGS.get(mimetype) or mimetypes.guess_extension(mimetype) or ""
    return stem[:LONGEST_NAME] + dot + ending
