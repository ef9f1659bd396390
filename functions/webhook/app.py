"""The HTTP surface towards Meta: the handshake, and the signed deliveries."""

import hmac
import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from functions.core.http import BodyTooLarge, Handler, body_of, guarded
from functions.core.ports import Ports
from functions.core.signature import SignatureWrong, verify_meta
from functions.webhook.accept import Acceptance

log = logging.getLogger(__name__)

MAX_BODY = 3 * 1024 * 1024
"""Bytes of the largest webhook that Meta sends (Meta, "Webhooks overview")."""

_OK = PlainTextResponse("OK")


def create(ports: Ports) -> Handler:
    """Return the function's handler."""
    acceptance = Acceptance(ports)
    settings = ports.settings

    async def deliver(request: Request) -> Response:
        try:
            body = await body_of(request, MAX_BODY)
        except BodyTooLarge:
            return PlainTextResponse("The body is over 3 MiB.", 413)
        try:
            verify_meta(body, request.headers.get("x-hub-signature-256"), settings.app_secrets)
        except SignatureWrong as error:
            log.warning("webhook refused", extra={"reason": str(error)})
            return PlainTextResponse("The signature is missing or wrong.", 401)
        await acceptance.accept(body)
        return _OK

    @guarded
    async def webhook(request: Request) -> Response:
        # The scope's path: `request.url` is put together anew for each request.
        if request.scope["path"].endswith("/health"):
            return _OK
        if request.method == "POST":
            return await deliver(request)
        if request.method in ("GET", "HEAD"):
            return _handshake(request, settings.verify_token)
        return PlainTextResponse("Only GET and POST are known here.", 405, headers={"Allow": "GET, POST"})

    return webhook


def _handshake(request: Request, verify_token: str) -> Response:
    """Answer the handshake that Meta makes when the callback URL is saved."""
    query = request.query_params
    given = query.get("hub.verify_token", "")
    # An unset token must not be matched by an empty one.
    known = bool(verify_token) and hmac.compare_digest(given.encode(), verify_token.encode())
    if query.get("hub.mode") != "subscribe" or not known:
        return PlainTextResponse("The verify token is wrong.", 403)
    return PlainTextResponse(query.get("hub.challenge", ""), headers={"X-Content-Type-Options": "nosniff"})
