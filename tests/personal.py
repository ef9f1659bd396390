"""What is personal in what the tests make: builders tell, and no log may say it (`tests.log_watch`)."""

_LEAST = 6
"""Letters of a name or a text that is worth looking for: shorter ones stand in everything."""

KNOWN: set[str] = set()


def know(*texts: str | None) -> None:
    """Remember what is personal: numbers, user ids, names, and what somebody wrote."""
    KNOWN.update(text for text in texts if text and len(text) >= _LEAST and not _is_a_word(text))


def _is_a_word(text: str) -> bool:
    """Tell whether a text is one common word, such as "changed": it tells of nobody, and our own logs say it."""
    return text.isascii() and text.isalpha() and text.islower()
