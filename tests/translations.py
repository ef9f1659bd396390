"""What the add-on says: `python -m tests.translations` writes each module's `i18n/<module>.pot` anew, from real Odoo.

Afterwards each language's file there has what is said now: a text that is new waits for its translation, and one
that nobody says any more is gone. Nothing in these files changes with the day or the machine.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polib

from functions.local.odoo.database import ADDONS, Databases
from functions.local.odoo.install import ensure_odoo
from functions.local.postgres import Postgres

MODULES = ("leadline", "leadline_website")
"""The modules with texts, each after those that it needs."""

_EXPORT = """
import io
from odoo.tools.translate import trans_export
file = io.BytesIO()
trans_export(None, ["{module}"], file, "po", env)
print(file.getvalue().decode())
"""
_TEMPLATE = {
    "Project-Id-Version": "Leadline",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
}
_WIDTH = 120


def main() -> None:
    """Write the templates, and bring the languages' files up to them."""
    with tempfile.TemporaryDirectory() as folder, Postgres(Path(folder) / "postgres", durable=False) as postgres:
        databases = Databases(ensure_odoo(None, print), postgres, Path(folder) / "odoo")
        databases.create("said")
        for module in MODULES:
            databases.update("said", [module])
            template = exported(databases, "said", module)
            template.save(str(template_file(module)))
            print(f"{module}: {len(template)} texts")
            for file in language_files(module):
                language = read(file)
                _bring_up(language, template)
                language.save(str(file))
                missing = len(language.untranslated_entries()) + len(language.fuzzy_entries())
                print(f"  {file.stem}: {missing} to translate")


def exported(databases: Databases, name: str, module: str) -> polib.POFile:
    """Ask the Odoo of a database in which it is installed for all that a module says."""
    template = polib.pofile(databases.run_script(name, _EXPORT.format(module=module)), wrapwidth=_WIDTH)
    template.header = f"What {module} says."
    template.metadata = dict(_TEMPLATE)
    return template


def template_file(module: str) -> Path:
    return ADDONS / module / "i18n" / f"{module}.pot"


def language_files(module: str) -> Sequence[Path]:
    return sorted(template_file(module).parent.glob("*.po"))


def read(file: Path) -> polib.POFile:
    """Read a template or a language's file."""
    return polib.pofile(str(file), wrapwidth=_WIDTH)


def _bring_up(language: polib.POFile, template: polib.POFile) -> None:
    """Give a language's file the template's texts, in its order, with what was translated of them."""
    translated = {entry.msgid: entry for entry in language if not entry.obsolete}
    language.clear()
    for entry in template:
        known = translated.get(entry.msgid)
        language.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgstr=known.msgstr if known else "",
                comment=entry.comment,
                tcomment=known.tcomment if known else "",
                occurrences=entry.occurrences,
                flags=known.flags if known else [],
            )
        )


if __name__ == "__main__":
    main()
