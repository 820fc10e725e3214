"""A session's files from elsewhere, or damaged: read as far as they can be, never a crash."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import sessions
from voxtui.session import export, load_session
from voxtui.session.exports import FORMATS
from voxtui.session.folder import EVENTS, SUMMARY
from voxtui.session.index import SessionIndex
from voxtui.session.library import list_sessions
from voxtui.session.retake import utterances

ODD = (
    None, True, -1, 1e18, 1e308, float("inf"), float("-inf"), float("nan"), 10**400, "",
    "\x1b]52;c;AAAA\x07", "\ud800", [], {}, [[]], [["a"]], [["a", "b", "c"]], {"a": 1}, "x" * 9999,
)  # fmt: skip


def damaged(fields: dict[str, Any], rng: random.Random) -> Iterator[str]:
    """A line with each of its fields gone, or something odd in its place."""
    for name in fields:
        yield json.dumps({key: value for key, value in fields.items() if key != name})
        for odd in rng.sample(ODD, 6):
            yield json.dumps({**fields, name: odd})


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_read_as_far_as_they_go(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = sessions.make(tmp_path, "one two three", "four", note="look").path
    lines = [json.loads(line) for line in (path / EVENTS).read_text().splitlines()]
    summary = json.loads((path / SUMMARY).read_text())
    for at, line in enumerate(lines):
        for bad in damaged(line, rng):
            new = [*map(json.dumps, lines[:at]), bad, *map(json.dumps, lines[at + 1 :])]
            (path / EVENTS).write_text("\n".join(new) + "\n")
            look_at(path)
    for bad in damaged(summary, rng):
        (path / SUMMARY).write_text(bad)
        look_at(path)
    for text in ("[" * 100_000, "[]", "7", "\x00", "{"):
        (path / SUMMARY).write_text(text)
        (path / EVENTS).write_text(text + "\n")
        look_at(path)


def look_at(path: Path) -> None:
    loaded = load_session(path)
    for fmt in FORMATS:
        text = export(loaded.segments, fmt, loaded.meta)
        assert "\x1b" not in text
        text.encode()
    utterances(path, 32000, 0.0)
    (info,) = list_sessions(path.parent)
    assert "\x1b" not in info.first_words + info.title


def test_an_index_of_damaged_sessions(tmp_path: Path) -> None:
    path = sessions.make(tmp_path, "one two three").path
    with (path / EVENTS).open("a") as log:
        log.write('{"type":"retracted","from":1,"kept":Infinity}\n' + "[" * 100_000 + "\n")
    (path / SUMMARY).unlink()
    index = SessionIndex(tmp_path, tmp_path / "index.sqlite")
    index.refresh()
    assert [info.words for info in index.sessions()] == [3]
    index.close()
