"""Delivers webhooks as Meta does: signed, again on anything but 200, later and later, for 7 days.

Source: Meta, "Create a webhook endpoint" and "Webhooks overview".
"""

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from typing import Any

import httpx

from functions.core.signature import sign_meta
from functions.local.simulator.database import Database
from functions.local.simulator.payloads import entry, envelope, merged
from functions.local.simulator.scenarios import Scenarios

log = logging.getLogger(__name__)

FIELDS = (
    "messages",
    "message_template_status_update",
    "message_template_quality_update",
    "message_template_components_update",
    "template_category_update",
    "phone_number_quality_update",
    "phone_number_name_update",
    "account_update",
    "account_review_update",
    "account_alerts",
    "business_capability_update",
    "user_preferences",
    "security",
    "smb_message_echoes",
    "smb_app_state_sync",
    "history",
    "calls",
)
"""What the app is subscribed to, until it says otherwise."""

_FOLLOWING = frozenset({"messages", "calls", "smb_message_echoes", "smb_app_state_sync", "history"})
"""The fields that follow an override; all others go to the app's own callback."""

_GIVEN_UP_AFTER = 7 * 24 * 3600
_LONGEST_PAUSE = 3600
_TIMEOUT = 10
_AT_ONCE = 16
_GLANCE = 1.0  # seconds between looks at the clock while something waits: a test may move it


