"""A CRM behind real TLS, with a certificate for a name."""

import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.google.process import free_port

Crm = Callable[[httpx.Request], Awaitable[httpx.Response]]


@asynccontextmanager
async def serving(crm: Crm, name: str) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """Serve a CRM on loopback under a certificate for `name`; yields its port and what trusts that certificate."""

    async def answer(request: Request) -> Response:
        asked = httpx.Request(
            request.method, str(request.url), headers=request.headers.raw, content=await request.body()
        )
        answered = await crm(asked)
        return Response(answered.content, answered.status_code, dict(answered.headers))

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder, "certificate.pem")
        certificate.write_bytes(_certificate(name))
        port = free_port()
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, ssl_certfile=certificate, ssl_keyfile=certificate, log_config=None
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        yield port, ssl.create_default_context(cafile=certificate)
        await server.shutdown()


def _certificate(name: str) -> bytes:
    """Return a fresh key and a certificate for it, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(pem)
