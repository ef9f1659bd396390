"""How customers treat a prefilled text, and whether its reference is recognised: `python -m tests.mangling_table`.

Then as many ordinary messages, and how many of them name a link that there is.
"""

import random

from functions.core.reference import new_reference, references_in
from tests.core.test_reference import LOST, RECOGNISED, REFERENCE, ordinary

MESSAGES, LINKS = 10_000, 1_000


def main() -> None:
    treated = RECOGNISED | LOST
    for what, text in treated.items():
        found = references_in(text)
        said = "recognised" if REFERENCE in found else "not recognised" if not found else "TAKEN FOR ANOTHER"
        print(f"{what:36} {said:16} {_shown(text)}")
    recognised = sum(REFERENCE in references_in(text) for text in treated.values())
    print(
        f"\n{len(treated)} ways: {recognised} recognised, {len(treated) - recognised} not (the code itself is damaged)"
    )
    chance = random.Random(8)
    links = {new_reference() for _ in range(LINKS)}
    messages = [ordinary(chance) for _ in range(MESSAGES)]
    shaped = sum(bool(references_in(text)) for text in messages)
    false = sum(bool(links & set(references_in(text))) for text in messages)
    print(f"{MESSAGES:,} ordinary messages, {LINKS:,} links: {shaped} have the shape of a code, {false} name a link")


def _shown(text: str) -> str:
    return text[-60:].encode("unicode_escape").decode() if not text.isprintable() else text[-60:]


if __name__ == "__main__":
    main()
