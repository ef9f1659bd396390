"""Accepting messages on Firestore's emulator: their rate against bare commits, and what each reads and writes."""

import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import uvloop
from google.cloud import firestore
from msgspec import structs

from bench.cost import Bill, CountedStore
from bench.idle.ports import LINE, SECRET, IdleStore, idle_ports
from bench.texts import PEOPLE, texts
from bench.throughput import Once, accepting, rates
from functions.core.firestore import FirestoreStore
from functions.core.ids import key_of
from functions.core.lines import line_writes
from functions.core.message import Callback, message_key
from functions.core.ports import Ports
from functions.core.store import NOW, Increment, Key, Maximum, Store, Unavailable, Write, create
from functions.webhook.accept import Acceptance
from tests.google.firestore_emulator import FirestoreEmulator
from tests.google.parts import MissingPart
from tests.payloads import ANA, LUCIA, inbound_text, status, webhook

_IN_FLIGHT = 16
_ATTEMPTS = 10
_RATE = f"durable messages/s, Firestore emulator, {_IN_FLIGHT} at once"


def rows() -> list[tuple[str, str]]:
    """Return the rows: the rate, and what Firestore counts for each happening."""
    try:
        with FirestoreEmulator() as emulator, patch.dict(os.environ, emulator.environment):
            return uvloop.run(_rows())
    except (MissingPart, Unavailable) as missing:
        return [(_RATE, f"not measured, nor what a message reads and writes: {missing}")]


async def _rows() -> list[tuple[str, str]]:
    figures = await _rates()
    own, plain, adapter = (figures[name] for name in ("own", "plain", "adapter"))
    rate = (
        f"{own / plain:.2f} × google-cloud-firestore committing the same documents, "
        f"{own / adapter:.2f} × our adapter doing so ({own:,.0f} against {plain:,.0f} and {adapter:,.0f})"
    )
    return [(_RATE, rate)] + [
        (f"Firestore, {name}", ", ".join(f"{unit} {bill[unit]}" for unit in ("reads", "writes", "commits")))
        async for name, bill in _bills()
    ]


# The rate. The three take turns, each in a project of its own.


async def _rates() -> dict[str, float]:
    ports = idle_ports({"WHATSAPP_APP_SECRET": SECRET})
    sample = await _sample(ports)
    own, bare, plain = FirestoreStore("own"), FirestoreStore("bare"), firestore.AsyncClient("plain")
    try:
        await _awake(own)
        works = {
            "own": accepting(replace(ports, store=own), texts(SECRET)),
            "plain": _plain(plain, sample),
            "adapter": _adapter(bare, sample),
        }
        return await rates(works, in_flight=_IN_FLIGHT)
    finally:
        await own.close()
        await bare.close()
        plain.close()


async def _awake(store: Store) -> None:
    """Write the line, as often as it takes: a cold emulator on a busy machine needs longer than any deadline."""
    for _ in range(_ATTEMPTS):
        with suppress(Unavailable):
            return await store.commit(line_writes(LINE))
    raise Unavailable("the emulator does not wake up")


async def _sample(ports: Ports) -> Sequence[Write]:
    """The writes of a message from somebody known."""
    store = IdleStore()
    once = accepting(replace(ports, store=store), texts(SECRET))
    for _ in range(PEOPLE + 1):
        await once()
    return store.written


def _fresh(key: Key) -> Key:
    """The key of another document of that kind: conversations are few, all else is made anew."""
    if key.collection == "conversations":
        return Key(key.collection, f"conversation{secrets.randbelow(PEOPLE)}")
    return Key(key.collection, secrets.token_hex(16))


def _adapter(store: Store, sample: Sequence[Write]) -> Once:
    async def once() -> None:
        await store.commit([structs.replace(write, key=_fresh(write.key)) for write in sample])

    return once


def _plain(client: Any, sample: Sequence[Write]) -> Once:
    """Commit as the documentation of google-cloud-firestore shows."""
    fields = [_in_their_words(write.fields) for write in sample]

    async def once() -> None:
        batch = client.batch()
        for write, values in zip(sample, fields, strict=True):
            key = _fresh(write.key)
            reference = client.collection(key.collection).document(key.id)
            if write.kind == "create":
                batch.create(reference, values)
            else:
                batch.set(reference, values, merge=True)
        await batch.commit()

    return once


def _in_their_words(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _in_their_words(item) for name, item in value.items()}
        case Increment(number):
            return firestore.Increment(number)
        case Maximum(number):
            return firestore.Maximum(number)
        case _:
            return firestore.SERVER_TIMESTAMP if value is NOW else value


# The counts.


async def _bills() -> AsyncIterator[tuple[str, Bill]]:
    """Each happening at an instance that knows the line, as it must each minute anew."""
    store = FirestoreStore("counted")
    await _awake(store)
    bill: Bill = Counter()
    ports = replace(idle_ports({"WHATSAPP_APP_SECRET": SECRET}), store=CountedStore(store, bill))
    acceptance = await _instance(ports)

    async def billed(acceptance: Acceptance, body: bytes) -> Bill:
        bill.clear()
        await acceptance.accept(body)
        return bill.copy()

    yield "first message of a stranger", await billed(acceptance, webhook(inbound_text(LUCIA)))
    later = webhook(inbound_text(LUCIA))
    yield "later message", await billed(acceptance, later)
    yield "status of our message", await billed(acceptance, await _status(store))
    yield "redelivery", await billed(acceptance, later)
    another = await _instance(ports)
    yield "later message, other instance", await billed(another, webhook(inbound_text(LUCIA)))
    await store.close()


async def _instance(ports: Ports) -> Acceptance:
    acceptance = Acceptance(ports)
    await acceptance.accept(webhook(inbound_text(ANA)))
    return acceptance


async def _status(store: Store) -> bytes:
    """The status of a message that was sent."""
    contact = key_of("contact", LINE.account, "bsuid", LUCIA.bsuid or "")
    callback = Callback(LINE.id, contact, "client-id")
    await store.commit([create(message_key(callback.message), {"direction": "out", "rank": 0})])
    return webhook(status("delivered", "wamid.sent", to=LUCIA, callback=callback.text()))
