#!/usr/bin/env python3
"""How the application feels, in numbers, against a bare Textual application.

    .venv/bin/python scripts/bench_ui.py [--json FILE]

Start: from the process's start to the first drawn page, in a pseudo-terminal of 120x40. Key: from
a key press to the next drawn change. Meter: the processor time that a level thirty times a second
costs, as percent of one core; for the bare application a label that changes as often.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import math
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

BARE = """
from textual.app import App
from textual.widgets import Label
class Bare(App):
    def compose(self):
        yield Label("READY")
    def on_key(self, event):
        self.query_one(Label).update(f"key {event.key}")
Bare().run()
"""
APPLICATION = "from voxtui.cli.main import main; main()"
SETTINGS = '[engine]\nmodel = "tiny"\n[appearance]\ndismissed_first_run = true\n'
RUNS, KEYS, METER_S, RATE = 3, 10, 3.0, 30


def spawn(code: str, home: Path) -> tuple[int, subprocess.Popen[bytes], float]:
    """A process with a terminal of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    env = os.environ | {
        "TERM": "xterm-256color",
        "VOXTUI_HOME": str(home),
        "PYTHONPATH": str(ROOT),
    }
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(slave)
    return master, process, begun


def until(master: int, text: bytes, seconds: float = 30.0) -> None:
    """Read until this was drawn."""
    seen, end = b"", time.perf_counter() + seconds
    while text not in seen:
        if not select.select([master], [], [], max(0.0, end - time.perf_counter()))[0]:
            raise SystemExit(f"{text!r} was never drawn")
        seen += os.read(master, 65536)


def quiet(master: int, seconds: float) -> None:
    """Read until nothing is drawn for so long."""
    while select.select([master], [], [], seconds)[0]:
        os.read(master, 65536)


def start_and_keys(code: str, ready: bytes, keys: bytes) -> tuple[float, list[float]]:
    """Milliseconds to the first page, and from key presses to the next change."""
    with tempfile.TemporaryDirectory() as home:
        settings = Path(home) / "config" / "voxtui.toml"
        settings.parent.mkdir()
        settings.write_text(SETTINGS)
        master, process, begun = spawn(code, Path(home))
        try:
            until(master, ready)
            start_ms = (time.perf_counter() - begun) * 1000
            quiet(master, 1.0)
            answers = []
            for number in range(KEYS):
                pressed = time.perf_counter()
                os.write(master, keys[number % len(keys)].to_bytes(1, "little"))
                if select.select([master], [], [], 2.0)[0]:
                    answers.append((time.perf_counter() - pressed) * 1000)
                quiet(master, 0.15)
            return start_ms, answers
        finally:
            process.kill()
            process.wait()
            os.close(master)


async def meter_percent() -> float:
    """Of one core, above what the same page costs at rest."""
    from tests.ui.support import FakeBackend, app_with
    from voxtui.events import Level

    backend = FakeBackend()
    app = app_with(backend)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l")
        await asyncio.sleep(1.0)

        async def cost(levels: bool) -> float:
            before, begun = time.process_time(), time.perf_counter()
            for number in range(int(METER_S * RATE)):
                if levels:
                    loud = -30 + 20 * math.sin(number / 5)
                    backend.emit(Level(loud, loud + 8))
                await asyncio.sleep(max(0.0, begun + (number + 1) / RATE - time.perf_counter()))
            return 100 * (time.process_time() - before) / (time.perf_counter() - begun)

        rest = await cost(levels=False)
        return await cost(levels=True) - rest


async def label_percent() -> float:
    """The same for a label in a bare application."""
    from textual.app import App
    from textual.widgets import Label

    class Bare(App[None]):
        def compose(self):  # type: ignore[no-untyped-def]
            yield Label("0")

    app = Bare()
    async with app.run_test(size=(120, 40)):
        label = app.query_one(Label)

        async def cost(changes: bool) -> float:
            before, begun = time.process_time(), time.perf_counter()
            for number in range(int(METER_S * RATE)):
                if changes:
                    label.update("█" * (number % 40))
                await asyncio.sleep(max(0.0, begun + (number + 1) / RATE - time.perf_counter()))
            return 100 * (time.process_time() - before) / (time.perf_counter() - begun)

        rest = await cost(changes=False)
        return await cost(changes=True) - rest


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    ours, bare = [], []
    for _ in range(RUNS):  # in turns, so that a busy moment hits both
        bare.append(start_and_keys(BARE, b"READY", b"ab"))
        ours.append(start_and_keys(APPLICATION, b"voxtui", b"l"))
    rows = [
        ("start to first page, ms", *(statistics.median(r[0] for r in x) for x in (ours, bare))),
        (
            "key to next change, ms",
            *(statistics.median(v for r in x for v in r[1]) for x in (ours, bare)),
        ),
        ("meter at 30/s, % of a core", asyncio.run(meter_percent()), asyncio.run(label_percent())),
    ]
    print(f"{'':28}{'voxtui':>9}{'bare':>9}{'ratio':>8}{'own':>9}")
    for name, mine, plain in rows:
        ratio = mine / plain if plain > 0 else math.nan
        print(f"{name:28}{mine:>9.1f}{plain:>9.1f}{ratio:>8.1f}{mine - plain:>9.1f}")
    if options.json:
        found = {name: {"voxtui": mine, "bare": plain} for name, mine, plain in rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
