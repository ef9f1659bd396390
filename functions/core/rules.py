"""What a business has decided about the customers of a line: what its CRM says once, and the functions keep to."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, convert
from msgspec.structs import asdict


class Rules(Struct, frozen=True):
    """The rules of one line.

    `opt_in`: marketing templates only go to who agreed to marketing; otherwise to all who did not object.
    `stop_words`, `resume_words`: known beside everybody's (`core.consent`). `stop_reply`: the business's own words to
    who wants no more, `stop_replied`: whether they are told at all. `language`: of our words where it gives none.
    `notice`: what every customer is told once about their data, with its link; empty for nothing.
    """

    opt_in: bool = True
    stop_words: tuple[str, ...] = ()
    resume_words: tuple[str, ...] = ()
    stop_replied: bool = True
    stop_reply: str = ""
    language: str = "en"
    notice: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the rules as the line's document keeps them."""
        return {name: list(kept) if isinstance(kept, tuple) else kept for name, kept in asdict(self).items()}


USUAL = Rules()


def rules_of(fields: Mapping[str, Any]) -> Rules:
    """Return a line's rules from its document; of a line that nobody has spoken of, the usual ones."""
    return convert(fields.get("rules", {}), Rules)
