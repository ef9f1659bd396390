"""The keys of one machine: made at the first start, kept beside its data, readable by its user only."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from functions.core.secrets import new_secret


@dataclass(frozen=True, slots=True)
class Keys:
    """`worker` is what a task carries to prove that it comes from this machine's own queue."""

    token: str
    connection: str
    connection_secret: str
    media: str
    worker: str

    @classmethod
    def of(cls, folder: Path) -> "Keys":
        """Return the keys in a folder, which are made if there are none."""
        path = folder / "keys.json"
        if path.exists():
            return cls(**json.loads(path.read_text()))
        keys = cls(
            token=data_key(),
            connection=data_key(),
            connection_secret=new_secret(),
            media=secrets.token_hex(32),
            worker=secrets.token_urlsafe(32),
        )
        unfinished = path.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(keys), file)
        unfinished.replace(path)
        return keys


def data_key() -> str:
    """Return a key for `LEADLINE_TOKEN_KEYS` or `LEADLINE_CONNECTION_KEYS`."""
    return Fernet.generate_key().decode()
