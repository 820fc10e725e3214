"""Foreign text made harmless: what an engine, a hook or a file from elsewhere calls words.

A terminal obeys control characters, whoever sent them; a lone surrogate cannot be written at all;
what turns the direction of writing (a bidirectional override) changes the rest of the line too.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_UNPRINTABLE = frozenset({"Cc", "Cs"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text with plain spaces, one for one, and without what would not stay in its place."""
    if text.isascii() and text.isprintable():
        return text
    text = _SPACES.sub(lambda m: " " * len(m[0]), text)
    return "".join(c for c in text if c not in _TURNING and _prints(c))


def _prints(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE
