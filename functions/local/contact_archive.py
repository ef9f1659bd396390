"""A person's data as one zip file: what people read, what programs read, and the files themselves."""

import json
import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from functions.core import export
from functions.core.belongings import Person
from functions.core.media import MediaMissing
from functions.core.ports import Ports


async def write_archive(ports: Ports, person: Person, path: Path) -> int:
    """Write the archive, which only its owner may read, and return how many messages it holds.

    Raises `Unavailable` and `MediaUnavailable`, and FileExistsError.
    """
    count = 0
    # Not readable by others from its first byte on.
    with (
        os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file,
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
    ):
        about = await export.about(ports, person)
        archive.writestr("person.json", json.dumps(about, indent=1, ensure_ascii=False))
        written = []
        async for message in export.messages(ports.store, person):
            written.append(export.written(message))
            if name := export.file_of(message):
                await _add_file(ports, archive, message.fields["media"]["file"], name)
            count += 1
        written.sort(key=lambda one: (one["conversation"], one["message"]["sort"] or one["at"]))
        archive.writestr("messages.json", json.dumps(written, indent=1, ensure_ascii=False))
        for conversation in {one["conversation"] for one in written}:
            lines = [one["text"] for one in written if one["conversation"] == conversation]
            archive.writestr(f"conversation-{conversation[:8]}.txt", "\n".join(lines) + "\n")
    return count


async def _add_file(ports: Ports, archive: ZipFile, stored: str, name: str) -> None:
    try:
        with archive.open(name, "w", force_zip64=True) as entry:
            async for chunk in ports.media.read(stored):
                entry.write(chunk)
    except MediaMissing:
        archive.writestr(f"{name}.missing.txt", "The file is no longer stored.\n")
