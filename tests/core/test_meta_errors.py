import pytest

from functions.core.meta_errors import MEANINGS, Decision, error_view, meaning, pair_pause

CLASSES = {
    Decision.RETRY: [4, 80007, 130429, 131056, 131057, 133015, 134101],
    Decision.AMBIGUOUS: [1, 2, 131000, 131016, 133004, 2494100],
    Decision.TEMPLATE_NEEDED: [131047],
    Decision.RECIPIENT: [
        *(131026, 131050, 131049, 130472, 130403, 131021, 131030, 131062, 137000, 131063),
        *(131052, 131060),
        # Of one country, while the rest of the line goes on: not the account's, as Meta's list has it.
        130497,
    ],
    Decision.TEMPLATE: [132000, 132001, 132005, 132007, 132008, 132012, 132018, 132015, 132016, 132068, 132069, 134102],
    Decision.ACCOUNT: [
        *(0, 190, 3, 10, 200, 250, 299, 131005, 368, 131031, 131042, 131044, 131048, 131064, 131037, 131045),
        *(133000, 133005, 133008, 133009, 133006, 133010, 133016, 33),
    ],
    Decision.OURS: [100, 131008, 131009, 131051, 131053, 135000, 131059],
}
DECISIONS = [(code, decision) for decision, codes in CLASSES.items() for code in codes]


@pytest.mark.parametrize(("code", "decision"), DECISIONS)
def test_each_code_has_its_decision_and_a_sentence(code, decision):
    known = meaning(code)
    assert known.decision is decision
    assert known.plain[0].isupper()
    assert known.plain.endswith(".")


def test_no_code_has_a_meaning_that_was_not_looked_up():
    assert set(MEANINGS) <= {code for code, _ in DECISIONS}


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
