"""One Markdown file a day: paragraphs are added as they settle, and follow what becomes of them.

The file is the person's: what they wrote into it, and paragraphs of ours that they changed there,
are never touched. Only a line that still stands as it was written follows its paragraph.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path

from voxtui.events import Segment
from voxtui.files import replace_text
from voxtui.session.markdown import day, paragraph

BLANK = "\n\n"


def _name(segment: Segment) -> str:
    return time.strftime("%Y-%m-%d.md", time.localtime(segment.wall_time))


def add(folder: Path, segment: Segment) -> None:
    """Add a paragraph to its day's file. OSError when it cannot be written."""
    path = folder / _name(segment)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if file.tell() == 0:
            file.write(f"# {day(segment.wall_time)}\n")
        file.write(f"\n{paragraph(segment)}\n")


def follow(folder: Path, before: Iterable[Segment], after: Iterable[Segment]) -> None:
    """Bring the days' files from the paragraphs as they were to what they are now.

    OSError when a file cannot be written.
    """
    old, new = _by_day(before), _by_day(after)
    for name in old:
        path = folder / name
        if old[name] == new.get(name, []) or not path.exists():
            continue
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        now = followed(text, old[name], new.get(name, []))
        if now != text:
            replace_text(path, now, errors="surrogateescape")


def _by_day(segments: Iterable[Segment]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, group in groupby(segments, _name):
        found.setdefault(name, []).extend(paragraph(s) for s in group if s.text)
    return found


def followed(text: str, old: Sequence[str], new: Sequence[str]) -> str:
    """A file with the paragraphs `old` in it as it reads with `new` in their place. Pure.

    Those that are not there any more stay away, and so do the ones that would replace them.
    """
    lines = text.split("\n")
    cells: list[str | None] = [*lines]
    last = -1  # the line of the last paragraph that was found
    homeless: list[str] = []  # of the very beginning: they go before the first that is found

    def found(wanted: str) -> bool:
        nonlocal last
        if wanted not in lines[last + 1 :]:
            return False
        last = lines.index(wanted, last + 1)
        return True

    for step, first, end, begin, until in SequenceMatcher(None, old, new, False).get_opcodes():
        made = new[begin:until]
        if step == "insert" and last < 0:
            homeless = [*made]
            continue
        if step == "insert":
            cells[last] = BLANK.join([cell for cell in (cells[last], *made) if cell is not None])
            continue
        places = [last for wanted in old[first:end] if found(wanted)]
        if homeless and places:
            cells[places[0]] = BLANK.join([*homeless, lines[places[0]]])
            homeless = []
        if step != "equal" and places:
            for place in places:
                cells[place] = None
                if place and not lines[place - 1]:
                    cells[place - 1] = None
            if made:
                kept = cells[places[0] - 1] is None
                cells[places[0]] = ("\n" if kept else "") + BLANK.join(made)
    now = "\n".join(cell for cell in cells if cell is not None)
    return now + "".join(f"\n{made}\n" for made in homeless)
