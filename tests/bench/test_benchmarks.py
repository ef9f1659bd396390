"""The page of benchmarks says what was measured, and says it too where others do better."""

from dataclasses import replace

from bench.beside.acknowledged import CONCURRENCIES
from bench.beside.behaviour import Outcome
from bench.beside.document import OURS, THEIRS, Results, written
from bench.beside.visible import Measured, Visible
from bench.beside.world import Work
from bench.load import Load

SERVERS = (
    OURS,
    THEIRS,
    "Leadline's webhook function, nothing stored",
    "pywa",
    "floor: bare ASGI app, one SQLite commit",
    "floor: Odoo's GET /web/health",
)


def results(*, rates=None, ours=None, theirs=None, behaviours=None) -> Results:
    """Return a run in which everybody fares alike, but for what is given."""
    rates = dict.fromkeys(SERVERS, 100.0) | (rates or {})
    rounds = {OURS: [ours or measured()], THEIRS: [theirs or measured()]}
    return Results(
        answers={name: {each: Load(100, rate, 0.002, 0.02) for each in CONCURRENCIES} for name, rate in rates.items()},
        visible=Visible(rounds, rounds, rounds),
        eyes={OURS: [0.1, 0.3], THEIRS: [0.4, 0.6]},
        behaviours=behaviours or {},
        odoo="19.0",
        whatsapp="a field is missing",
        client=0.07,
        minutes=8,
    )


def measured(rate: float = 10, wait: float = 0.5, odoo: float = 0.02) -> Measured:
    return Measured(50, 100, rate, [wait, wait], Work(odoo, 0.01, 0, 27))


def row(text: str, name: str) -> list[str]:
    [found] = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_answers_stand_beside_the_ratio_to_odoos_own_page():
    text = written(results(rates={OURS: 500.0, "floor: Odoo's GET /web/health": 250.0}))
    assert row(text, OURS) == ["500/s, 2.00 ms, 20 ms"] * 3 + ["2"]


def test_what_is_seen_stands_beside_the_others_and_their_ratio():
    text = written(results(ours=measured(rate=400), theirs=measured(rate=20)))
    assert row(text, "known customers, as fast as they are acknowledged: seen a second") == ["400/s", "20/s", "20 ×"]


def test_what_a_browser_drew_is_told_or_why_it_was_not_measured():
    drawn = "webhook → drawn in Chromium where the chat is open, median"
    assert row(written(results()), drawn) == ["200 ms", "500 ms", "0.4 ×"]
    without = written(replace(results(), eyes="there is no Chromium here"))
    assert drawn not in without
    assert "In a browser it was not measured: there is no Chromium here." in without


def test_the_median_of_the_rounds_counts():
    run = results()
    flood = {OURS: [measured(rate=each) for each in (1, 300, 40)], THEIRS: [measured()]}
    text = written(replace(run, visible=replace(run.visible, flood=flood)))
    assert row(text, "known customers, as fast as they are acknowledged: seen a second")[0] == "40/s"


def test_where_another_does_better_is_said():
    text = written(results(rates={"pywa": 900.0}, ours=measured(odoo=0.03), theirs=measured(odoo=0.02)))
    lost = text.partition("## Where others do better")[2]
    assert "Leadline: acknowledged a second, 8 at once: 100/s against 900/s of pywa" in lost
    assert "one every 250 ms: CPU of Odoo's workers: 30 ms against 20 ms of OCA mail_gateway" in lost
    assert "webhook → seen" not in lost


def test_what_nobody_does_better_is_not_made_up():
    assert written(results()).partition("## Where others do better")[2].strip() == "Nowhere in this run."


def test_a_message_that_is_seen_twice_or_never_is_marked():
    played = {
        "a text": {OURS: Outcome([200], 1, 1), "pywa": Outcome([200, 200, 200], 3, 1), THEIRS: "has none"},
        "a wrong signature": {
            OURS: Outcome([401], 0, 0, refused=True),
            "pywa": Outcome([401], 0, 0, refused=True),
            THEIRS: Outcome([200], 0, 0, refused=True),
        },
        "a picture": {OURS: Outcome([200], 1, 1), "pywa": Outcome([200], 0, 1), THEIRS: Outcome([0, 200], 1, 1)},
    }
    text = written(results(behaviours=played))
    assert row(text, "a text") == ["1 of 1 seen (200)", "✗ 3 of 1 seen (3 × 200)", "*has none*"]
    assert row(text, "a wrong signature") == ["0 of 0 seen (401)", "0 of 0 seen (401)", "✗ 0 of 0 seen (200)"]
    assert row(text, "a picture") == ["1 of 1 seen (200)", "✗ 0 of 1 seen (200)", "1 of 1 seen (no answer, 200)"]


def test_the_reason_why_a_module_did_not_take_part_is_given():
    assert "can't be installed: *a field is missing*" in written(results())
