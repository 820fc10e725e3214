#!/usr/bin/env python3
"""Pictures of the real application: the small model, the engine and a bundled recording.

    .venv/bin/python scripts/screenshots.py [NAME...]

The recording is heard by a stand-in for a microphone, at the speed of speech, and what is seen is
what the engine wrote at that moment; the terminal is said to be kitty. Each state is taken dark at
120x40 and light at 80x24, some in other sizes too, as SVG, and drawn as PNG by Chromium (Debian:
apt install chromium fonts-firacode) into screenshots/.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import wave
from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from voxtui import paths  # noqa: E402
from voxtui.audio import devices  # noqa: E402
from voxtui.audio.devices import Device  # noqa: E402
from voxtui.audio.source import Source  # noqa: E402
from voxtui.doctor import sound  # noqa: E402
from voxtui.doctor.sound import LISTEN_S  # noqa: E402
from voxtui.engine.locate import find_engine  # noqa: E402
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
from voxtui.ui.local import LocalBackend  # noqa: E402
from voxtui.ui.options import UiOptions  # noqa: E402
from voxtui.ui.preferences import Preferences  # noqa: E402
from voxtui.ui.screens.models import ModelsScreen  # noqa: E402
from voxtui.ui.terminal.clipboard import Copied  # noqa: E402
from voxtui.ui.widgets.meter import LevelMeter  # noqa: E402
from voxtui.ui.widgets.transcript import TranscriptView  # noqa: E402

LARGE, WIDE, USUAL, NARROW = (200, 50), (120, 40), (80, 24), (60, 20)
BOTH = ((WIDE, "dark"), (USUAL, "light"))
"""Each state is pictured so."""
EARLIER = ("cafe.wav", "please_write.wav", "digits.wav", "kitchen_light.wav")
"""Sessions for the library."""
PAGES: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("help", ("question_mark",), 0.2),
    ("models", ("g",), 0.5),
    ("library", ("b", "down", "up"), 1.0),
    ("vocabulary", ("w", *"cooper netties = Kubernetes", "enter", *"um =", "enter"), 0.2),
    ("doctor", ("h", "x", "f2"), LISTEN_S + 2.0),
)
"""Pages, the keys to them, and the seconds until all is there."""
BLOCK_S = 0.04
SAMPLES = int(BLOCK_S * BYTES_PER_SECOND) // 2
LOUD_DB = -26.0
Size = tuple[int, int]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class StandInMicrophone:
    """Hears silence, but for a recording that is played; nothing moves while it is `still`."""

    name = "Desk Microphone"

    def __init__(self) -> None:
        self._pcm, self._lock = b"", threading.Lock()
        noise = random.Random(1)
        self._room = array("h", (noise.randint(-9, 9) for _ in range(SAMPLES))).tobytes()
        self.spoken, self.still = threading.Event(), threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def play(self, clip: str) -> None:
        """Hear this recording from its beginning."""
        with wave.open(str(paths.clips_dir() / clip)) as file:
            pcm = file.readframes(file.getnframes())
        with self._lock:
            self.spoken.clear()
            self._pcm = pcm

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        self._thread = threading.Thread(target=self._run, args=(post,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, post: Callable[[CaptureEvent], None]) -> None:
        post(CaptureChanged(CaptureState.RUNNING, self.name))
        size, due = int(BLOCK_S * BYTES_PER_SECOND), time.monotonic()
        while not self._stopped.is_set():
            if self.still.is_set():
                due = time.monotonic() + BLOCK_S
                time.sleep(BLOCK_S)
                continue
            with self._lock:
                block, self._pcm = self._pcm[:size], self._pcm[size:]
                if block and not self._pcm:
                    self.spoken.set()
            post(AudioBlock(block + self._room[len(block) : size]))
            due += BLOCK_S
            time.sleep(max(0.0, due - time.monotonic()))


def only_the_stand_in() -> list[Device]:
    """The microphones that a look around finds."""
    name = StandInMicrophone.name
    return [Device(name, "ALSA", f"ALSA: {name}", default=True, channels=1, rate=48_000)]


class StandInBackend(LocalBackend):
    """The real chain, hearing the stand-in."""

    heard: StandInMicrophone

    def _microphone(self, device: str, gain_db: float) -> Callable[[], Source]:  # type: ignore[override]
        self.heard = StandInMicrophone()
        return lambda: self.heard


class Camera:
    """Takes the states in order, each in all sizes and looks, while the microphone holds still."""

    def __init__(self, out: Path, wanted: list[str]) -> None:
        self.out = out
        self.microphone: StandInMicrophone | None = None
        self.wanted = wanted
        self.taken: list[Path] = []

    async def take(self, pilot: Pilot[None], name: str, *more: tuple[Size, str]) -> None:
        """Picture a state, in `more` sizes and looks than the two of all."""
        if self.wanted and name not in self.wanted:
            return
        assert self.microphone is not None
        self.microphone.still.set()
        for size, look in (*BOTH, *more):
            await pilot.resize_terminal(*size)
            pilot.app.theme = f"voxtui-{look}"
            await pilot.pause(0.2)
            svg = self.out / f"{name}-{look}-{size[0]}x{size[1]}.svg"
            svg.write_text(pilot.app.export_screenshot(simplify=True), encoding="utf-8")
            self.taken.append(svg)
        pilot.app.theme = "voxtui-dark"
        await pilot.resize_terminal(*WIDE)
        await pilot.pause(0.05)
        self.microphone.still.clear()


async def wait(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"It did not come to this: {what}.")
        await asyncio.sleep(0.02)


class Desk:
    """The application at work, and what is done with it from one picture to the next."""

    def __init__(self, app: VoxtuiApp, heard: StandInMicrophone, pilot: Pilot[None]) -> None:
        self.app = app
        self.heard = heard
        self.pilot = pilot
        self.press: Callable[..., Awaitable[None]] = pilot.press

    async def written(self) -> None:
        """All that was said is written."""
        await wait(lambda: not self.app.live.state.words_due, "the last words")

    async def dictate(self, clip: str) -> None:
        """A session of its own."""
        self.heard.play(clip)
        await self.press("l")
        await wait(self.heard.spoken.is_set, f"the end of {clip}")
        await self.press("l")
        await self.written()
        await self.press("n")
        await self.pilot.pause(0.3)


async def session(camera: Camera) -> None:
    """One run of the application, from the first start to the vocabulary."""
    options = UiOptions()
    backend = StandInBackend(options, Settings())
    camera.microphone = backend.heard
    preferences = Preferences(Settings(), None, options)
    app = VoxtuiApp(backend, preferences, copier=lambda text: Copied("copied", sure=True))
    app.live.talking.hold_possible = True  # as kitty has told after the first key
    async with app.run_test(size=WIDE) as pilot:
        desk = Desk(app, backend.heard, pilot)
        await beginning(desk, camera)
        for clip in EARLIER:
            await desk.dictate(clip)
        await listening(desk, camera)
        await reading(desk, camera)
        await around(desk, camera)
        await desk.press("q")
        await wait(lambda: app._exit, "everything is kept")


async def beginning(desk: Desk, camera: Camera) -> None:
    """The first page, and the page before the first word."""
    state = desk.app.live.state
    await wait(lambda: state.engine.state is EngineState.READY, "the model is loaded")
    page = desk.app.screen
    assert isinstance(page, ModelsScreen)
    await wait(lambda: page.look is not None and page.look.advised, "a look around")
    await desk.pilot.pause(0.2)
    await camera.take(desk.pilot, "first-run")
    await desk.press("escape")
    await camera.take(desk.pilot, "idle")


async def listening(desk: Desk, camera: Camera) -> None:
    """While words come."""
    live, heard = desk.app.live, desk.heard
    await desk.press("l")
    heard.play("demo.wav")
    await wait(lambda: live.copybook.words >= 6, "the first sentence")
    heard.still.set()
    await desk.press("m", *"try the kitchen light", "enter")
    heard.still.clear()
    await wait(lambda: live.copybook.words >= 10, "more words")
    needle = live.query_one(LevelMeter).needle
    await wait(lambda: needle.level > LOUD_DB, "a loud moment")
    await camera.take(desk.pilot, "live", (NARROW, "dark"), (LARGE, "dark"))
    await desk.press("f")
    await camera.take(desk.pilot, "captions")
    await desk.press("f")
    await desk.press("s", "tab", "down")
    await desk.pilot.pause(0.3)
    await camera.take(desk.pilot, "settings", (WIDE, "light"))
    await desk.press("escape")
    await wait(heard.spoken.is_set, "the end of the recording")
    await desk.press("l")
    await desk.written()


async def reading(desk: Desk, camera: Camera) -> None:
    """What is done with words that are there."""
    print("heard:", " | ".join(b.text for b in desk.app.live.query_one(TranscriptView).page.blocks))
    await desk.press("slash", *"coffee")
    await desk.pilot.pause(0.3)
    await camera.take(desk.pilot, "search")
    await desk.press("escape", "escape", "left", "e")
    await desk.pilot.pause(0.3)
    await camera.take(desk.pilot, "editing")
    await desk.press("escape", "escape", "escape")


async def around(desk: Desk, camera: Camera) -> None:
    """The other pages."""
    for name, keys, seconds in PAGES:
        if name == "doctor":
            desk.heard.play("please_write.wav")
        await desk.press(*keys)
        await desk.pilot.pause(seconds)
        await desk.app.workers.wait_for_complete()
        await camera.take(desk.pilot, name)
        await desk.press("escape")
        if desk.app.screen is not desk.app.live:
            await desk.press("escape")


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
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
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
        for name in ("TMUX", "STY", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
            os.environ.pop(name, None)
        os.environ.update(TERM="xterm-kitty", COLORTERM="truecolor")
        for module in (devices, sound):
            vars(module)["list_devices"] = only_the_stand_in
        os.environ["VOXTUI_ENGINE"] = shutil.copy(find_engine(), home)  # no place of this machine
        asyncio.run(session(camera))
    for svg in camera.taken:
        draw(svg)
        if not options.keep_svg:
            svg.unlink()
    print(f"{len(camera.taken)} pictures in {options.out}")


if __name__ == "__main__":
    main()
