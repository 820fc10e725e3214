#!/usr/bin/env python3
"""How the application feels, in numbers, against a bare Textual application.

    .venv/bin/python scripts/bench_ui.py [--json FILE]

All in a pseudo-terminal of 120x40. Start: from the process's start to the first drawn page. Key:
from a key press to the next drawn change. Meter: the processor time of the whole process while a
level comes thirty times a second and each looks different, less the same at rest, as percent of
one core; the thread that sends the levels is not counted. Bare: a label that changes as often.
"Above listening" leaves out the second hand and the caret, which move without a level too.
"""

from __future__ import annotations

import argparse
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
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from voxtui.events import Level

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
RUNS, KEYS = 3, 10
METER_S, METER_RUNS, RATE = 4.0, 3, 30


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


def levels(emit: Callable[[Level], None], seconds: float) -> None:
    """Somebody speaks: so many levels a second, each another."""
    from voxtui.events import Level

    begun = time.perf_counter()
    for number in range(int(seconds * RATE)):
        loud = -30 + 20 * math.sin(number / 5)
        emit(Level(loud, loud + 8))
        time.sleep(max(0.0, begun + (number + 1) / RATE - time.perf_counter()))


def percent(action: Callable[[float], None]) -> float:
    """What a few seconds of this cost, of one core: this whole process counts."""
    before, begun = time.process_time(), time.perf_counter()
    action(METER_S)
    return 100 * (time.process_time() - before) / (time.perf_counter() - begun)


def meter_in_terminal(report: Path) -> None:
    """In the terminal it is started in: our page, at rest, listening, and with a moving meter."""
    from tests.ui.support import FakeBackend, app_with
    from voxtui.events import ListeningChanged

    backend = FakeBackend()
    app = app_with(backend, own_terminal=True)

    def measure() -> None:
        time.sleep(2.0)
        found: dict[str, list[float]] = {"rest": [], "listening": [], "meter": [], "sender": []}
        for _ in range(METER_RUNS):
            found["rest"].append(percent(time.sleep))
            found["sender"].append(
                percent(lambda seconds: levels(lambda level: None, seconds)) - found["rest"][-1]
            )
            backend.emit(ListeningChanged(True))
            time.sleep(1.0)
            found["listening"].append(percent(time.sleep))
            found["meter"].append(percent(lambda seconds: levels(backend.emit, seconds)))
            backend.emit(ListeningChanged(False))
            time.sleep(1.0)
        report.write_text(json.dumps(found))
        app.call_from_thread(app.exit)

    threading.Thread(target=measure, daemon=True).start()
    app.run()


def label_in_terminal(report: Path) -> None:
    """The same for a label in a bare application."""
    from textual.app import App
    from textual.widgets import Label

    class Bare(App[None]):
        def compose(self):  # type: ignore[no-untyped-def]
            yield Label("0")

    app = Bare()

    def show(level: Level) -> None:
        loop = app._loop
        assert loop is not None
        bar = "█" * round(40 + level.rms_dbfs / 2)
        loop.call_soon_threadsafe(lambda: app.query_one(Label).update(bar))

    def measure() -> None:
        time.sleep(2.0)
        found: dict[str, list[float]] = {"rest": [], "meter": [], "sender": []}
        for _ in range(METER_RUNS):
            found["rest"].append(percent(time.sleep))
            found["sender"].append(
                percent(lambda seconds: levels(lambda level: None, seconds)) - found["rest"][-1]
            )
            found["meter"].append(percent(lambda seconds: levels(show, seconds)))
        report.write_text(json.dumps(found))
        app.call_from_thread(app.exit)

    threading.Thread(target=measure, daemon=True).start()
    app.run()


def in_terminal(name: str) -> dict[str, float]:
    """The medians of what one of the two above found."""
    with tempfile.TemporaryDirectory() as home:
        report = Path(home) / "report.json"
        code = f"import sys; sys.argv[1:] = ['--inside', '{name}', '{report}'];"
        code += f"import runpy; runpy.run_path({str(Path(__file__))!r}, run_name='__main__')"
        master, process, _ = spawn(code, Path(home))
        try:
            while process.poll() is None:
                quiet(master, 0.2)
        except OSError:  # it has left
            process.wait()
        os.close(master)
        found = json.loads(report.read_text())
    return {key: statistics.median(values) for key, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=("start", "meter"), help="measure this alone")
    parser.add_argument("--inside", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        what, report = options.inside
        (meter_in_terminal if what == "voxtui" else label_in_terminal)(Path(report))
        return
    rows: list[tuple[str, float, float]] = []
    if options.only != "meter":
        ours, bare = [], []
        for _ in range(RUNS):  # in turns, so that a busy moment hits both
            bare.append(start_and_keys(BARE, b"READY", b"ab"))
            ours.append(start_and_keys(APPLICATION, b"voxtui", b"l"))
        start, start_ = (statistics.median(run[0] for run in runs) for runs in (ours, bare))
        key, key_ = (
            statistics.median(ms for _, all_ in runs for ms in all_) for runs in (ours, bare)
        )
        rows += [("start to first page, ms", start, start_), ("key to next change, ms", key, key_)]
    if options.only != "start":
        mine, plain = in_terminal("voxtui"), in_terminal("bare")
        label = plain["meter"] - plain["rest"] - plain["sender"]
        drawn = mine["meter"] - mine["sender"]
        rows += [
            ("meter at 30/s, % of a core", drawn - mine["rest"], label),
            ("  of it above listening", drawn - mine["listening"], label),
            ("page at rest, % of a core", mine["rest"], plain["rest"]),
        ]
    print(f"{'':28}{'voxtui':>9}{'bare':>9}{'ratio':>8}{'own':>9}")
    for name, mine_, plain_ in rows:
        ratio = mine_ / plain_ if plain_ > 0 else math.nan
        print(f"{name:28}{mine_:>9.2f}{plain_:>9.2f}{ratio:>8.1f}{mine_ - plain_:>9.2f}")
    if options.json:
        found = {name.strip(): {"voxtui": mine_, "bare": plain_} for name, mine_, plain_ in rows}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
