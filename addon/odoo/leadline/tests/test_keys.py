import hmac

from odoo.tests import BaseCase

from ..tools.keys import SecretMalformed, decode_secret, derive
from .common import SECRET


class TestKeys(BaseCase):
    def test_each_purpose_has_its_own_key(self):
        keys = {derive(SECRET, purpose) for purpose in ("calls", "events", "grants")}
        self.assertEqual(len(keys), 3)
        self.assertEqual({len(key) for key in keys}, {32})

    def test_the_keys_are_those_of_the_service(self):
        # RFC 5869 by hand, for a key as long as the hash: extract with an empty salt, expand once.
        extracted = hmac.digest(b"", decode_secret(SECRET), "sha256")
        expanded = hmac.digest(extracted, b"leadline/events\x01", "sha256")
        self.assertEqual(derive(SECRET, "events"), expanded)

    def test_padding_of_the_secret_does_not_matter(self):
        self.assertEqual(decode_secret(SECRET + "="), decode_secret(SECRET))

    def test_a_secret_that_is_none_is_named(self):
        for wrong in ("", "short", SECRET[:-4], SECRET + "AAAA", "ä" * 43, "not base64url!" * 4):
            with self.subTest(wrong), self.assertRaises(SecretMalformed):
                decode_secret(wrong)
