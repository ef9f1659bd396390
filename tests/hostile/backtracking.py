"""How many steps a regular expression takes for a text, counted and not timed, as Python's own engine goes about it.

What backtracks without need takes far more steps for a text of twice the length, and a stranger chooses the length.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from re import _constants as op  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

MANY = 64
"""What may be repeated so often grows with the text."""
_SHORT, _LONG = 40, 80
_ALLOWED = 3
"""How many times the steps may grow for a text of twice the length: twice is what a single look at it takes."""

_OF_CATEGORY = {op.CATEGORY_DIGIT: "0", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a"}
_NOT_OF_CATEGORY = {op.CATEGORY_NOT_DIGIT: "a", op.CATEGORY_NOT_SPACE: "a", op.CATEGORY_NOT_WORD: "-"}


_MOST = 200
"""Steps for each letter, beyond which nobody counts."""


class TooMany(Exception):
    """More steps than anything linear takes."""


def grows(pattern: "re.Pattern[Any]", *, whole: bool) -> str | None:
    """Return a text of which one twice as long takes far more than twice the steps; None if there is none known.

    `whole`: the expression is tried at the beginning only, as `match` and `fullmatch` do.
    """
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    for text in _texts(tree):
        if _is_bytes(pattern):
            text = tuple(part.encode("latin-1", "replace").decode("latin-1") for part in text)
        counts = [_steps(tree, pattern.flags, text[0] + text[1] * n + text[2], whole) for n in (_SHORT, _LONG)]
        if counts[1] > _ALLOWED * counts[0] or counts[1] > _MOST * _LONG:
            return f"{text[0]!r} + {text[1]!r} × n + {text[2]!r} takes {counts[0]} steps, then {counts[1]}"
    return None


def has_no_end(pattern: "re.Pattern[Any]") -> bool:
    """Tell whether anything in it may be repeated as often as a text is long."""
    return any(high >= MANY for high in _highs(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))


def _is_bytes(pattern: "re.Pattern[Any]") -> bool:
    return isinstance(pattern.pattern, bytes)


def _highs(tree: Any) -> Iterator[int]:
    for kind, value in tree:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            yield int(value[1])
        for inner in _inside(kind, value):
            yield from _highs(inner)


def _inside(kind: Any, value: Any) -> Sequence[Any]:
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.BRANCH:
        return value[1]  # type: ignore[no-any-return]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is op.ATOMIC_GROUP else []


# Texts that make it work


def _texts(tree: Any) -> Iterator[tuple[str, str, str]]:
    """Yield a beginning, what is repeated, and an end that nothing takes."""
    letters = list(dict.fromkeys(_letters(tree)))[:7]
    units = [*letters, *map("".join, permutations(letters[:4], 2))]
    beginnings = dict.fromkeys(_least(tree[:count]) for count in range(len(tree)))
    for beginning in list(beginnings)[:6]:
        for unit in units:
            for end in ("", "\x00"):
                yield beginning, unit, end


def _letters(tree: Any) -> Iterator[str]:
    for kind, value in tree:
        if kind is op.LITERAL:
            yield chr(value)
        elif kind is op.IN:
            yield from _of_class(value)
        elif kind in (op.ANY, op.NOT_LITERAL):
            yield "x"
        for inner in _inside(kind, value):
            yield from _letters(inner)


def _of_class(items: Any) -> list[str]:
    if items[0][0] is op.NEGATE:
        return [one for one in "xa0 -/" if not _in_class(items[1:], one)][:2]
    found = []
    for kind, value in items:
        if kind is op.LITERAL:
            found.append(chr(value))
        elif kind is op.RANGE:
            found.append(chr(value[0]))
        else:
            found.append({**_OF_CATEGORY, **_NOT_OF_CATEGORY}[value])
    return found


def _least(tree: Any) -> str:
    """Return a short text that the expression takes."""
    said = ""
    for kind, value in tree:
        if kind is op.LITERAL:
            said += chr(value)
        elif kind is op.IN:
            said += _of_class(value)[0]
        elif kind in (op.ANY, op.NOT_LITERAL):
            said += "x"
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            said += _least(value[2]) * value[0]
        elif kind is op.SUBPATTERN:
            said += _least(value[3])
        elif kind is op.BRANCH:
            said += _least(value[1][0])
    return said


# Counting


def _steps(tree: Any, flags: int, text: str, whole: bool) -> int:
    walk = _Walk(text, flags, most=_MOST * len(text))
    try:
        for start in [0] if whole else range(len(text) + 1):
            # A full match fails at its end, which is what makes it go back.
            if any(end == len(text) or not whole for end in walk.ends(tree, 0, start)):
                break
    except TooMany:
        pass
    return walk.steps


class _Walk:
    def __init__(self, text: str, flags: int, most: int) -> None:
        self.steps = 0
        self._text = text
        self._fold = bool(flags & re.IGNORECASE)
        self._most = most

    def ends(self, tree: Any, index: int, at: int) -> Iterator[int]:
        """Yield each place where the rest of an expression may end that begins here, in the engine's order."""
        if index == len(tree):
            yield at
            return
        for after in self._one(*tree[index], at):
            yield from self.ends(tree, index + 1, after)

    def _one(self, kind: Any, value: Any, at: int) -> Iterator[int]:
        self.steps += 1
        if self.steps > self._most:
            raise TooMany
        if kind in (op.MAX_REPEAT, op.POSSESSIVE_REPEAT):
            yield from self._greedy(value, at)
        elif kind is op.MIN_REPEAT:
            yield from reversed(list(self._greedy(value, at)))
        elif kind is op.SUBPATTERN:
            yield from self.ends(value[3], 0, at)
        elif kind is op.ATOMIC_GROUP:
            yield from list(self.ends(value, 0, at))[:1]
        elif kind is op.BRANCH:
            for branch in value[1]:
                yield from self.ends(branch, 0, at)
        elif kind in (op.ASSERT, op.ASSERT_NOT):
            direction, inner = value
            start = at if direction > 0 else at - inner.getwidth()[0]
            holds = start >= 0 and any(True for _ in self.ends(inner, 0, start))
            if holds == (kind is op.ASSERT):
                yield at
        elif kind is op.AT:
            if self._stands(value, at):
                yield at
        elif at < len(self._text) and self._takes(kind, value, self._text[at]):
            yield at + 1

    def _greedy(self, value: Any, at: int) -> Iterator[int]:
        low, high, inner = value
        # Not by recursion: a text may be longer than the stack is deep.
        going: list[tuple[int, Iterator[int] | None]] = [(at, None)]
        while going:
            place, further = going[-1]
            if further is None:
                further = self.ends(inner, 0, place) if len(going) <= high else iter(())
                going[-1] = place, further
            following = next((end for end in further if end > place or len(going) <= low), None)
            if following is not None:
                going.append((following, None))
                continue
            going.pop()
            if len(going) >= low:
                yield place

    def _stands(self, value: Any, at: int) -> bool:
        if value in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0
        if value in (op.AT_END, op.AT_END_STRING):
            return at == len(self._text)
        sides = [0 <= place < len(self._text) and _is_word(self._text[place]) for place in (at - 1, at)]
        return (sides[0] != sides[1]) == (value is op.AT_BOUNDARY)

    def _takes(self, kind: Any, value: Any, letter: str) -> bool:
        if kind is op.ANY:
            return True
        if self._fold:
            return any(_fits(kind, value, one) for one in (letter.lower(), letter.upper()))
        return _fits(kind, value, letter)


def _fits(kind: Any, value: Any, letter: str) -> bool:
    if kind is op.LITERAL:
        return ord(letter) == value
    if kind is op.NOT_LITERAL:
        return ord(letter) != value
    negated = value[0][0] is op.NEGATE
    return _in_class(value[1:] if negated else value, letter) != negated


def _in_class(items: Any, letter: str) -> bool:
    return any(_is_one(kind, value, letter) for kind, value in items)


def _is_one(kind: Any, value: Any, letter: str) -> bool:
    if kind is op.LITERAL:
        return ord(letter) == value
    if kind is op.RANGE:
        return bool(value[0] <= ord(letter) <= value[1])
    tests = {
        op.CATEGORY_DIGIT: letter.isdigit(),
        op.CATEGORY_NOT_DIGIT: not letter.isdigit(),
        op.CATEGORY_SPACE: letter.isspace(),
        op.CATEGORY_NOT_SPACE: not letter.isspace(),
        op.CATEGORY_WORD: _is_word(letter),
        op.CATEGORY_NOT_WORD: not _is_word(letter),
    }
    return tests[value]


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