class Webhooks:
    """The deliveries under way to one callback URL; what is not delivered yet outlives a restart."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        scenarios: Scenarios,
        client: httpx.AsyncClient,
        *,
        url: str,
        app_secret: str,
        first_retry: float,
        on_delivered: Callable[[dict[str, Any]], None],
    ) -> None:
        self._database, self._clock, self._scenarios, self._client = database, clock, scenarios, client
        self.url, self.fields = url, frozenset(FIELDS)
        self._secret, self._first_retry = app_secret, first_retry
        self._on_delivered = on_delivered
        self._wake = asyncio.Event()
        self._quiet = asyncio.Condition()
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def add(
        self, waba: str, field: str, value: dict[str, Any], *, line: str, customer: str | None, delay: float = 0
    ) -> None:
        """Queue an update of one account, due `delay` seconds from now."""
        if not self.subscribed(waba) or field not in self.fields:
            return
        repeated = self._scenarios.take(("webhooks_repeated",), line, customer)
        batched = self._scenarios.take(("webhooks_batched",), line, customer)
        payload = envelope([entry(waba, field, value)])
        copies = int(repeated.figure("size")) if repeated else 1
        if batched:
            self._hold(payload, copies, f"{batched.id}", batched.figure("seconds"), int(batched.figure("size")))
        else:
            self._queue(payload, copies, delay)

    def add_raw(self, body: dict[str, Any]) -> None:
        """Queue any body as it is."""
        self._queue(json.dumps(body, separators=(",", ":")).replace("/", "\\/"), 1, 0)

    def subscribed(self, waba: str) -> bool:
        """Say whether the app gets the account's webhooks, which it does until it unsubscribes."""
        return self._database.one("SELECT 1 FROM unsubscribed WHERE waba = ?", waba) is None

    def subscribe(self, waba: str, *, on: bool) -> None:
        """Subscribe the app to an account, or end that."""
        self._database.run("DELETE FROM unsubscribed WHERE waba = ?", waba)
        if not on:
            self._database.run("INSERT INTO unsubscribed (waba) VALUES (?)", waba)

    def configure(self, url: str, fields: Collection[str]) -> None:
        """Let the app's webhooks go to another callback, with these fields alone."""
        self.url, self.fields = url, frozenset(fields)

    async def redeliver(self, times: int, containing: str = "") -> list[int]:
        """Post the newest delivered webhook that contains a text `times` times at once; return the answers."""
        needle = json.dumps(containing)[1:-1].replace("/", "\\/")
        row = self._database.one(
            "SELECT payload FROM webhooks WHERE state = 'delivered' AND instr(payload, ?) ORDER BY id DESC LIMIT 1",
            needle,
        )
        if row is None:
            return []
        return await asyncio.gather(*(self._post(row["payload"]) for _ in range(times)))

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest webhooks, the newest first, with what became of them."""
        rows = self._database.all("SELECT * FROM webhooks ORDER BY id DESC LIMIT ?", limit)
        return [{**row, "payload": json.loads(row["payload"])} for row in rows]

    def wake(self) -> None:
        """Look at once for what is due."""
        self._wake.set()

    async def verify(self, verify_token: str) -> bool:
        """Make Meta's GET handshake; say whether the endpoint answered the challenge."""
        return await self.handshake(self.url, verify_token) == httpx.codes.OK

    async def handshake(self, url: str, verify_token: str) -> int:
        """Make Meta's GET handshake with an endpoint; return its status, 0 if none came or the challenge did not."""
        challenge = "1158201444"
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            answer = await self._client.get(url, params=query, timeout=_TIMEOUT)
        except httpx.HTTPError:
            return 0
        return answer.status_code if answer.status_code != httpx.codes.OK or answer.text == challenge else 0

    async def settled(self) -> None:
        """Wait until nothing is due and nothing is under way. What waits for a later time does not count."""
        async with self._quiet:
            await self._quiet.wait_for(lambda: not self._under_way and not self._due(1))

    async def run(self) -> None:
        """Deliver until cancelled."""
        old = self._clock() - _GIVEN_UP_AFTER
        self._database.run("DELETE FROM webhooks WHERE state IN ('delivered', 'dropped') AND created < ?", old)
        try:
            while True:
                self._wake.clear()
                self._release_held()
                for row in self._due(_AT_ONCE):
                    self._start(row)
                await self._report_quiet()
                await self._pause()
        finally:
            deliveries = list(self._under_way.values())
            for task in deliveries:
                task.cancel()
            await asyncio.gather(*deliveries, return_exceptions=True)

    def _queue(self, payload: str, copies: int, delay: float) -> None:
        now = self._clock()
        self._database.run(
            "INSERT INTO webhooks (payload, state, due, created, copies) VALUES (?, 'waiting', ?, ?, ?)",
            *(payload, now + delay, now, copies),
        )
        self.wake()

    def _hold(self, payload: str, copies: int, batch: str, seconds: float, size: int) -> None:
        now = self._clock()
        self._database.run(
            "INSERT INTO webhooks (payload, state, due, created, copies, batch) VALUES (?, 'held', ?, ?, ?, ?)",
            *(payload, now + seconds, now, copies, batch),
        )
        if self._database.number("SELECT count(*) FROM webhooks WHERE state = 'held' AND batch = ?", batch) >= size:
            self._release(batch)
        self.wake()

    def _release_held(self) -> None:
        """Send the batches whose oldest update has waited long enough."""
        overdue = "SELECT DISTINCT batch FROM webhooks WHERE state = 'held' AND due <= ?"
        for row in self._database.all(overdue, self._clock()):
            self._release(row["batch"])

    def _release(self, batch: str) -> None:
        rows = self._database.all("SELECT * FROM webhooks WHERE state = 'held' AND batch = ? ORDER BY id", batch)
        entries = [one for row in rows for one in json.loads(row["payload"])["entry"]]
        with self._database.transaction():
            self._database.run("DELETE FROM webhooks WHERE state = 'held' AND batch = ?", batch)
            self._queue(envelope(merged(entries)), max(row["copies"] for row in rows), 0)

    def _due(self, limit: int) -> list[Any]:
        room = limit - len(self._under_way)
        if room <= 0:
            return []
        rows = self._database.all(
            "SELECT * FROM webhooks WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT ?",
            *(self._clock(), limit),
        )
        return [row for row in rows if row["id"] not in self._under_way][:room]

    def _start(self, row: Any) -> None:
        task = asyncio.create_task(self._deliver(row))
        self._under_way[row["id"]] = task

        def ended(task: asyncio.Task[None]) -> None:
            del self._under_way[row["id"]]
            if not task.cancelled() and (error := task.exception()):
                log.error("a delivery broke off", extra={"type": type(error).__name__})
            self.wake()

        task.add_done_callback(ended)

    async def _deliver(self, row: Any) -> None:
        answers = await asyncio.gather(*(self._post(row["payload"]) for _ in range(row["copies"])))
        delivered = all(answer == httpx.codes.OK for answer in answers)
        attempts, now = row["attempts"] + 1, self._clock()
        pause = min(self._first_retry * 2 ** min(attempts - 1, 20), _LONGEST_PAUSE)
        dropped = now - row["created"] > _GIVEN_UP_AFTER
        state = "delivered" if delivered else "dropped" if dropped else "waiting"
        self._database.run(
            "UPDATE webhooks SET state = ?, due = ?, attempts = ?, answer = ? WHERE id = ?",
            *(state, now + pause, attempts, ",".join(map(str, answers)), row["id"]),
        )
        if delivered:
            self._on_delivered(json.loads(row["payload"]))
        else:
            log.warning("webhook not accepted", extra={"answers": answers, "attempt": attempts, "state": state})

    async def _post(self, payload: str) -> int:
        """Post a body; return the HTTP status, 0 when there was no answer."""
        body = payload.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": sign_meta(body, self._secret),
        }
        try:
            answer = await self._client.post(self._callback(payload), content=body, headers=headers, timeout=_TIMEOUT)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    def _callback(self, payload: str) -> str:
        """Return where a body goes: a number's own callback, its account's, or the app's. Facts go to the app's."""
        if not self._database.one("SELECT 1 FROM overrides"):
            return self.url
        first = json.loads(payload)["entry"][0]
        change = first["changes"][0]
        if change["field"] not in _FOLLOWING:
            return self.url
        number = change["value"].get("metadata", {}).get("phone_number_id")
        most_special = "SELECT uri FROM overrides WHERE of IN (?1, ?2) ORDER BY of = ?1 DESC"
        row = self._database.one(most_special, number, first["id"])
        return str(row["uri"]) if row else self.url

    async def _pause(self) -> None:
        """Sleep until woken or until the next webhook is due. What is due already is under way, or waits for room."""
        now = self._clock()
        due = self._database.number("SELECT min(due) FROM webhooks WHERE state IN ('waiting', 'held') AND due > ?", now)
        try:
            await asyncio.wait_for(self._wake.wait(), min(due - now, _GLANCE) if due else None)
        except TimeoutError:
            return

    async def _report_quiet(self) -> None:
        async with self._quiet:
            self._quiet.notify_all()
