"""The languages' files of the Odoo modules: whole, and safe to put in the place of the original."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.translations import MODULES, language_files, read, template_file

LANGUAGES = ("es", "pt_BR")
"""What each module speaks besides English."""

FILES = [pytest.param(file, id=f"{module}-{file.stem}") for module in MODULES for file in language_files(module)]

_KEPT = re.compile(
    r"""%\(\w+\)[sd]|%[sd%]            # what is filled in, in Python and JavaScript
    |\{\{.*?\}\}                      # in a view, and in what customers are shown
    |</?\w[^>]*>                      # markup
    |https?://[^\s<"]+ | \\u00a0
    """,
    re.VERBOSE,
)
_SHOWN_ATTRIBUTE = re.compile(r'\b(title|aria-label|alt|placeholder)="[^"]*"')
_EXPRESSION = "model:ir.actions.report,print_report_name"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_speaks_all_languages(module: str) -> None:
    assert {file.stem for file in language_files(module)} >= set(LANGUAGES)


@pytest.mark.parametrize("file", FILES)
def test_a_language_says_all_and_nothing_else(file: Path) -> None:
    template, language = read(template_file(file.parents[1].name)), read(file)
    assert [entry.msgid for entry in language] == [entry.msgid for entry in template]
    assert [entry.msgid for entry in language if not entry.translated()] == []
    assert {entry.msgid for entry in language.obsolete_entries()} == set()


@pytest.mark.parametrize("file", FILES)
def test_what_is_filled_in_and_markup_stay_as_they_are(file: Path) -> None:
    changed = {entry.msgid: entry.msgstr for entry in read(file) if _kept(entry.msgid) != _kept(entry.msgstr)}
    assert changed == {}


@pytest.mark.parametrize("file", FILES)
def test_spaces_at_the_ends_stay(file: Path) -> None:
    assert {entry.msgid: entry.msgstr for entry in read(file) if _ends(entry.msgid) != _ends(entry.msgstr)} == {}


@pytest.mark.parametrize("file", FILES)
def test_the_name_of_a_printed_file_can_be_made(file: Path) -> None:
    for entry in read(file):
        if any(place.startswith(_EXPRESSION) for place, _ in entry.occurrences):
            ast.parse(entry.msgstr, mode="eval")


def _kept(text: str) -> Counter[str]:
    return Counter(_KEPT.findall(_SHOWN_ATTRIBUTE.sub(r"\1", text)))


def _ends(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
