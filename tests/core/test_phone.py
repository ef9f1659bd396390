import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.phone import digits, e164, variants

MOBILES = st.one_of(
    st.from_regex(r"55[1-9][0-9]9?[6-9][0-9]{7}", fullmatch=True),
    st.from_regex(r"521?[0-9]{10}", fullmatch=True),
    st.from_regex(r"549?[0-9]{10}", fullmatch=True),
)
NUMBERS = MOBILES | st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("553188887777", "5531988887777"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
    ],
    ids=["Brazil", "Mexico", "Argentina"],
)
def test_both_living_forms_of_a_mobile_lead_to_each_other(one, other):
    assert variants(one) == (one, other)
    assert variants(other) == (other, one)


@pytest.mark.parametrize(
    "number",
    ["551133334444", "551123334444", "551153334444", "390212345678", "447700900123", "15550100001", "4915550100001"],
)
def test_landlines_and_other_countries_have_one_form(number):
    assert variants(number) == (number,)


@given(NUMBERS)
def test_whichever_form_one_begins_with_the_same_set_comes_out(number):
    forms = variants(number)
    assert all(set(variants(form)) == set(forms) for form in forms)
    assert forms[0] == number
    assert len(set(forms)) == len(forms) <= 2


@given(st.text())
def test_any_text_has_a_first_form_of_digits_only(text):
    assert variants(text)[0] == digits(text)
    assert e164(text) == "+" + digits(text)


def test_a_formatted_number_has_the_forms_of_its_digits():
    assert variants("+55 (31) 98888-7777") == ("5531988887777", "553188887777")
