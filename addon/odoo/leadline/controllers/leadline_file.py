from werkzeug.datastructures import FileStorage

from odoo import http
from odoo.addons.mail.tools.discuss import Store
from odoo.exceptions import UserError
from odoo.http import request

from ..tools.asked import id_in


class LeadlineFileController(http.Controller):
    """Where the chat tab saves a message's file with its card.

    The browser fetches the file, by the address at which it shows it, and brings it here. So this server never fetches
    an address that somebody gave it, no worker waits for a download, and it works where only browsers reach the files.
    """

    @http.route("/leadline/file", type="http", auth="user", methods=["POST"])
    def save_file(self, res_model="", res_id="", conversation="", message="", ufile=None, **_parameters):
        """Keep a file as an attachment of the card and return what the web client needs to show it there."""
        # A field that is no file comes as text.
        file = ufile if isinstance(ufile, FileStorage) else FileStorage()
        try:
            attachment = request.env["leadline.conversation"]._save_file(
                res_model,
                id_in(res_id),
                conversation,
                message,
                name=file.filename,
                mimetype=file.content_type,
                raw=file.read(),
            )
        except UserError as refusal:
            # AccessError and MissingError are among them.
            return request.make_json_response({"error": str(refusal)}, status=422)
        return request.make_json_response(
            {
                "id": attachment.id,
                "name": attachment.name,
                "store": Store().add(attachment, extra_fields=attachment._get_store_ownership_fields()).get_result(),
            }
        )
