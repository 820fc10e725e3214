#!/usr/bin/env python3
"""Pictures of the real application: the small model, the engine and a bundled recording.

    .venv/bin/python scripts/screenshots.py [NAME...]

The recording is heard by a stand-in for a microphone, at the speed of speech, and what is seen is
what the engine wrote at that moment. Each state is taken at 120x40, 80x24 and 60x20, dark and
light, as SVG, and drawn as PNG by Chromium (Debian: apt install chromium fonts-firacode) into
screenshots/.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from voxtui import paths  # noqa: E402
from voxtui.audio.source import Source  # noqa: E402
from voxtui.events import (  # noqa: E402
    BYTES_PER_SECOND,
    AudioBlock,
    CaptureChanged,
    CaptureEvent,
    CaptureState,
    EngineState,
)
from voxtui.settings import Settings  # noqa: E402
from voxtui.ui.app import VoxtuiApp  # noqa: E402
from voxtui.ui.backend import LocalBackend  # noqa: E402
from voxtui.ui.options import UiOptions  # noqa: E402
from voxtui.ui.preferences import Preferences  # noqa: E402
from voxtui.ui.screens.models import ModelsScreen  # noqa: E402
from voxtui.ui.terminal.clipboard import Copied  # noqa: E402
from voxtui.ui.widgets.meter import LevelMeter  # noqa: E402
from voxtui.ui.widgets.transcript import TranscriptView  # noqa: E402

SIZES = ((120, 40), (80, 24), (60, 20))
LOOKS = ("dark", "light")
FEW = ((120, "dark"), (80, "light"))
BLOCK_S = 0.04
LOUD_DB = -26.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class StandInMicrophone:
    """Hears silence until `speak` is set, then a recording, then silence again."""

    name = "Desk Microphone"

    def __init__(self, clip: Path) -> None:
        with wave.open(str(clip)) as file:
            self._pcm = file.readframes(file.getnframes())
        self.speak, self.spoken = threading.Event(), threading.Event()
        self.still = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        self._thread = threading.Thread(target=self._run, args=(post,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, post: Callable[[CaptureEvent], None]) -> None:
        post(CaptureChanged(CaptureState.RUNNING, self.name))
        size, at, due = int(BLOCK_S * BYTES_PER_SECOND), 0, time.monotonic()
        while not self._stopped.is_set():
            if self.still.is_set():
                due = time.monotonic() + BLOCK_S
                time.sleep(BLOCK_S)
                continue
            block = b""
            if self.speak.is_set():
                block, at = self._pcm[at : at + size], at + size
                if at >= len(self._pcm):
                    self.spoken.set()
            post(AudioBlock(block.ljust(size, b"\0")))
            due += BLOCK_S
            time.sleep(max(0.0, due - time.monotonic()))


class StandInBackend(LocalBackend):
    """The real chain, hearing the stand-in."""

    heard: StandInMicrophone

    def _microphone(self, device: str, gain_db: float) -> Callable[[], Source]:  # type: ignore[override]
        self.heard = StandInMicrophone(paths.clips_dir() / "demo.wav")
        return lambda: self.heard


class Camera:
    """Takes the states in order, each in all sizes and looks, while the microphone holds still."""

    def __init__(self, out: Path, wanted: list[str]) -> None:
        self.out = out
        self.microphone: StandInMicrophone | None = None
        self.wanted = wanted
        self.taken: list[Path] = []

    async def take(self, pilot: Pilot[None], name: str, *, few: bool = False) -> None:
        """Picture a state; with `few` only wide and dark, and usual and light."""
        if self.wanted and name not in self.wanted:
            return
        app = pilot.app
        assert self.microphone is not None
        self.microphone.still.set()
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            for look in LOOKS:
                if few and (width, look) not in FEW:
                    continue
                app.theme = f"voxtui-{look}"
                await pilot.pause(0.05)
                svg = self.out / f"{name}-{look}-{width}x{height}.svg"
                svg.write_text(app.export_screenshot(simplify=True), encoding="utf-8")
                self.taken.append(svg)
        await pilot.resize_terminal(*SIZES[0])
        await pilot.pause(0.05)
        self.microphone.still.clear()


async def wait(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"It did not come to this: {what}.")
        await asyncio.sleep(0.02)


async def session(camera: Camera) -> None:
    """One run of the application, from the first start to the help."""
    options = UiOptions()
    backend = StandInBackend(options, Settings())
    camera.microphone = backend.heard
    preferences = Preferences(Settings(), None, options)
    app = VoxtuiApp(backend, preferences, copier=lambda text: Copied("copied", sure=True))
    async with app.run_test(size=SIZES[0]) as pilot:
        state, view = app.live.state, app.live.query_one(TranscriptView)
        press: Callable[..., Awaitable[None]] = pilot.press
        await wait(lambda: state.engine.state is EngineState.READY, "the model is loaded")
        page = app.screen
        assert isinstance(page, ModelsScreen)
        await wait(lambda: page.look is not None and page.look.advised, "a look around")
        await pilot.pause(0.2)
        await camera.take(pilot, "first-run")
        await press("escape")
        await camera.take(pilot, "idle", few=True)

        await press("l")
        backend.heard.speak.set()
        await wait(lambda: app.live.copybook.words >= 4, "the first words")
        backend.heard.still.set()
        await press("m", *"try the kitchen light", "enter")
        backend.heard.still.clear()
        await wait(lambda: app.live.copybook.words >= 9, "more words")
        needle = app.live.query_one(LevelMeter).needle
        await wait(lambda: needle.level > LOUD_DB, "a loud moment")
        await camera.take(pilot, "live")
        await press("s", "tab", "down")
        await pilot.pause(0.3)
        await camera.take(pilot, "settings")
        await press("escape")
        await wait(backend.heard.spoken.is_set, "the end of the recording")
        await press("l")
        await wait(lambda: not state.words_due, "the last words")
        await press("question_mark")
        await camera.take(pilot, "help", few=True)
        print("heard:", " | ".join(block.text for block in view.page.blocks))
        await press("escape", "q")
        await wait(lambda: app._exit, "everything is kept")


def draw(svg: Path) -> None:
    """SVG to PNG, in the size it has."""
    browser = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("Chromium is needed to draw: apt install chromium fonts-firacode")
    box = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg.read_text(encoding="utf-8"))
    assert box is not None
    width, height = (int(float(side)) + 1 for side in box.groups())
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    arguments += ["--default-background-color=00000000", f"--window-size={width},{height}"]
    arguments += [f"--screenshot={svg.with_suffix('.png')}", svg.as_uri()]
    subprocess.run([browser, *arguments], check=True, capture_output=True, timeout=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these states")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--keep-svg", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    camera = Camera(options.out.resolve(), options.names)
    with tempfile.TemporaryDirectory() as home:
        for name in ("VOXTUI_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ.pop(name, None)
        os.environ["HOME"] = home
        asyncio.run(session(camera))
    for svg in camera.taken:
        draw(svg)
        if not options.keep_svg:
            svg.unlink()
    print(f"{len(camera.taken)} pictures in {options.out}")


if __name__ == "__main__":
    main()
