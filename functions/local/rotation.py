"""Rotation without a lost message: what lies sealed is sealed again; a connection gets a second secret."""

from dataclasses import dataclass, replace

from functions.core.lines import connection_key, connection_of, every_connection, every_line, line_key
from functions.core.ports import Ports
from functions.core.secrets import Seal, SealBroken, new_secret
from functions.core.store import Document, Stale, Write, update
from functions.local.failure import SetUpFailed

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many lines and connections are sealed with the newest keys now, and how many of them were before."""

    all: int
    before: int


async def reseal(ports: Ports) -> Resealed:
    """Seal everything with the newest data keys. Repeating it is harmless; other work goes on. Raises `SetUpFailed`."""
    settings = ports.settings
    if settings.token_keys is None or settings.connection_keys is None:
        raise SetUpFailed("LEADLINE_TOKEN_KEYS and LEADLINE_CONNECTION_KEYS are needed here, the newest key first.")
    lines = [line_key(line.id) for line in await every_line(ports.store)]
    connections = [connection_key(connection.id) for connection in await every_connection(ports.store)]
    changed = 0
    sealed = [*((key, settings.token_keys) for key in lines), *((key, settings.connection_keys) for key in connections)]
    for key, seal in sealed:
        for _ in range(_TRIES):
            [document] = await ports.store.get([key])
            write = _resealed(document, seal) if document else None
            if write is None:
                break
            try:
                await ports.store.commit([write])
            except Stale:
                continue  # Somebody gave it another token or secret at this moment.
            changed += 1
            break
        else:
            raise SetUpFailed(f"{key.id} changes all the time. Try again.")
    total = len(lines) + len(connections)
    return Resealed(total, total - changed)


def _resealed(document: Document, seal: Seal) -> Write | None:
    """Return the write that seals a document's secrets again; None where the newest key has sealed them all."""
    fields = document.fields
    texts = {name: fields[name] for name in ("token", "pin") if fields.get(name)}
    several = fields.get("secrets") or []
    if all(map(seal.is_newest, [*texts.values(), *several])):
        return None
    try:
        again = {name: seal.close(seal.open(text)) for name, text in texts.items()}
        secrets = {"secrets": [seal.close(seal.open(text)) for text in several]} if several else {}
    except SealBroken as error:
        raise SetUpFailed(f"{document.key.id}: {error}. Put the key that sealed it behind the newest one.") from None
    return update(document.key, {**again, **secrets}, version=document.version)


async def add_secret(ports: Ports, connection_id: str) -> str:
    """Give a connection another secret beside the one it has, and return it. Both are valid until `retire_secrets`.

    Repeated, it takes the place of the one that was added before. Raises `SetUpFailed`.
    """
    seal, document = await _connection(ports, connection_id)
    connection = connection_of(document)
    if not connection.secrets:
        raise SetUpFailed(f"No CRM is paired with {connection_id} yet: leadline connect odoo")
    secret = new_secret()
    kept = connection.secrets[-1]
    await _keep(ports, document, replace(connection, secrets=(seal.close(secret), kept)).secrets)
    return secret


async def retire_secrets(ports: Ports, connection_id: str) -> bool:
    """Let only a connection's newest secret be valid; return whether there was another. Raises `SetUpFailed`."""
    _, document = await _connection(ports, connection_id)
    secrets = connection_of(document).secrets
    if len(secrets) < 2:
        return False
    await _keep(ports, document, secrets[:1])
    return True


async def _connection(ports: Ports, connection_id: str) -> tuple[Seal, Document]:
    [document] = await ports.store.get([connection_key(connection_id)])
    if document is None:
        raise SetUpFailed(f"There is no connection {connection_id}. `leadline connect list` shows them.")
    if ports.settings.connection_keys is None:
        raise SetUpFailed("LEADLINE_CONNECTION_KEYS is not set here: the secret is sealed with it.")
    return ports.settings.connection_keys, document


async def _keep(ports: Ports, document: Document, secrets: tuple[str, ...]) -> None:
    try:
        await ports.store.commit([update(document.key, {"secrets": list(secrets)}, version=document.version)])
    except Stale:
        raise SetUpFailed(f"{document.key.id} was changed at this moment. Look at it, and try again.") from None
