from odoo.tests import BaseCase

from ..tools.signature import HeaderMissing, SignatureWrong, TimestampAway, sign, verify

KEY = b"k" * 32
OTHER = b"o" * 32
NOW = 1_800_000_000
TARGET = "/leadline/events"
BODY = '{"text": "ñ"}'.encode()


class TestSignature(BaseCase):
    def headers(self, key=KEY, at=NOW):
        return sign(key, "call-1", at, "POST", TARGET, BODY)

    def verify(self, headers, *, method="POST", target=TARGET, body=BODY, now=NOW):
        return verify(KEY, headers, method, target, body, now)

    def test_a_signed_call_gives_its_id(self):
        self.assertEqual(self.verify(self.headers()), "call-1")

    def test_any_change_is_refused(self):
        for change in ({"body": BODY + b" "}, {"body": b""}, {"method": "PUT"}, {"target": TARGET + "?a=1"}):
            with self.subTest(change), self.assertRaises(SignatureWrong):
                self.verify(self.headers(), **change)
        for header in ("webhook-id", "webhook-timestamp"):
            with self.subTest(header), self.assertRaises(SignatureWrong):
                self.verify(self.headers() | {header: str(NOW + 1)})

    def test_a_missing_header_is_refused_as_such(self):
        for header in self.headers():
            with self.subTest(header), self.assertRaises(HeaderMissing):
                self.verify({name: value for name, value in self.headers().items() if name != header})

    def test_an_unreadable_timestamp_is_refused_as_such(self):
        for stamp in ("", "soon", "-5", "1.5", "٣", "9" * 5000):
            with self.subTest(stamp), self.assertRaises(HeaderMissing):
                self.verify(self.headers() | {"webhook-timestamp": stamp})

    def test_five_minutes_either_way_are_the_limit(self):
        for at in (NOW - 300, NOW + 300):
            self.assertEqual(self.verify(self.headers(at=at)), "call-1")
        for at in (NOW - 301, NOW + 301):
            with self.subTest(at), self.assertRaises(TimestampAway):
                self.verify(self.headers(at=at))

    def test_one_fitting_signature_of_several_is_enough(self):
        ours, theirs = (self.headers(key)["webhook-signature"] for key in (KEY, OTHER))
        for several in (f"{theirs} {ours}", f"{ours} {theirs}", f"v9,abc v1,!!! v1 {ours}"):
            with self.subTest(several):
                self.assertEqual(self.verify(self.headers() | {"webhook-signature": several}), "call-1")

    def test_signatures_that_do_not_fit_are_refused(self):
        ours = self.headers()["webhook-signature"]
        for wrong in (self.headers(OTHER)["webhook-signature"], ours.replace("v1,", "v2,"), "v1,", "v1,é", ours[:-4]):
            with self.subTest(wrong), self.assertRaises(SignatureWrong):
                self.verify(self.headers() | {"webhook-signature": wrong})
