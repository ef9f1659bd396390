"""What a business sends: checked, limited and refused as Meta does, then handed to the customer's phone."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from functions.core.phone import digits
from functions.local.simulator.customers import Customer, Customers, Line, Message
from functions.local.simulator.database import Database
from functions.local.simulator.errors import GraphError
from functions.local.simulator.identifiers import dialled, wamid
from functions.local.simulator.limits import REMEMBERED, Allowance
from functions.local.simulator.media import Media, carries
from functions.local.simulator.numbers import Numbers
from functions.local.simulator.phones import Phones
from functions.local.simulator.scenarios import AFTER, BEFORE, REFUSALS, Scenario, Scenarios
from functions.local.simulator.shapes import FILES, Envelope, File, ReadMark
from functions.local.simulator.templates import Templates, filled

_TYPING = 25  # seconds the dots last, Meta, "Typing indicators"


class Sends:
    """The endpoint behind `POST {phone_number_id}/messages`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        customers: Customers,
        phones: Phones,
        media: Media,
        templates: Templates,
        scenarios: Scenarios,
        numbers: Numbers,
        pairs: Allowance,
        throughput: Allowance,
        stopping: asyncio.Event,
    ) -> None:
        self._database, self._clock, self._customers, self._phones = database, clock, customers, phones
        self._media, self._templates, self._scenarios = media, templates, scenarios
        self._numbers = numbers
        self._pairs, self._throughput, self._stopping = pairs, throughput, stopping

    async def send(self, line: Line, request: Envelope) -> dict[str, Any]:
        """Accept a message and return Meta's answer. Raises `GraphError`."""
        self._check_number(line)
        customer = self._recipient(line, request)
        place = (line.phone_number_id, customer.wa_id)
        await self._strike(self._scenarios.take(BEFORE, *place))
        misfit = self._check(line, request)
        definition = self._templates.definition(line.waba, request.content) if request.type == "template" else None
        content = _content(request, definition)
        failure = self._refusal(line, customer, definition) or misfit
        self._spend(*place)
        message = Message(
            id=wamid(customer.wa_id, inbound=False),
            line=line.phone_number_id,
            wa_id=customer.wa_id,
            author="business",
            type=request.type,
            content=content,
            status="failed" if failure else "sent",
            at=self._clock(),
            callback=request.biz_opaque_callback_data,
            category=definition["category"].lower() if definition else None,
            by_bsuid=request.to is None,
        )
        self._keep(message, failure)
        await self._strike(self._scenarios.take(AFTER, *place))
        return _accepted(request, customer, message)

    def mark_read(self, line: Line, mark: ReadMark) -> dict[str, Any]:
        """Show blue ticks, and the typing dots if asked. Raises `GraphError`."""
        message = self._remembered(line, mark.message_id)
        if message is None or message.author != "customer":
            raise GraphError(131009, "message_id: no message of a customer of the last 30 days")
        self._customers.read_by_business(message)
        if mark.typing_indicator:
            self._customers.typing(line.phone_number_id, message.wa_id, self._clock() + _TYPING)
        return {"success": True}

    def _check_number(self, line: Line) -> None:
        """Refuse for what is wrong with the number or the token, whoever the message is for."""
        if struck := self._scenarios.take(("permission_missing", "number_disconnected"), line.phone_number_id):
            raise GraphError(int(struck.figure("code")))
        if not self._numbers.registered(line):
            raise GraphError(133010)

    def _recipient(self, line: Line, request: Envelope) -> Customer:
        """Find whom a message is for. A phone number wins over a BSUID, as at Meta."""
        if request.to is None:
            customer = self._customers.of_bsuid(request.recipient or "")
            if customer is None:
                raise GraphError(131026)
            return customer
        number = dialled(request.to)
        if number is None:
            raise GraphError(131009, "to: not a phone number")
        if number == digits(line.number):
            raise GraphError(131021)
        return self._customers.reached(number)

    def _check(self, line: Line, request: Envelope) -> int:
        """Check what only a look at Meta's records tells; return the code of what Meta notices after accepting."""
        if request.type == "reaction":
            if request.context:
                raise GraphError(131009, "context: a reaction can't be a reply")
            if self._remembered(line, request.content.message_id) is None:
                raise GraphError(131009, "reaction['message_id']: no message of this number of the last 30 days")
        fit = [self._fits(line, kind, file, path) for kind, file, path in _files(request)]
        return 0 if all(fit) else 131053

    def _fits(self, line: Line, kind: str, given: File, path: str) -> bool:
        """Say whether a file suits the kind of message. Raises `GraphError` for an id that Meta doesn't hold."""
        if given.id is None:
            return True
        file = self._media.get(given.id)
        if file is None or file.line != line.phone_number_id:
            refused = f"(#100) Param {path}['id'] is not a valid whatsapp business account media attachment ID"
            raise GraphError(100, message=refused)
        return carries(kind, file)

    def _refusal(self, line: Line, customer: Customer, definition: dict[str, Any] | None) -> int:
        """Raise what the answer refuses; return the code with which the message will fail later, 0 if it won't."""
        place = (line.phone_number_id, customer.wa_id)
        marketing = definition is not None and definition["category"] == "MARKETING"
        written = self._customers.wrote_at(*place)

        def applies(scenario: Scenario) -> bool:
            if scenario.fault == "window_closed":
                return definition is None and written <= scenario.since
            return scenario.fault != "opted_out" or marketing

        if scenario := self._scenarios.take(REFUSALS, *place, applies=applies):
            code = int(scenario.figure("code"))
            if scenario.figure("later"):
                return code
            raise GraphError(code)
        if definition is None and self._clock() >= self._customers.window_until(*place):
            raise GraphError(131047)
        return 131050 if marketing and not customer.marketing else 0

    def _spend(self, number: str, wa_id: str) -> None:
        """Count the message against both rates, or refuse it."""
        now = self._clock()
        if not self._throughput.allows(number, now):
            raise GraphError(130429)
        if not self._pairs.allows((number, wa_id), now):
            raise GraphError(131056)
        self._throughput.take(number, now)
        self._pairs.take((number, wa_id), now)

    def _keep(self, message: Message, failure: int) -> None:
        """Write the message down and let it travel."""
        with self._database.transaction():
            self._customers.typing(message.line, message.wa_id, until=0)
            self._customers.add(message)
            self._phones.report(message, message.status, failure)
            if not failure:
                self._phones.receive(message)

    async def _strike(self, scenario: Scenario | None) -> None:
        """Keep the caller waiting or answer with a server's error, as the scenario says."""
        if scenario is None:
            return
        if seconds := scenario.figure("seconds"):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
        raise GraphError(int(scenario.figure("code")), http=int(scenario.figure("http")), transient=True)

    def _remembered(self, line: Line, message_id: str) -> Message | None:
        message = self._customers.message(message_id)
        if message is None or message.line != line.phone_number_id:
            return None
        return message if self._clock() - message.at <= REMEMBERED else None


