#!/usr/bin/env python3
"""Measure the transcript with very many paragraphs: how long the screen ever stands still.

A task that wants to run every millisecond tells how long the event loop was busy at a stretch
while paragraphs are loaded, words come, somebody scrolls, resizes, searches, edits and copies: by
the clock (what the limit is for: run it on a quiet machine, for other programs count too), and in
processor time of its thread.
The same is done to a bare Textual application (one text that fills the screen), as the baseline
for what it costs to draw at all.

Prints a table; `--json FILE` writes the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import textual
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from voxtui.events import Segment, SegmentKind, TranscriptChanged, Word
from voxtui.ui.copying import CopyBook
from voxtui.ui.widgets.transcript import TranscriptView

LIMIT_MS = 50.0
WORDS = (
    "the first thing is that we ship small model with package and nobody has to download anything"
    " before they see words café naïve straße kitchen light music open stop number seven"
)
VOCABULARY = WORDS.split()


@dataclass(frozen=True)
class Result:
    """One action: the longest stretches, and how long until all is done."""

    name: str
    longest_ms: float
    p99_ms: float
    clock_ms: float
    seconds: float


class Page(App[None]):
    """The transcript alone."""

    CSS = "Screen { layers: base over; }"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        from voxtui.ui.theme import own_variables

        return own_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield TranscriptView()


class Bare(App[None]):
    """A text that fills the screen."""

    def compose(self) -> ComposeResult:
        yield Static("words " * 2000)


class Watch:
    """Tells how long the event loop was busy at a stretch."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.by_clock = 0.0

    @asynccontextmanager
    async def watching(self) -> Any:
        """Collect while something is done."""
        self.gaps, self.by_clock, on = [], 0.0, True

        async def beat() -> None:
            while on:
                began, clock = time.thread_time(), time.perf_counter()
                await asyncio.sleep(0.001)
                self.gaps.append((time.thread_time() - began) * 1000)
                self.by_clock = max(self.by_clock, (time.perf_counter() - clock) * 1000 - 1)

        task = asyncio.create_task(beat())
        await asyncio.sleep(0.005)
        yield
        on = False
        await task


