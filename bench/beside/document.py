"""`docs/benchmarks.md`, written from what was measured: tables, and where others do better."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import groupby
from statistics import quantiles

from bench.beside import oca
from bench.beside.acknowledged import CONCURRENCIES, Answers
from bench.beside.behaviour import Behaviours, Outcome
from bench.beside.eyes import Eyes
from bench.beside.visible import CONNECTIONS, Measured, Rounds, Visible, median
from bench.beside.world import WORKERS
from bench.peers.home import PROJECT, PYWA

DOCS = PROJECT / "docs" / "benchmarks.md"
OURS, THEIRS = "Leadline", "OCA mail_gateway"
_PYWA, _IDLE = "pywa", "Leadline's webhook function, nothing stored"
_HEALTH, _COMMIT = "floor: Odoo's GET /web/health", "floor: bare ASGI app, one SQLite commit"


@dataclass(frozen=True)
class Results:
    """What one run measured."""

    answers: Answers
    visible: Visible
    eyes: Eyes
    behaviours: Behaviours
    odoo: str
    whatsapp: str
    client: float
    minutes: float


@dataclass(frozen=True, slots=True)
class Figure:
    """Two sides of one thing. `more`: the greater is the better. `why` is said where ours is the worse."""

    what: str
    ours: float
    theirs: float
    form: Callable[[float], str]
    other: str = THEIRS
    more: bool = False
    why: str = ""

    @property
    def lost(self) -> bool:
        """Whether the other does better."""
        return self.ours < self.theirs if self.more else self.ours > self.theirs


def written(results: Results) -> str:
    """Return the whole text."""
    figures, taken = seen(results.visible, results.eyes), work(results.visible)
    return _TEXT.format(
        date=date.today().isoformat(),
        minutes=f"{results.minutes:.0f}",
        machine=_machine(),
        python=platform.python_version(),
        odoo=results.odoo,
        workers=WORKERS,
        pywa=PYWA,
        fastapi=version("fastapi"),
        modules=", ".join(f"`{name}` {number}" for name, number in oca.MODULES.items()),
        whatsapp=_whatsapp(results.whatsapp),
        answers="".join(_answer_rows(results.answers)),
        visible="".join(_figure_rows(figures)),
        work="".join(_figure_rows(taken)),
        health=_of_health(results),
        browser=_BROWSER
        if isinstance(results.eyes, dict)
        else f"In a browser it was not measured: {results.eyes.rstrip('.')}.",
        client=_ms(results.client),
        behaviours="".join(_behaviour_rows(results.behaviours)),
        lost="".join(lost(results.answers, [*figures, *taken])) or "Nowhere in this run.\n",
        connections=CONNECTIONS,
    )


def _machine() -> str:
    # The benchmark alone keeps it near the number of its cores: what is above is others' work.
    load = os.getloadavg()[2]
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; load average {load:.0f} in the end"


def _whatsapp(reason: str) -> str:
    [(name, number)] = oca.WHATSAPP.items()
    if not reason:
        return f"`{name}` {number}, the release for Odoo 18, installs in Odoo 19 when its version is accepted."
    return (
        f"`{name}` has no release for Odoo 19. {number}, for Odoo 18, was tried as it is, with its version accepted, "
        f"and can't be installed: *{reason}*. So its behaviour is not in these tables."
    )


# Acknowledgement.


def _answer_rows(answers: Answers) -> Iterator[str]:
    yield _row("", *(f"{each} at once" for each in CONCURRENCIES), "× `GET /web/health` at 8")
    yield _row("---", *["--:"] * (len(CONCURRENCIES) + 1))
    health = answers[_HEALTH][8].rate
    for name, loads in answers.items():
        figures = (f"{one.rate:,.0f}/s, {_ms(one.p50)}, {_ms(one.p99)}" for one in loads.values())
        yield _row(name, *figures, f"{loads[8].rate / health:,.2g}")


# Seen in Odoo, and what it takes.


def seen(visible: Visible, eyes: Eyes) -> list[Figure]:
    """Return how many messages are seen in a second, and how soon each is."""
    flood, calm, strangers = visible.flood, visible.calm, visible.strangers
    return [
        _figure(
            "known customers, as fast as they are acknowledged: seen a second", flood, _rate, _per_second, more=True
        ),
        _figure("the same: the last is seen so long after the last answer", flood, _lag, _s, why=_LATER),
        _figure("one every 250 ms: webhook → seen, p50", calm, _at(50), _ms, why=_TURNS),
        _figure("one every 250 ms: webhook → seen, p95", calm, _at(95), _ms, why=_TURNS),
        _figure("60 strangers at once: seen a second", strangers, _rate, _per_second, more=True, why=_RECORDS),
        _figure("60 strangers at once: webhook → seen, p50", strangers, _at(50), _s, why=_RECORDS),
        _figure("60 strangers at once: webhook → seen, p95", strangers, _at(95), _s, why=_RECORDS),
        *_drawn(eyes),
    ]


def _of_health(results: Results) -> str:
    health = results.answers[_HEALTH][8].rate
    ours, theirs = (median(results.visible.flood[name], _rate) / health for name in (OURS, THEIRS))
    return (
        f"`GET /web/health` of such an Odoo is answered {_per_second(health)} at 8 at once; texts of known customers "
        f"are seen {ours:,.2g} × as often with Leadline, {theirs:,.2g} × with OCA's."
    )


def _drawn(eyes: Eyes) -> Iterator[Figure]:
    """Yield how soon a text is drawn where the chat is open."""
    if isinstance(eyes, str):
        return
    for name, percent in (("median", 50), ("p95", 95)):
        ours, theirs = (quantiles(eyes[side], n=100, method="inclusive")[percent - 1] for side in (OURS, THEIRS))
        yield Figure(f"webhook → drawn in Chromium where the chat is open, {name}", ours, theirs, _ms)


def work(visible: Visible) -> list[Figure]:
    """Return what a message takes."""
    kinds = {"one every 250 ms": visible.calm, "in a flood": visible.flood, "first message": visible.strangers}
    figures = []
    for kind, rounds in kinds.items():
        figures += [
            _figure(f"{kind}: CPU of Odoo's workers", rounds, lambda one: one.work.odoo, _ms),
            _figure(f"{kind}: CPU of PostgreSQL", rounds, lambda one: one.work.postgres, _ms, why=_STORE),
            _figure(f"{kind}: CPU of the service", rounds, lambda one: one.work.service, _ms, why=_SERVICE),
            _figure(f"{kind}: queries of Odoo's", rounds, lambda one: one.work.queries, "{:.0f}".format, why=_STORE),
        ]
    return figures


_LATER = "the answer does not wait for Odoo: what it takes at once is told to Odoo in batches behind it"
_TURNS = (
    "a message has its turn in the service and then in Odoo; on a machine without a free core each turn is waited for"
)
_RECORDS = (
    "a stranger becomes a contact and a lead with us, a guest and a channel with them; one delivery at a time keeps "
    "the order and one of Odoo's workers busy, where they use both"
)
_STORE = "besides the message's own row Leadline moves the inbox's row, measures the session and may alert people"
_SERVICE = "they have none: with them Odoo itself answers the webhook"


def _figure(
    what: str,
    rounds: Rounds,
    figure: Callable[[Measured], float],
    form: Callable[[float], str],
    *,
    more: bool = False,
    why: str = "",
) -> Figure:
    ours, theirs = (median(rounds[name], figure) for name in (OURS, THEIRS))
    return Figure(what, ours, theirs, form, more=more, why=why)


def _rate(one: Measured) -> float:
    return one.rate


def _lag(one: Measured) -> float:
    return max(one.waits[0], 0)


def _at(percent: int) -> Callable[[Measured], float]:
    return lambda one: quantiles(one.waits, n=100, method="inclusive")[percent - 1]


def _figure_rows(figures: Sequence[Figure]) -> Iterator[str]:
    yield _row("", OURS, THEIRS, "ratio")
    yield _row("---", "--:", "--:", "--:")
    for one in figures:
        ratio = f"{one.ours / one.theirs:,.2g} ×" if one.theirs else ""
        yield _row(one.what, one.form(one.ours), one.form(one.theirs), ratio)


# Where others do better.


def lost(answers: Answers, figures: Sequence[Figure]) -> Iterator[str]:
    """Yield a line for each figure in which another does better, with the reason."""
    pairs = ((OURS, _PYWA, _MEMORY), (OURS, _COMMIT, _RAW), (_IDLE, _PYWA, ""), (OURS, THEIRS, ""))
    for ours, theirs, why in pairs:
        for connections in CONCURRENCIES:
            one, other = answers[ours][connections], answers[theirs][connections]
            what = f"{ours}: acknowledged a second, {connections} at once"
            figures = [*figures, Figure(what, one.rate, other.rate, _per_second, theirs, more=True, why=why)]
    for figure in figures:
        if figure.lost:
            against = f"{figure.form(figure.ours)} against {figure.form(figure.theirs)} of {figure.other}"
            yield f"- {figure.what}: {against}{figure.why and ': '}{figure.why}.\n"


_MEMORY = "it answers from memory before its handler has begun, and what dies with the process is lost"
_RAW = "one row without a look-up, a counter, an event and a task"


# What each does with what comes.


def _behaviour_rows(behaviours: Behaviours) -> Iterator[str]:
    names = [OURS, _PYWA, THEIRS]
    yield _row("", *names)
    yield _row("---", *["---"] * len(names))
    for title, outcomes in behaviours.items():
        yield _row(title, *(_outcome(outcomes[name]) for name in names))


def _outcome(outcome: Outcome | str) -> str:
    if isinstance(outcome, str):
        return f"*{outcome}*"
    answers = ", ".join(_repeated(str(one or "no answer"), len([*same])) for one, same in groupby(outcome.answers))
    mark = "" if outcome.good else "✗ "
    return f"{mark}{outcome.seen} of {outcome.wanted} seen ({answers})"


def _repeated(answer: str, times: int) -> str:
    return answer if times == 1 else f"{times} × {answer}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1e3
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}/s" if rate >= 20 else f"{rate:.1f}/s"


_BROWSER = """\
The browser has the lead's chat open, or the channel in Discuss; for those two rows Odoo runs as one threaded process,
so that its pages reach the bus. As OCA's module comes, Discuss draws no message in this Odoo, of no channel: the two
buttons that it adds above a chat stop the page from being drawn. They are left out here."""

_TEXT = """\
# Benchmarks

