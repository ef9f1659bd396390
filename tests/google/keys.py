"""Keys made on this machine in the place of Google's: the issuer of identity tokens, and a service account."""

import base64
import datetime
import functools
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.oauth2 import service_account

_ISSUER = "https://accounts.google.com"
_TOKEN_LIFETIME_S = 3600
X509_PATH = "/oauth2/v1/certs"
JWKS_PATH = "/oauth2/v3/certs"


class SigningKey:
    """An RSA key with a self-signed certificate; `id` names it in token headers and key sets."""

    def __init__(self, name: str) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _self_signed(self.private, name)
        self.id = self._certificate.fingerprint(hashes.SHA1()).hex()

    @property
    def private_pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def certificates(self) -> dict[str, str]:
        """{key id: X.509 certificate as PEM}, the form that google-auth fetches by default."""
        return {self.id: self._certificate.public_bytes(serialization.Encoding.PEM).decode()}

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public key as a JWK set (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id}
        return {"keys": [key | {"n": _base64url(numbers.n), "e": _base64url(numbers.e)}]}


def _self_signed(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class TokenIssuer(SigningKey):
    """Stands for accounts.google.com: issues the identity tokens (OIDC) that Cloud Tasks sends."""

    def __init__(self) -> None:
        super().__init__("federated-signon.system.gserviceaccount.com")

    def identity_token(self, email: str, audience: str) -> str:
        """A signed JWT for the service account, valid for one hour of real time."""
        now = int(time.time())
        subject = str(int.from_bytes(email.encode(), "big") % 10**21)
        claims = {
            "aud": audience,
            "azp": subject,
            "email": email,
            "email_verified": True,
            "exp": now + _TOKEN_LIFETIME_S,
            "iat": now,
            "iss": _ISSUER,
            "sub": subject,
        }
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.id})

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve the public key on loopback; the base URL, to which X509_PATH or JWKS_PATH is added."""
        documents = {X509_PATH: self.certificates(), JWKS_PATH: self.key_set()}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _json_documents(documents))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _json_documents(documents: dict[str, object]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = documents.get(self.path)
            body = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """The tests read the outcome, not a log."""

    return Handler


@functools.cache
def google() -> TokenIssuer:
    """The one issuer of this process; making a key takes a tenth of a second."""
    return TokenIssuer()


class ServiceAccount(SigningKey):
    """A service account with a key of its own, which the stand-ins trust.

    `token_uri` is where its credentials fetch access tokens; the Cloud Storage stand-in has such a place.
    """

    def __init__(self, email: str, *, token_uri: str) -> None:
        super().__init__(email)
        self.email = email
        self.token_uri = token_uri

    def key(self) -> dict[str, str]:
        """The key in the form of a downloaded JSON key file."""
        return {
            "type": "service_account",
            "project_id": self.email.partition("@")[2].partition(".")[0],
            "private_key_id": self.id,
            "private_key": self.private_pem,
            "client_email": self.email,
            "client_id": "1",
            "token_uri": self.token_uri,
        }

    def write_key(self, path: Path) -> Path:
        """Write the key file, for GOOGLE_APPLICATION_CREDENTIALS of another process."""
        path.write_text(json.dumps(self.key()))
        return path

    def credentials(self) -> service_account.Credentials:
        """Credentials that sign with this key."""
        credentials: service_account.Credentials = service_account.Credentials.from_service_account_info(self.key())
        return credentials

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature (RSA PKCS #1 v1.5, SHA-256) over the text was made with this key."""
        try:
            self.private.public_key().verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True
