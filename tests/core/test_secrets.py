import base64

import pytest
from cryptography.fernet import Fernet

from functions.core.secrets import Seal, SealBroken, derive

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = base64.urlsafe_b64encode(bytes(range(32))).decode()


def test_what_is_sealed_is_not_readable_and_opens_again():
    sealed = Seal([NEW]).close("access-token")
    assert "access-token" not in sealed
    assert Seal([NEW]).open(sealed) == "access-token"


def test_while_keys_rotate_the_new_one_seals_and_both_open():
    before, after = Seal([OLD]), Seal([NEW, OLD])
    assert after.open(before.close("token")) == "token"
    assert Seal([NEW]).open(after.close("token")) == "token"


def test_after_the_rotation_the_old_key_opens_nothing_new():
    with pytest.raises(SealBroken):
        Seal([OLD]).open(Seal([NEW, OLD]).close("token"))


@pytest.mark.parametrize("sealed", ["", "nonsense", "é"])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(SealBroken):
        Seal([NEW]).open(sealed)


def test_each_purpose_has_its_own_key_of_32_bytes():
    keys = {derive(SECRET, purpose) for purpose in ("calls", "events", "grants")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}


def test_a_secret_may_come_without_its_padding():
    assert derive(SECRET.rstrip("="), "calls") == derive(SECRET, "calls")


def test_the_keys_are_those_that_any_hkdf_derives():
    # Computed with HMAC alone (RFC 5869), as the add-on does.
    import hmac

    extracted = hmac.digest(bytes(32), bytes(range(32)), "sha256")
    assert derive(SECRET, "events") == hmac.digest(extracted, b"leadline/events\x01", "sha256")
