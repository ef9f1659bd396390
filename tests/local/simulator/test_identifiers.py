"""Ids look like Meta's, and numbers read like people write them."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.local.simulator.identifiers import bsuid, dialled, international, wamid

NUMBERS = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)


@given(number=NUMBERS, inbound=st.booleans())
def test_a_wamid_is_base64_that_holds_the_customers_digits(number: str, inbound: bool) -> None:
    made = wamid(number, inbound=inbound)
    assert made.startswith("wamid.HBg")
    decoded = base64.b64decode(made.removeprefix("wamid."), validate=True)
    assert decoded[3 : 3 + decoded[2]].decode() == number


def test_wamids_of_both_directions_have_the_frames_of_real_ones() -> None:
    # Frames of the wamids in Meta's own examples: HBgLMTY1MDM4Nzk0MzkVAgASGBQ… came in, …VAgARGB… went out.
    assert wamid("16503879439", inbound=True).startswith("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz")
    assert wamid("16503879439", inbound=False).startswith("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGB")


@given(number=NUMBERS)
def test_a_bsuid_has_metas_form_and_stays_the_same(number: str) -> None:
    assert re.fullmatch(r"([A-Z]{2}|001)\.[A-Za-z0-9]{1,128}", bsuid(number))
    assert bsuid(number) == bsuid(number)


def test_a_bsuid_names_the_country() -> None:
    assert bsuid("5511912345678").startswith("BR.")
    assert bsuid("15550100123").startswith("US.")


@pytest.mark.parametrize(
    ("wa_id", "written"),
    [
        ("5511912345678", "+55 11 91234-5678"),
        ("15550100123", "+1 555-010-0123"),
        ("5215512345678", "+52 55 1234 5678"),
    ],
)
def test_numbers_are_written_for_people(wa_id: str, written: str) -> None:
    assert international(wa_id) == written


@pytest.mark.parametrize("number", ["+1 (555) 010-0123", "15550100123", "1.555.010.0123"])
def test_a_dialled_number_may_be_written_as_people_do(number: str) -> None:
    assert dialled(number) == "15550100123"


@pytest.mark.parametrize("number", ["", "ana", "+1555 x12", "123", "US.13491208655302741918", "1+5550100123"])
def test_what_is_no_number_is_not_dialled(number: str) -> None:
    assert dialled(number) is None
