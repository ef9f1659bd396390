"""What Meta's webhooks say, as updates: one parser for everything that a message can come in.

Tolerant where Meta varies (times as text or number, contacts missing, BSUIDs where a number is expected) and careful
to lose nothing: each update keeps its own raw item. Nothing else reads Meta's shapes.
Sources: Meta, "messages webhook reference", "Business-scoped user IDs" (2026).
"""

from functions.core.whatsapp.account import Fact
from functions.core.whatsapp.coexistence import (
    ADDRESS_BOOK,
    HISTORY,
    Entry,
    Import,
    Past,
    address_book,
    past,
)
from functions.core.whatsapp.content import MEDIA_TYPES
from functions.core.whatsapp.envelope import Unreadable, Update, alone, updates
from functions.core.whatsapp.items import Unhandled
from functions.core.whatsapp.message import CUSTOMER, PHONE, Change, Edit, GroupMessage, Message, Reaction, Revocation
from functions.core.whatsapp.person import Person
from functions.core.whatsapp.preference import Preference
from functions.core.whatsapp.status import STATUSES, Status

__all__ = [
    "ADDRESS_BOOK",
    "CUSTOMER",
    "HISTORY",
    "MEDIA_TYPES",
    "PHONE",
    "STATUSES",
    "Change",
    "Edit",
    "Entry",
    "Fact",
    "GroupMessage",
    "Import",
    "Message",
    "Past",
    "Person",
    "Preference",
    "Reaction",
    "Revocation",
    "Status",
    "Unhandled",
    "Unreadable",
    "Update",
    "address_book",
    "alone",
    "past",
    "updates",
]
