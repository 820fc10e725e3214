"""What a person makes of settled text: new words in old places. Pure.

The words that stay keep their times; those that are new share the time of those they replace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from voxtui.events import Segment, SegmentKind, Word

_WORD = re.compile(r"\s*\S+")
_FIRST_IDEOGRAPH = "\u2e80"
"""From here on words are written without spaces between them."""


def edited(original: Segment, text: str) -> Segment:
    """The segment as it was settled, with another text; without text it was taken away."""
    text = " ".join(text.split())
    if text == original.text:
        return original
    if original.kind is not SegmentKind.SPEECH:
        return replace(original, note=text)
    return replace(original, words=_rewritten(original.words, text, original.start_s))


def _rewritten(words: Sequence[Word], text: str, start_s: float) -> tuple[Word, ...]:
    """Words that together are the text; those at its beginning and end that are as before stay."""
    old = [word.text if index else word.text.lstrip() for index, word in enumerate(words)]
    head = _common(old, text)
    at = sum(len(word) for word in old[:head])
    backwards = [word[::-1] for word in reversed(old[head:])]
    tail = _common(backwards, text[at:][::-1], spaced=False)
    kept = len(old) - tail
    middle = text[at : len(text) - sum(len(word) for word in old[kept:])]
    made = list(words[:head])
    made += _aligned(words[head:kept], middle, made[-1].end_s if made else start_s)
    made += words[kept:]
    if not kept and len(made) > len(words):  # what was first follows other words now
        first = len(made) - len(words)
        made[first] = replace(words[0], text=old[0])
    if made and words and not head:
        lead = words[0].text[: len(words[0].text) - len(words[0].text.lstrip())]
        made[0] = replace(made[0], text=lead + made[0].text.lstrip())
    return tuple(made)


def _common(words: Sequence[str], text: str, *, spaced: bool = True) -> int:
    """How many words the text begins with; `spaced`: a space may follow them."""
    at = count = 0
    for number, word in enumerate(words, 1):
        if not text.startswith(word, at):
            break
        at += len(word)
        if _is_boundary(text, at) and (spaced or not text[at : at + 1].isspace()):
            count = number
    return count


def _is_boundary(text: str, at: int) -> bool:
    if at == len(text):
        return True
    before, after = text[at - 1], text[at]
    return not (before.isalnum() and after.isalnum() and max(before, after) < _FIRST_IDEOGRAPH)


def _aligned(words: Sequence[Word], text: str, floor_s: float) -> list[Word]:
    """New words where old ones were."""
    new = _WORD.findall(text)
    made: list[Word] = []
    bare = [word.text.strip() for word in words]
    steps = SequenceMatcher(None, bare, [word.strip() for word in new], autojunk=False)
    for step, begin, end, first, last in steps.get_opcodes():
        if step == "equal":
            made += [
                replace(word, text=text)
                for word, text in zip(words[begin:end], new[first:last], strict=True)
            ]
            floor_s = words[end - 1].end_s
            continue
        until_s = max(floor_s, words[end - 1].end_s) if end > begin else floor_s
        number = last - first
        made += [
            Word(word, min(until_s, round(floor_s + (until_s - floor_s) * (at + 1) / number, 3)))
            for at, word in enumerate(new[first:last])
        ]
        floor_s = until_s
    return made
