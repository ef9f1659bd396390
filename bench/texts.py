"""The text messages that the benchmarks deliver."""

import itertools
from collections.abc import Iterator

from functions.core.signature import sign_meta
from tests.payloads import ANA, Customer, customers, inbound_text, webhook

SENTENCE = "Hello! Is the blue one still there, and could you send it by Friday?"

PEOPLE = 200
"""How many customers take turns."""


def one_text(secret: str) -> tuple[bytes, str]:
    """Return the body and the signature of one POST: a customer's text message."""
    body = _body(ANA, 0)
    return body, sign_meta(body, secret)


def texts(secret: str) -> Iterator[tuple[bytes, str]]:
    """Yield POSTs without end, each with a new message; the customers take turns."""
    people = customers(PEOPLE)
    for number in itertools.count(1):
        body = _body(people[number % PEOPLE], number)
        yield body, sign_meta(body, secret)


def _body(customer: Customer, number: int) -> bytes:
    # As long as Meta's.
    return webhook(inbound_text(customer, SENTENCE, wamid=f"wamid.HBgNNTUxMTk4NzY1NDMyMRUCABIYFj{number:020}AA=="))
