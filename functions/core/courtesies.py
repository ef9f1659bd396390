"""What goes to a customer by itself because it is owed: the answer to a STOP, and the notice about their data.

The webhook asks for it in a task, so that it costs the message nothing; `sync` says it (`sync/courtesies.py`).
"""

from collections.abc import Mapping
from typing import Any

from functions.core.ids import key_of
from functions.core.tasks import Task

GOODBYES = {
    "en": "You will get no more offers or automatic messages from us. Write START if you want them again.",
    "es": "Ya no recibirá ofertas ni mensajes automáticos nuestros. Escriba START si los quiere de nuevo.",
    "pt": "Você não receberá mais ofertas nem mensagens automáticas nossas. Escreva START se as quiser de novo.",
    "fr": "Vous ne recevrez plus d’offres ni de messages automatiques de notre part. Écrivez START pour les recevoir à "
    "nouveau.",
    "de": "Sie bekommen von uns keine Angebote und keine automatischen Nachrichten mehr. Schreiben Sie START, wenn Sie "
    "sie wieder möchten.",
    "it": "Non riceverà più offerte né messaggi automatici da noi. Scriva START se vuole riceverli di nuovo.",
}
"""Where the business has no words of its own."""

NOTICE = "notice"
"""What is kept with a message that is the notice, so that its sender knows it."""


def goodbye_task(conversation: str, cause: str, message: str | None = None) -> Task:
    """Return the task that confirms a STOP, which `message` said, if it was a word; `cause` tells causes apart."""
    named = {"message": message} if message else {}
    return _task("goodbye", conversation, cause, named)


def notice_task(conversation: str, cause: str) -> Task:
    """Return the task that gives the customer of a conversation the data notice, unless they had it."""
    return _task("notice", conversation, cause, {})


def _task(kind: str, conversation: str, cause: str, named: Mapping[str, str]) -> Task:
    return Task(
        queue="housekeeping",
        function="sync",
        payload={"kind": kind, "conversation": conversation, **named},
        name=key_of(kind, conversation, cause),
    )


def notice_sent(message: Mapping[str, Any], at: int) -> dict[str, Any] | None:
    """Return what is kept on the contact when WhatsApp has taken this message; None if it is no notice."""
    return {"notice": {"sent": at}} if message.get("courtesy") == NOTICE else None