def paragraphs(number: int, words: int, chance: random.Random) -> Iterator[Segment]:
    at_s = 0.0
    for _ in range(number):
        said = []
        begin_s = at_s
        for _ in range(chance.randrange(words // 2, words * 3 // 2)):
            at_s += 0.3
            said.append(Word(" " + chance.choice(VOCABULARY), round(at_s, 2), chance.random()))
        yield Segment(SegmentKind.SPEECH, begin_s, at_s, 1.7e9 + begin_s, tuple(said))
        at_s += 1.5


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def measured(
    pilot: Pilot[None], name: str, action: Callable[[], Awaitable[None]], repeat: int = 1
) -> Result:
    watch, began = Watch(), time.perf_counter()
    async with watch.watching():
        for _ in range(repeat):
            await action()
            await pilot.pause()
    seconds = time.perf_counter() - began
    gaps = sorted(watch.gaps)
    p99 = gaps[min(len(gaps) - 1, int(len(gaps) * 0.99))]
    return Result(
        name, round(gaps[-1], 1), round(p99, 1), round(watch.by_clock, 1), round(seconds, 3)
    )


async def bare() -> list[Result]:
    app = Bare()
    async with app.run_test(size=(120, 40)) as pilot:
        sizes = iter([(80, 24), (200, 50), (60, 20), (120, 40)] * 10)

        async def resize() -> None:
            await pilot.resize_terminal(*next(sizes))

        async def draw() -> None:
            app.query_one(Static).update("words " * 2000)

        return [
            await measured(pilot, "bare: resize", resize, 4),
            await measured(pilot, "bare: draw", draw, 30),
        ]


async def transcript(segments: list[Segment]) -> list[Result]:
    app = Page()
    async with app.run_test(size=(120, 40)) as pilot:
        view, results = app.query_one(TranscriptView), []
        chance = random.Random(2)
        copied: list[str] = []

        async def act(name: str, action: Callable[[], Awaitable[None]], repeat: int = 1) -> None:
            await until(lambda: not view.page.unfinished)
            results.append(await measured(pilot, name, action, repeat))

        async def load() -> None:
            view.change(TranscriptChanged(tuple(segments)))
            await until(lambda: not view.taking_in)

        number = 0

        async def say() -> None:
            nonlocal number
            number = number % 20 + 1
            last = segments[-1]
            tail = replace(last, start_s=last.end_s + 9, words=last.words[:number])
            view.change(TranscriptChanged((), tail))
            await asyncio.sleep(1 / 60)

        async def page_up() -> None:
            view.scroll_relative(y=-38, animate=False)
            await asyncio.sleep(0.005)

        async def jump() -> None:
            view.scroll_to(y=chance.randrange(view.page.row_count), animate=False)
            await asyncio.sleep(0.005)

        sizes = iter([(80, 24), (200, 50), (60, 20), (120, 40)])

        async def resize() -> None:
            await pilot.resize_terminal(*next(sizes))
            await until(lambda: not view.page.unfinished)

        async def jump_while_laying_out() -> None:
            await pilot.resize_terminal(100 + chance.randrange(20), 40)
            for _ in range(10):
                await jump()

        async def search() -> None:
            query = chance.choice(VOCABULARY)
            for end in range(1, len(query) + 1):
                view.search(query[:end])
                await asyncio.sleep(0.03)
            await until(lambda: not view._looking)

        async def step() -> None:
            view.step(-1)
            await asyncio.sleep(0.005)

        async def edit() -> None:
            index = chance.randrange(len(segments))
            other = replace(segments[index], words=segments[index + 1].words)
            view.change(TranscriptChanged((), None, ((index, other),)))
            await asyncio.sleep(0.005)

        async def move() -> None:
            view.move_cursor("line", -1, select=True)
            await asyncio.sleep(0.005)

        async def copy_all() -> None:
            book = CopyBook()
            book.change(TranscriptChanged(tuple(segments)))
            whole = await asyncio.to_thread(book.whole)
            assert whole is not None
            copied.append(whole.text)

        await act(f"load {len(segments):,} paragraphs", load)
        await act("words come, 60 a second", say, 120)
        await act("page up", page_up, 60)
        await act("jump anywhere", jump, 60)
        await act("resize, until all is laid out", resize, 4)
        view.return_to_end()
        await act("resize and jump at once", jump_while_laying_out, 4)
        await act("search while typing", search, 6)
        await act("to the next match", step, 60)
        await act("words come while searching", say, 60)
        view.stop_search()
        await act("edit a paragraph", edit, 30)
        await act("select line by line", move, 60)
        await act("copy all", copy_all)
        return results


def table(results: list[Result], base: dict[str, Result]) -> None:
    print(f"{'':36}{'longest':>10}{'99 %':>10}{'by clock':>10}{'in all':>10}{'to bare':>9}")
    for result in results:
        against = base["bare: resize" if "resize" in result.name else "bare: draw"]
        ratio = f"{result.longest_ms / against.longest_ms:.1f}×" if result is not against else ""
        print(
            f"{result.name:36}{result.longest_ms:>7.1f} ms{result.p99_ms:>7.1f} ms"
            f"{result.clock_ms:>7.1f} ms{result.seconds:>8.2f} s{ratio:>9}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--paragraphs", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=20, help="a paragraph, on average")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    segments = list(paragraphs(options.paragraphs, options.words, random.Random(1)))
    gc.collect()
    base = asyncio.run(bare())
    results = asyncio.run(transcript(segments))
    worst = max(result.clock_ms for result in results)
    computed = max(result.longest_ms for result in results)
    known = {result.name: result for result in base}
    table([*base, *results], known)
    print(f"\nThe screen never stood still for more than {worst:.0f} ms by the clock (wanted:")
    print(f"{LIMIT_MS:.0f}), and never computed for more than {computed:.0f} ms at a stretch.")
    load = os.getloadavg()[0]
    print(f"Load of the machine in the last minute, this included: {load:.1f} of {os.cpu_count()}.")
    if options.json:
        figures = {
            "paragraphs": len(segments),
            "words": sum(len(segment.words) for segment in segments),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "textual": textual.__version__,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "longest_clock_ms": worst,
            "longest_ms": computed,
            "median_longest_ms": statistics.median(result.longest_ms for result in results),
            "results": [asdict(result) for result in (*base, *results)],
        }
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")
    return 0 if worst <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
