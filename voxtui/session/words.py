"""From the engine's tokens to words, with what else they could be. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from voxtui.events import Alternative, TokenText, Word

WORD_ROOM_S = 0.4
"""A word is told at its end: so much of a silence may still become one."""

SECONDS_PER_CHARACTER = 0.06
"""Only the end of a word is known; its start is estimated from its length."""

SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


def word_start_s(word: Word, floor_s: float) -> float:
    """Where a word probably began: not before `floor_s`, the end of the word before it."""
    estimate = word.end_s - SECONDS_PER_CHARACTER * len(word.text.strip())
    return min(max(estimate, floor_s), word.end_s)


def add_token(words: list[Word], token: TokenText, floor_s: float) -> None:
    """Append a token's text to the words: to the last one, or as a new one."""
    if not words or token.word_start:
        end_s = max(token.time_s, words[-1].end_s if words else floor_s)
        words.append(Word(token.text, end_s, token.probability, token.alternatives))
        return
    last = words[-1]
    probability, alternatives = last.probability, last.alternatives
    if token.probability < probability:
        probability = token.probability
        alternatives = _once(_in_place(last.text, other) for other in token.alternatives)
    elif any(c.isalnum() for c in token.text):
        # What else an earlier piece could be is only how another word begins.
        alternatives = tuple(replace(other, whole=False) for other in alternatives)
    else:  # a stop belongs to the other words too
        alternatives = tuple(replace(other, text=other.text + token.text) for other in alternatives)
    words[-1] = Word(
        last.text + token.text, max(token.time_s, last.end_s), probability, alternatives
    )


def _in_place(begun: str, other: Alternative) -> Alternative:
    """The word, had it gone on otherwise; with a new word, had it been over."""
    text = begun if other.text[:1].isspace() else begun + other.text
    return Alternative(text, other.probability)


def _once(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    found: dict[str, Alternative] = {}
    for other in alternatives:
        found.setdefault(other.text, other)
    return tuple(found.values())