def _files(request: Envelope) -> Iterator[tuple[str, File, str]]:
    """Yield every file of a message: the kind it is used as, the reference, and where it stands."""
    content = request.content
    if request.type in FILES:
        yield request.type, content, request.type
    elif request.type == "interactive" and content.header and content.header.type in FILES:
        kind = content.header.type
        yield kind, getattr(content.header, kind), f"interactive['header']['{kind}']"
    elif request.type == "template":
        for part, component in enumerate(content.components):
            for place, parameter in enumerate(component.parameters):
                if parameter.type in FILES:
                    path = f"template['components'][{part}]['parameters'][{place}]['{parameter.type}']"
                    yield parameter.type, getattr(parameter, parameter.type), path


def _content(request: Envelope, definition: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the phone keeps of a message; of a template also how it reads."""
    fields = {request.type, "context"}
    content = request.model_dump(include=fields, exclude_unset=True)
    if context := content.get("context"):
        content["context"] = {"id": context["message_id"]}
    if definition is not None:
        content["shown"] = filled(definition, request.content)
    return content


def _accepted(request: Envelope, customer: Customer, message: Message) -> dict[str, Any]:
    if request.to is not None:
        contact = {"input": request.to, "wa_id": customer.wa_id}
    else:
        contact = {"input": str(request.recipient), "user_id": customer.bsuid}
    item = {"id": message.id}
    if request.type == "template":
        item["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [item]}
