"""What the service says to agents is known to the add-on, word by word, so that it can be translated."""

import ast
import re
from pathlib import Path

from functions.core.meta_errors import MEANINGS, Decision, meaning
from functions.local.odoo.database import ADDONS

FUNCTIONS = Path(__file__).parents[2] / "functions"
IN_THE_CHAT = ADDONS / "leadline/static/src/chat/service_words.js"
OF_A_LINE = ADDONS / "leadline/models/leadline_line_held.py"

UNKNOWN = meaning(-1).plain


def _said_by_the_service() -> set[str]:
    parts = (FUNCTIONS / part for part in ("core", "sender", "chat"))
    trees = (ast.parse(file.read_text()) for part in parts for file in part.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _written_down(file: Path) -> set[str]:
    return set(re.findall(r'_l?t\("([^"]+)"\)', file.read_text()))


def test_whatever_metas_errors_mean_can_be_translated() -> None:
    assert {known.plain for known in MEANINGS.values()} | {UNKNOWN} <= _written_down(IN_THE_CHAT)


def test_whatever_stops_a_line_can_be_translated() -> None:
    assert {known.plain for known in MEANINGS.values() if known.decision is Decision.ACCOUNT} <= _written_down(
        OF_A_LINE
    )


def test_no_sentence_is_translated_that_nobody_says() -> None:
    assert (_written_down(IN_THE_CHAT) | _written_down(OF_A_LINE)) - _said_by_the_service() == set()
