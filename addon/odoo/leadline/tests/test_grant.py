import base64
import hashlib
import hmac
import json

from odoo.tests import BaseCase

from ..tools.grant import mint

KEY = b"g" * 32
NOW = 1_800_000_000.75


def read_grant(token, key):
    """Check a grant the way any JWT library does (RFC 7515) and return its header and claims."""
    signed, _, signature = token.rpartition(".")
    expected = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(_decoded(signature), expected), "the grant's signature is wrong"
    return tuple(json.loads(_decoded(part)) for part in signed.split("."))


def _decoded(part):
    assert "=" not in part, "JWT segments carry no padding"
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class TestGrant(BaseCase):
    def test_a_grant_names_agent_conversation_and_rights_for_five_minutes(self):
        token, expires = mint(
            KEY, connection="conn-1", conversation="conv-1", agent=7, name="Zoë 🦊", can=["read", "note"], now=NOW
        )
        header, claims = read_grant(token, KEY)
        self.assertEqual(header, {"alg": "HS256", "typ": "JWT", "kid": "conn-1"})
        self.assertEqual(
            claims,
            {
                "aud": "leadline",
                "sub": "7",
                "name": "Zoë 🦊",
                "conversation": "conv-1",
                "can": ["read", "note"],
                "iat": 1_800_000_000,
                "exp": 1_800_000_300,
            },
        )
        self.assertEqual(expires, 1_800_000_300)
