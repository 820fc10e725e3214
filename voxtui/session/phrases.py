"""Where a mark goes that was made while somebody spoke: between phrases, not into one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from voxtui.events import Word
from voxtui.session.words import SENTENCE_ENDS, WORD_ROOM_S, word_start_s

PHRASE_PAUSE_S = 0.4
"""So much silence between two words ends a phrase."""


def place_of_mark(
    words: Sequence[Word],
    at_s: float,
    *,
    floor_s: float,
    done_s: float,
    until_s: float,
    ends: int = -1,
) -> int | None:
    """How many of the words come before a mark at `at_s`; None while it cannot be told.

    The nearest end of a phrase wins. `floor_s` is where the words before these ended; all words
    up to `done_s` are out, and none of those up to `until_s` will grow. After `ends` words a
    phrase certainly ends.
    """
    if not words:
        return 0
    before, before_s = 0, word_start_s(words[0], floor_s)
    if at_s <= before_s:
        return 0
    for count, word in enumerate(words, 1):
        following = words[count] if count < len(words) else None
        if count != ends and not _ends_phrase(word, following, done_s, until_s):
            continue
        if word.end_s > at_s:
            return before if at_s - before_s <= word.end_s - at_s else count
        if following is None or at_s <= word_start_s(following, word.end_s):
            return count  # in the silence behind it
        before, before_s = count, word_start_s(following, word.end_s)
    return before if at_s - before_s <= done_s - at_s else None


def _ends_phrase(word: Word, following: Word | None, done_s: float, until_s: float) -> bool:
    if following is None:
        quiet_s = done_s - word.end_s - WORD_ROOM_S
        return word.end_s <= until_s or quiet_s >= PHRASE_PAUSE_S
    if word.text.rstrip().endswith(SENTENCE_ENDS):
        return True
    return word_start_s(following, word.end_s) - word.end_s >= PHRASE_PAUSE_S
