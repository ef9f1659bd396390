"""The text messages that the benchmarks deliver."""

import itertools
from collections.abc import Iterator, Sequence

from functions.core.signature import sign_meta
from tests.payloads import ANA, Customer, customers, inbound_text, webhook

SENTENCE = "Hello! Is the blue one still there, and could you send it by Friday?"

PEOPLE = 200
"""How many customers take turns."""


def one_text(secret: str) -> tuple[bytes, str]:
    """Return the body and the signature of one POST: a customer's text message."""
    body = _body(ANA, 0)
    return body, sign_meta(body, secret)


def texts(secret: str, people: Sequence[Customer] = (), *, first: int = 1) -> Iterator[tuple[bytes, str]]:
    """Yield POSTs without end, each with a new message; the customers take turns. `first` is the first one's number."""
    people = people or customers(PEOPLE)
    for number in itertools.count(first):
        body = _body(people[number % len(people)], number)
        yield body, sign_meta(body, secret)


def wamid(number: int) -> str:
    """Return the wamid of the message of that number, as long as Meta's."""
    return f"wamid.HBgNNTUxMTk4NzY1NDMyMRUCABIYFj{number:020}AA=="


def _body(customer: Customer, number: int) -> bytes:
    return webhook(inbound_text(customer, SENTENCE, wamid=wamid(number)))
