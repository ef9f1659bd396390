import pytest

from functions.core.meta_errors import MEANINGS, Decision, error_view, meaning, pair_pause

READS = {
    Decision.RETRY: {
        "is busy; the message is tried again by itself": [4, 80007, 130429],
        "Too many messages to this customer at once; the rest follow by themselves": [131056],
        "being upgraded": [131057],
        "just removed": [133015],
        "still being prepared": [134101],
    },
    Decision.AMBIGUOUS: {"did not say whether it took": [1, 2, 131000, 131016, 133004, 2494100]},
    Decision.TEMPLATE_NEEDED: {"only a template can be sent": [131047]},
    Decision.RECIPIENT: {
        "not on WhatsApp, an old app": [131026],
        "opted out of marketing": [131050],
        "in 24 hours at the earliest": [131049],
        "experiment": [130472],
        "You have blocked": [130403],
        "the same number": [131021],
        "on its list in Meta's console": [131030],
        "number is hidden": [131062],
        "not allowed for this customer": [131063],
        "identity has changed": [137000],
        # Of one country, while the rest of the line goes on: not the account's, as Meta's list has it.
        "customers in that country": [130497],
        "could not be fetched, or is over 100 MB": [131052],
        "open it on the phone": [131060],
        "earlier chats": [2593107, 2593108, 2593109],
    },
    Decision.TEMPLATE: {
        "wrong number of values": [132000],
        "does not exist in this language, or is not approved": [132001],
        "too long": [132005],
        "breaks WhatsApp's policy": [132007],
        "does not fit the template": [132008],
        "the form the template wants": [132012, 132018],
        "paused because of its quality": [132015],
        "is disabled": [132016],
        "flow is blocked": [132068],
        "flow is throttled": [132069],
        "can't be used for marketing": [134102],
    },
    Decision.ACCOUNT: {
        "needs an admin": [0, 3, 10, 200, 250, 299, 131005],
        "access token has expired": [190],
        "restricted this business's account": [368, 131031],
        "payment method": [131042, 131044],
        "reported as spam": [131048],
        "wrong category": [131064],
        "display name must be approved": [131037],
        "must register it": [131045, 133000, 133006, 133010],
        "PIN is wrong": [133005],
        "Too many wrong two-step PINs": [133008],
        "entered too fast": [133009],
        "72 hours": [133016],
        "no longer exists": [33],
    },
    Decision.OURS: {
        "refused the form of this message": [100, 131008, 131009, 131059, 135000],
        "does not support this type": [131051],
        "does not take this file": [131053],
    },
}
"""What an agent reads of each code of Meta's list, and what is done about it."""

DECISIONS = [
    (code, decision, words)
    for decision, sentences in READS.items()
    for words, codes in sentences.items()
    for code in codes
]


@pytest.mark.parametrize(("code", "decision", "words"), DECISIONS)
def test_each_code_has_its_decision_and_its_sentence(code, decision, words):
    known = meaning(code)
    assert known.decision is decision
    assert words in known.plain
    assert known.plain[0].isupper()
    assert known.plain.endswith(".")
    assert error_view({"code": code})["decision"] == decision.value


def test_no_code_has_a_meaning_that_was_not_looked_up():
    assert set(MEANINGS) <= {code for code, _, _ in DECISIONS}


def test_what_is_retried_has_a_pause_and_what_is_failed_has_none():
    for code, known in MEANINGS.items():
        if known.decision is not Decision.ACCOUNT:
            assert (known.pause > 0) == (known.decision is Decision.RETRY), code


def test_the_pair_limit_is_waited_for_as_meta_asks():
    assert [pair_pause(tries) for tries in range(6)] == [1, 4, 16, 64, 256, 300]
    assert pair_pause(1000) == 300


def test_a_known_code_that_is_called_transient_keeps_its_decision():
    assert meaning(131047, transient=True).decision is Decision.TEMPLATE_NEEDED


def test_an_unknown_code_is_ambiguous_only_when_meta_calls_it_transient():
    assert meaning(999999).decision is Decision.OURS
    assert meaning(999999, transient=True).decision is Decision.AMBIGUOUS


@pytest.mark.parametrize(
    "error",
    [
        {"code": 131047, "title": "Re-engagement", "error_data": {"details": "Too late"}},
        {"code": 131047, "message": "Re-engagement", "details": "Too late"},
    ],
    ids=["newer", "older"],
)
def test_an_error_is_kept_in_substance_with_a_sentence_for_the_agent(error):
    assert error_view(error) == {
        "code": 131047,
        "title": "Re-engagement",
        "details": "Too late",
        "plain": meaning(131047).plain,
        "decision": "template needed",
    }


@pytest.mark.parametrize("error", [{}, {"code": "131047"}, {"code": None, "error_data": "odd"}, {"error_data": []}])
def test_an_error_of_another_shape_still_has_a_sentence(error):
    assert error_view(error)["plain"] == "WhatsApp refused the message."


def test_of_an_error_of_another_shape_only_what_can_be_shown_is_shown():
    odd = {"code": "x", "title": {"a": 1}, "message": "Said", "error_data": {"details": ["b"]}}
    shown = error_view(odd)
    assert (shown["code"], shown["title"], shown["details"]) == (None, "Said", None)
