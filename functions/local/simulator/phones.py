"""What customers' phones do: write to a line, receive, read, and go offline."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from functions.core.phone import digits
from functions.local.simulator import payloads
from functions.local.simulator.customers import Customer, Customers, Line, Message
from functions.local.simulator.database import Database
from functions.local.simulator.identifiers import wamid
from functions.local.simulator.limits import Allowance
from functions.local.simulator.media import Media
from functions.local.simulator.scenarios import Scenarios
from functions.local.simulator.shapes import FILES
from functions.local.simulator.webhooks import Webhooks

_OPENS_NO_WINDOW = ("system", "edit", "revoke", "reaction")
_ENVELOPE = ("id", "from", "from_user_id", "timestamp", "type")


class Unwritable(Exception):
    """What a customer was told to write can't be written; the text is a sentence that says why."""


class Phones:
    """The customers' side of the simulated network, and the reports of what they received."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        lines: Mapping[str, Line],
        customers: Customers,
        media: Media,
        scenarios: Scenarios,
        webhooks: Webhooks,
        throughput: Allowance,
    ) -> None:
        self._database, self._clock, self._lines, self._customers = database, clock, lines, customers
        self._media, self._scenarios, self._webhooks, self._throughput = media, scenarios, webhooks, throughput

    def write(self, wa_id: str, message: Mapping[str, Any], line_id: str, name: str | None = None) -> Message:
        """Let a customer write to a line. `message` has the inbound shape of a webhook, of any type.

        `id` and `timestamp` may be given; `from` and the facts of a file (its `id` suffices) are filled in.
        Raises `Unwritable`.
        """
        line = self._line(line_id)
        content = {key: value for key, value in message.items() if key not in _ENVELOPE}
        kind = str(message.get("type") or next(iter(content), ""))
        if kind not in content and kind not in ("unsupported", "unknown", "request_welcome"):
            raise Unwritable(f"A message of type {kind!r} needs an object of that name.")
        message_id = str(message.get("id") or wamid(wa_id, inbound=True))
        if self._customers.message(message_id):
            raise Unwritable("There is a message with this id already.")
        at = _epoch(message.get("timestamp"), self._clock())
        if kind in FILES:
            content[kind] = self._file(content[kind])
        with self._database.transaction():
            customer = self._customers.meet(wa_id, name)
            if "context" in content:
                content["context"] = self._quoted(content["context"], line, customer)
            written = Message(message_id, line.phone_number_id, wa_id, "customer", kind, content, "sent", at)
            self._customers.add(written)
            if kind not in _OPENS_NO_WINDOW:
                self._customers.open_window(line.phone_number_id, wa_id, at)
            if self._throughput.allows(line.phone_number_id, self._clock()):
                self._throughput.take(line.phone_number_id, self._clock())
            self._hook(line, customer, "messages", payloads.inbound(line, customer, written))
        return written

    def arrived(self, body: Mapping[str, Any]) -> None:
        """Give the customers' messages in a webhook that was answered 200 their second tick."""
        for message_id in payloads.message_ids(body):
            if message := self._customers.message(message_id):
                self._customers.raise_status(message, "delivered")

    def receive(self, message: Message) -> None:
        """Let a message reach its customer's phone, if it is on, and report it."""
        customer = self._customers.meet(message.wa_id)
        if customer.online and self._customers.raise_status(message, "delivered"):
            if message.type != "reaction":  # only `sent` is reported of reactions
                self.report(message, "delivered")
            if customer.auto_read:
                self.read(customer.wa_id, message.line)

    def read(self, wa_id: str, line_id: str | None = None, state: str = "read") -> int:
        """Let a customer see (or with `played` hear) all that arrived; return how many messages that changed."""
        customer = self._customers.meet(wa_id)
        if not customer.online:
            return 0
        changed = [one for one in self._customers.unseen(wa_id, line_id, state) if one.status != "sent"]
        for message in changed:
            self._customers.raise_status(message, state)
            if customer.receipts and message.type != "reaction":
                self.report(message, state)
        return len(changed)

    def switch(self, wa_id: str, **switches: Any) -> Customer:
        """Change how a phone behaves. Going online lets in what waited; a marketing choice is reported."""
        before = self._customers.meet(wa_id)
        customer = self._customers.update(wa_id, **switches)
        for message in self._customers.unseen(wa_id, None, "delivered") if customer.online else ():
            self.receive(message)
        if customer.marketing != before.marketing:
            for line in self._lines.values():
                value = payloads.preference(line, customer, self._clock())
                self._hook(line, customer, "user_preferences", value)
        return customer

    def report(self, message: Message, state: str, code: int = 0) -> None:
        """Send a status webhook, unless a scenario keeps, delays or repeats it. `code` is a failure's error."""
        line, customer = self._lines[message.line], self._customers.meet(message.wa_id)

        def struck(fault: str) -> Any:
            return self._scenarios.take((fault,), message.line, message.wa_id)

        if struck("statuses_never"):
            return
        late = struck("statuses_late") or (struck("statuses_reversed") if state == "sent" else None)
        doubled = struck("statuses_doubled")
        value = payloads.status(line, customer, message, state, self._clock(), code)
        for _ in range(int(doubled.figure("size")) if doubled else 1):
            self._hook(line, customer, "messages", value, late.figure("seconds") if late else 0)

    def _hook(self, line: Line, customer: Customer, field: str, value: dict[str, Any], delay: float = 0) -> None:
        place = {"line": line.phone_number_id, "customer": customer.wa_id}
        self._webhooks.add(line.waba, field, value, delay=delay, **place)

    def _line(self, line_id: str) -> Line:
        if line_id not in self._lines:
            raise Unwritable("There is no such line.")
        return self._lines[line_id]

    def _file(self, given: Any) -> dict[str, Any]:
        """Fill in what Meta tells of a file."""
        file = self._media.get(str(given.get("id"))) if isinstance(given, dict) else None
        if file is None:
            return dict(given) if isinstance(given, dict) else {}
        facts = {"mime_type": file.mime, "sha256": file.sha256_text, "url": self._media.url(file)}
        return {**facts, **given}

    def _quoted(self, context: Mapping[str, Any], line: Line, customer: Customer) -> dict[str, Any]:
        """Name the author of the message that a reply quotes."""
        quoted = self._customers.message(str(context.get("id"))) if "id" in context else None
        if quoted is None:
            return dict(context)
        author = digits(line.number) if quoted.author == "business" else customer.wa_id
        return {"from": author, **context}


def _epoch(given: Any, now: float) -> float:
    if given is None:
        return now
    try:
        return float(given)
    except (TypeError, ValueError):
        raise Unwritable("timestamp must be epoch seconds.") from None


def iso(at: float) -> str:
    """Return epoch seconds as people and programs read them: 2026-11-22T10:00:00Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
