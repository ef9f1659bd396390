"""Accounts: the businesses, each of which owns its lines, connections, contacts and conversations."""

from dataclasses import dataclass

from functions.core.store import NOW, Document, Key, Query, Store, Write, merge


@dataclass(frozen=True, slots=True)
class Account:
    """One business. `name` is for people."""

    id: str
    name: str


def account_key(account: str) -> Key:
    return Key("accounts", account)


def account_write(account: Account) -> Write:
    """Return the write that makes an account, or gives it another name."""
    return merge(account_key(account.id), {"name": account.name, "listed": True, "updated": NOW})


def account_of(document: Document) -> Account:
    """Return the account that a document holds."""
    return Account(document.key.id, str(document.fields.get("name") or document.key.id))


async def every_account(store: Store) -> list[Account]:
    """Return all accounts in the order of their names."""
    found, after = list[Account](), None
    while documents := await store.query(Query("accounts", {"listed": True}, order="name", after=after)):
        found += map(account_of, documents)
        after = (documents[-1].fields["name"], documents[-1].key.id)
    return found
