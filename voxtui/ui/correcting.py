"""From a paragraph as somebody rewrote it to edits of the segments it is made of. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from voxtui.events import Edit
from voxtui.ui.widgets.page import Block

LONGEST_RULE = 4
"""Words on either side of a correction that may be worth a rule."""
_PUNCTUATION = ".,;:!?…\"'“”‘’«»()[]–—"


def _steps(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def corrections(block: Block, text: str) -> tuple[Edit, ...]:
    """The edits that make a paragraph of settled segments read `text`.

    New words go to the segment of those they replace, or follow.
    """
    parts = [part for part in block.parts if part.number >= 0]
    old = [(at, word) for at, part in enumerate(parts) for word in part.segment.text.split()]
    new = text.split()
    homes: list[list[str]] = [[] for _ in parts]
    for step, begin, end, first, last in _steps([word for _, word in old], new):
        if step == "equal":
            for at, word in old[begin:end]:
                homes[at].append(word)
        elif new[first:last]:
            home = old[begin if begin < end else max(0, begin - 1)][0] if old else 0
            homes[home] += new[first:last]
    made = [Edit(p.number, p.segment.text, " ".join(w)) for p, w in zip(parts, homes, strict=True)]
    return tuple(edit for edit in made if " ".join(edit.was.split()) != edit.text)


def removal(block: Block) -> tuple[Edit, ...]:
    """The edits that take a paragraph away."""
    return tuple(
        Edit(part.number, part.segment.text, "")
        for part in block.parts
        if part.number >= 0 and part.segment.text
    )


def corrected(before: str, after: str) -> tuple[str, str] | None:
    """The one run of words that was put right: what was heard and what was meant.

    None when nothing, too much, or more than one thing changed.
    """
    old, new = before.split(), after.split()
    steps = [step for step in _steps(old, new) if step[0] != "equal"]
    if len(steps) != 1 or steps[0][0] != "replace":
        return None
    _, begin, end, first, last = steps[0]
    if max(end - begin, last - first) > LONGEST_RULE:
        return None
    heard = " ".join(old[begin:end]).strip(_PUNCTUATION)
    meant = " ".join(new[first:last]).strip(_PUNCTUATION)
    return (heard, meant) if heard and meant and heard != meant else None
