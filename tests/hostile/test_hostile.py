"""Whatever comes from outside, nothing breaks and nobody is let in: a short run of `python -m tests.hostile`."""

import pytest

from tests.hostile.attacks import SURFACES, attack
from tests.payloads import ANA

EXAMPLES = 60


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_nothing_breaks_and_nobody_is_let_in(surface):
    tally = attack(surface, EXAMPLES)
    assert not tally.wrong, "\n".join(tally.wrong[:3])
    assert tally.statuses.total() >= EXAMPLES


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("PUT", "/v1/conversations/{conversation}", {"owner": {"id": 10**30, "name": "Marc"}}, (422, "unstorable")),
        ("GET", "/v1/contacts/{contact}?after=" + "9" * 5000, None, (404, "not_found")),
        ("GET", "/v1/conversations/{conversation}/messages?before=1~a/b", None, (422, "invalid")),
        ("GET", "/v1/conversations/{conversation}/messages?after=1~__x__", None, (422, "invalid")),
        ("GET", "/v1/conversations?line=a/b", None, (404, "not_found")),
        ("POST", "/v1/conversations/{conversation}/read", {"message": "9" * 64}, (404, "not_found")),
    ],
)
async def test_what_was_answered_500_once_is_refused(rig, method, path, body, refused):
    tab = await rig.chatting(ANA)
    contact = (await tab.head())["contact"]["id"]
    answer = await rig.call(method, path.format(conversation=tab.conversation, contact=contact), body)
    assert (answer.status_code, answer.json()["code"]) == refused
