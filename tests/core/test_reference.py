"""The reference survives what customers do to a prefilled text, and ordinary messages hold none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from functions.core.reference import new_reference, references_in, spelled, without

REFERENCE = "K7M4PW"
SPELLED = "K7M-4PW"
WITH_DIGITS = "A10B0" + mod_37_36.calc_check_digit("A10B0")

RECOGNISED = {
    "as it was prefilled": f"Hello, I saw your poster. ({SPELLED})",
    "alone": SPELLED,
    "alone in brackets": f"({SPELLED})",
    "without brackets": f"Hello {SPELLED}",
    "one bracket left": f"Hello {SPELLED})",
    "other brackets": f"Hello [{SPELLED}]",
    "curly brackets": f"Hello {{{SPELLED}}}",
    "in lower case": f"hello ({SPELLED.lower()})",
    "in mixed case": "Hello (k7M-4pW)",
    "without the dash": f"Hello ({REFERENCE})",
    "a space for the dash": "Hello (K7M 4PW)",
    "a dot for the dash": "Hello (K7M.4PW)",
    "an underscore for the dash": "Hello (K7M_4PW)",
    "a slash for the dash": "Hello (K7M/4PW)",
    "an en dash": "Hello (K7M–4PW)",
    "an em dash": "Hello (K7M—4PW)",
    "a minus sign": "Hello (K7M−4PW)",
    "a hyphen that does not break": "Hello (K7M‑4PW)",
    "a line break for the dash": "Hello (K7M\n4PW)",
    "a space after the dash": "Hello (K7M- 4PW)",
    "spaces around the dash": "Hello (K7M - 4PW)",
    "spelled out with spaces": "my code is K 7 M 4 P W",
    "spelled out with dashes": "my code is K-7-M-4-P-W",
    "spelled out with dots": "K.7.M.4.P.W.",
    "in bold": f"Hello *{SPELLED}*",
    "in italics": f"Hello _{SPELLED}_",
    "struck through": f"Hello ~{SPELLED}~",
    "as code": f"Hello ```{SPELLED}```",
    "in quotes": f"Hello “{SPELLED}”",
    "a full stop behind": f"Hello {SPELLED}.",
    "a comma behind": f"{SPELLED}, hello",
    "a question mark behind": f"Is it {SPELLED}?",
    "an emoji behind": f"Hello {SPELLED}👍",
    "an emoji before": f"👋{SPELLED}",
    "text behind": f"Hello ({SPELLED}) is the bicycle still there?",
    "text glued behind": f"{SPELLED}hello",
    "text glued before": f"hello{SPELLED}",
    "text glued behind the bracket": f"Hello ({SPELLED})is it there?",
    "moved to the front": f"({SPELLED}) Hello",
    "in the middle": f"Hello ({SPELLED}), my name is Ana",
    "on a line of its own": f"Hello\n\n{SPELLED}\n\nThanks",
    "with a label": f"Ref: {SPELLED}",
    "with a glued label": f"ref:{SPELLED}",
    "with a number sign": f"Code #{SPELLED}",
    "full-width": "こんにちは（Ｋ７Ｍ－４ＰＷ）",
    "in Arabic text": f"مرحبا، رأيت إعلانكم ({SPELLED})",
    "in Hebrew text with direction marks": f"שלום \u200f(\u200e{SPELLED}\u200e)\u200f",
    "with direction isolates": f"\u2066{SPELLED}\u2069",
    "with a zero-width space": "Hello (K7M\u200b-4PW)",
    "with a soft hyphen": "Hello (K7M\u00ad4PW)",
    "with a no-break space": "Hello\u00a0(K7M\u00a04PW)",
    "written in Chinese text": f"你好{SPELLED}谢谢",
    "after other numbers": f"2 bikes, size 54, {SPELLED}",
    "before a phone number": f"{SPELLED} call me at 555 010 0001",
    "after a single letter": f"plan B {SPELLED}",
    "twice": f"{SPELLED} {SPELLED}",
    "forwarded with a quote mark": f"> Hello ({SPELLED})",
    "after a long text": f"{'I would like to know more. ' * 100}({SPELLED})",
    "with tabs": f"Hello\t{SPELLED}\t",
    "after a web address": f"https://example.com/spring?id=12 ({SPELLED})",
}

LOST = {
    "taken away": "Hello, I saw your poster.",
    "one character wrong": "Hello (K7M-4PX)",
    "two characters swapped": "Hello (7KM-4PW)",
    "half of it gone": "Hello (K7M)",
    "one character too many": "Hello (K7M44PW)",
    "the first character gone": "Hello (7M-4PW)",
}


@pytest.mark.parametrize("text", RECOGNISED.values(), ids=RECOGNISED)
def test_a_reference_is_recognised_however_customers_treat_it(text: str) -> None:
    assert REFERENCE in references_in(text)


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_a_reference_that_is_damaged_is_no_other(text: str) -> None:
    assert references_in(text) == []


@pytest.mark.parametrize("text", ["Al0-B0", "ai0-bo", "AIO B0", "A1O-BO"])
def test_letters_that_look_like_digits_are_read_as_digits(text: str) -> None:
    assert references_in(f"Hello ({text}{WITH_DIGITS[-1]})") == [WITH_DIGITS]


def test_the_last_reference_of_a_text_comes_first() -> None:
    other = new_reference()

    assert references_in(f"You sent me {spelled(other)}, I have {SPELLED}") == [REFERENCE, other]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Hello, I saw your poster. ({SPELLED})", "Hello, I saw your poster."),
        (f"Hello ({SPELLED}) is it there?", "Hello is it there?"),
        (f"Hello *{SPELLED.lower()}* 👍", "Hello 👍"),
        (f"({SPELLED})", ""),
        ("Hello K7M–4PW", "Hello"),
        ("Nothing here", "Nothing here"),
    ],
)
def test_the_agent_reads_the_text_without_its_reference(text: str, left: str) -> None:
    assert without(text, REFERENCE) == left


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_around_it_in_brackets_leaves_a_reference_whole(before: str, behind: str) -> None:
    assert REFERENCE in references_in(f"{before} ({SPELLED}) {behind}")


@given(st.integers(min_value=0, max_value=5), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_mistyped_character_is_always_noticed(place: int, typed: str) -> None:
    mistyped = REFERENCE[:place] + typed + REFERENCE[place + 1 :]

    assert references_in(mistyped) == ([REFERENCE] if mistyped == REFERENCE else [])


def test_new_references_are_easy_to_read_and_never_a_word() -> None:
    for reference in (new_reference() for _ in range(500)):
        assert not set(reference) & set("OIL")
        assert any(one.isdigit() for one in reference)
        assert any(one.isalpha() for one in reference)
        assert references_in(f"Hi ({spelled(reference)})") == [reference]


def test_ten_thousand_ordinary_messages_name_no_link() -> None:
    chance = random.Random(8)
    links = {new_reference() for _ in range(1000)}

    named = [text for text in (ordinary(chance) for _ in range(10_000)) if links & set(references_in(text))]

    assert named == []


_WORDS = (
    *("hello", "hi", "thanks", "please", "price", "of", "the", "blue", "bicycle", "is", "still", "there", "today"),
    *("hola", "gracias", "precio", "cuánto", "cuesta", "el", "envío", "olá", "obrigado", "quanto", "amanhã", "entrega"),
    *("size", "send", "me", "your", "address", "at", "room", "flat", "door", "street", "order", "number", "invoice"),
)


def ordinary(chance: random.Random) -> str:
    """Return a message as customers write it, with the numbers and codes that they name."""
    named = (
        lambda: f"{chance.randrange(1, 32)}/{chance.randrange(1, 13)}/2026",
        lambda: f"{chance.randrange(24):02}:{chance.randrange(60):02}",
        lambda: f"+{chance.randrange(1, 99)} {chance.randrange(100, 999)} {chance.randrange(1000000, 9999999)}",
        lambda: f"€{chance.randrange(1, 5000)}.{chance.randrange(100):02}",
        lambda: f"SO{chance.randrange(10000, 99999)}",
        lambda: f"INV/2026/{chance.randrange(1, 9999):05}",
        lambda: "".join(chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(6)),
        lambda: (
            f"{chance.choice('ABCEGHJKLMNPRSTVXY')}{chance.randrange(10)}{chance.choice('ABCEGHJKLM')} "
            f"{chance.randrange(10)}{chance.choice('ABCEGHJKLM')}{chance.randrange(10)}"
        ),
        lambda: f"https://example.com/p/{chance.randrange(10**8):x}",
        lambda: f"{chance.randrange(1, 300)}{chance.choice('ABC')}",
    )
    words = [chance.choice(_WORDS) for _ in range(chance.randrange(2, 12))]
    words.insert(chance.randrange(len(words)), chance.choice(named)())
    return " ".join(words)
