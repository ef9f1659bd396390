import json
import tempfile
import zipfile
from http import HTTPStatus

import requests

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..tools.asked import id_of

CHUNK = 256 * 1024
TIMEOUT = 60
"""Seconds to wait for a file of the service's store to begin."""

FILE_LIMIT = 128 * 1024 * 1024
"""Bytes: more than the largest file that WhatsApp takes, and less than a disk that an endless one would fill."""


class ContactArchive(http.Controller):
    """A person's data as a download. It passes through and is kept nowhere here."""

    @http.route("/leadline/contact/<int:partner_id>/archive", type="http", auth="user", methods=["GET"], readonly=True)
    def archive(self, partner_id, **_parameters):
        """Answer a zip with all that the service holds of a contact: texts, JSON, and files."""
        partners = request.env["res.partner"]
        # First of all, so that nobody else learns which contacts there are.
        partners._leadline_check_privacy()
        partner = partners.browse(id_of(partner_id)).exists()
        if not partner or not partner.has_access("write"):
            return request.not_found()
        conversations = partner._leadline_conversations()
        known = sorted({(conversation.connection_id, conversation.contact) for conversation in conversations}, key=str)
        if not known:
            return request.not_found()
        # On disk, since files may be large, and gone as soon as it is closed.
        file = tempfile.TemporaryFile()  # noqa: SIM115 - open until it is sent
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for connection, contact in known:
                    self._add(archive, connection, contact)
        except UserError as failure:
            file.close()
            return request.make_response(str(failure), [("Content-Type", "text/plain; charset=utf-8")], status=502)
        size = file.tell()
        file.seek(0)
        response = request.make_response(
            iter(lambda: file.read(CHUNK), b""),
            [
                ("Content-Type", "application/zip"),
                ("Content-Length", str(size)),
                ("Content-Disposition", http.content_disposition(f"whatsapp-{partner.id}.zip")),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
        response.call_on_close(file.close)
        return response

    def _add(self, archive, connection, contact):
        """Add what one connection knows of a person."""
        folder, query, written = contact[:8], {"by": request.env.uid}, []
        while True:
            page = connection._call("GET", f"/v1/contacts/{contact}", query=query)
            if page["about"] is not None:
                archive.writestr(f"{folder}/person.json", _text(page["about"]))
            for message in page["messages"]:
                url = (message["message"].get("media") or {}).pop("url", None)
                if message["file"] and url:
                    self._add_file(archive, f"{folder}/{message['file']}", url)
                written.append(message)
            if not page["next"]:
                break
            query = query | {"after": page["next"]}
        written.sort(key=lambda message: (message["conversation"], message["message"].get("sort") or message["at"]))
        archive.writestr(f"{folder}/messages.json", _text(written))
        for conversation in sorted({message["conversation"] for message in written}):
            lines = [message["text"] for message in written if message["conversation"] == conversation]
            archive.writestr(f"{folder}/conversation-{conversation[:8]}.txt", "\n".join(lines) + "\n")

    def _add_file(self, archive, name, url):
        """Add a file from the address that the service has just signed."""
        try:
            with requests.get(url, stream=True, timeout=TIMEOUT, allow_redirects=False) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise requests.RequestException
                with archive.open(name, "w", force_zip64=True) as entry:
                    left = FILE_LIMIT
                    for chunk in answer.iter_content(CHUNK):
                        left -= entry.write(chunk)
                        if left < 0:
                            raise requests.RequestException
        except requests.RequestException:
            archive.writestr(f"{name}.missing.txt", request.env._("The file could not be fetched."))


def _text(value):
    return json.dumps(value, indent=1, ensure_ascii=False)
