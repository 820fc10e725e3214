"""Searching in the library."""

from __future__ import annotations

import threading
from pathlib import Path

from textual.widgets import Input

from tests.support.sessions import STARTED, make
from tests.ui.settling import quiet
from tests.ui.shelves import CAFE, PATIENCE_S, library, listed, text, until
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.widgets.sessionlist import SessionList


async def test_typing_searches_all_at_once(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press(*"CAFE li")
        await quiet(pilot)
        assert listed(screen) == [CAFE]
        reader = screen.query_one(ReaderView)
        assert reader.places == 3
        assert text(screen, "places") == "1 of 3"
        assert "1 of 3 sessions" in text(screen, "top")
        block = reader.page.block(reader.match.block).text if reader.match else ""
        assert block == "the café is open"
        await pilot.press("down", "n", "n")
        assert text(screen, "places") == "3 of 3"
        await pilot.press("n")
        assert text(screen, "places") == "1 of 3"
        await pilot.press("N")
        assert text(screen, "places") == "3 of 3"
        await pilot.press("escape")
        await quiet(pilot)
        assert len(listed(screen)) == 3
        assert screen.query_one(Input).value == ""


async def test_the_page_does_not_wait_for_the_file_of_the_search(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press("slash", *"caf")
        await until(pilot, lambda: listed(screen) and len(listed(screen)) < 3)
        index, held, let_go = screen.index(), threading.Event(), threading.Event()

        def hold() -> None:
            with index._lock:
                held.set()
                let_go.wait(PATIENCE_S)

        threading.Thread(target=hold).start()
        assert held.wait(PATIENCE_S)
        try:
            shelf = screen.query_one(SessionList)
            screen._snippets.begin(screen.query_)
            began = screen._snippets.of(shelf.entries[0])
            assert began is None, "it would have waited"
        finally:
            let_go.set()
        await until(pilot, lambda: screen._snippets.of(shelf.entries[0]))


async def test_nothing_found(three: list[Path]) -> None:
    async with library() as (pilot, screen):
        await pilot.press(*"zebra")
        await quiet(pilot)
        assert listed(screen) == []
        assert "Nothing was found" in text(screen, "blank")
        assert screen.has_class("-blank")
        await pilot.press(*["backspace"] * 5)
        await quiet(pilot)
        assert len(listed(screen)) == 3
        assert not screen.has_class("-blank")


async def test_a_place_deep_in_a_huge_session(root: Path) -> None:
    import json

    path = make(root, "x").path
    lines = [json.dumps({"type": "session", "format": 1, "started": STARTED})]
    for number in range(50_000):
        at_s = number * 2.0 + 1
        word = " needle" if number == 49_000 else f" word{number}"
        lines.append(json.dumps({"type": "token", "text": word, "time": at_s, "start": True}))
        segment = {"kind": "speech", "start": at_s - 0.3, "end": at_s, "wall": STARTED + at_s}
        lines.append(json.dumps({"type": "segment", **segment, "words": 1}))
    lines.append(json.dumps({"type": "closed", "audio": 100_000, "done": 100_000}))
    (path / "events.jsonl").write_text("\n".join(lines) + "\n")
    (path / "session.json").unlink()
    async with library() as (pilot, screen):
        await pilot.press(*"needle")
        reader = screen.query_one(ReaderView)
        await until(pilot, lambda: reader.match is not None)
        assert reader.match is not None
        y = reader.page.find_row(reader.match.block)
        await until(pilot, lambda: 0 <= y - reader.scroll_offset.y < reader.size.height)
        assert reader.page.block(reader.match.block).text == "needle"