The same work beside others, in one run on one machine, everybody in turns: OCA's `mail_gateway` in the same Odoo, the
library pywa, and floors that do next to nothing. This page is written by the command itself:

    python -m bench.beside --write

It takes ten minutes, fetches what it compares with at the first run, talks to loopback only, and needs nothing but what
`make run` needs. Figures are of one machine and one day; the ratios are what travels. `make bench` prints what is
measured of Leadline alone.

| | |
| --- | --- |
| measured | {date}, in {minutes} minutes |
| machine | {machine} |
| Odoo | {odoo}, {workers} workers, PostgreSQL with `fsync`; a database for each side, both with CRM |
| the service of Leadline | the four functions in one process, Python {python}, embedded store, each 200 durable |
| the modules of OCA | {modules}, as they are but for two buttons in Discuss |
| the library pywa | {pywa}, async, on FastAPI {fastapi}, one worker; its handler does nothing |

{whatsapp} The channel that is nearest and has a release is Telegram's; the base is the same, and so is Discuss. Its
updates carry a secret in a header where WhatsApp's carry a signature. It makes a client of Telegram's API for each
update, which as it comes would take {client} of CPU more. Here it was spared nearly all of that, so that what is
measured is the gateway.

## Acknowledgement

Answers a second, p50, p99, by how many POSTs are under way at once. Leadline has stored what it answers, and tells Odoo
at the same time; OCA's gateway has it in Odoo; pywa's handler has not begun.

{answers}
## Seen in Odoo

Seen is, of Leadline: the transaction is committed that moves the conversation in Odoo's inbox, counts it as unread and
tells the open tabs (its text is in the chat API since before the 200). Of OCA's gateway: the transaction is committed
that puts the message into its Discuss channel. PostgreSQL itself says when each was.

{visible}
A stranger becomes a contact and a lead with Leadline, and a guest with a channel with OCA's gateway.

{browser}

{health}

## What a message takes

{work}
## What each does with what comes

Who posts behaves as Meta: what got no 2xx comes again, what got one never does. Counted is what came to be seen: in
Odoo and by the chat API (Leadline), by a handler that did its work (pywa), in the Discuss channel (OCA). ✗ is what a
business would not want: a message that nobody sees, one that is there twice, a 200 for what was refused.

{behaviours}
"What takes it in is down" is Odoo for Leadline and OCA, and the database behind the handler for pywa. Before the crash
pywa's handler works for 300 ms, as long as a call to another server takes.

## Where others do better

{lost}"""
