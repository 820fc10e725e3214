"""A backend that does what a test says, and words to say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxtui import paths
from voxtui.engine.models import Model
from voxtui.events import (
    CaptureChanged,
    CaptureState,
    Edit,
    EngineChanged,
    EngineState,
    EngineStats,
    Event,
    Level,
    ListeningChanged,
    Segment,
    SegmentKind,
    SessionOpened,
    TranscriptChanged,
    Word,
)
from voxtui.machine.hardware import Hardware
from voxtui.machine.terminal import Clipboard, Terminal
from voxtui.models import catalog, estimate
from voxtui.models.catalog import KnownModel
from voxtui.models.progress import Progress
from voxtui.models.store import Entry, Finding
from voxtui.session.edits import edited
from voxtui.settings import Settings
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.backend import Abilities, Choice, Listener
from voxtui.ui.preferences import Preferences
from voxtui.ui.shelf import Look, ShelfError, Told
from voxtui.ui.terminal.clipboard import Copied

NINE_THIRTY = 1_767_000_660.0  # 09:31 in UTC

READY = EngineChanged(
    EngineState.READY,
    engine="voxtral_c",
    model="/models/Voxtral-Mini-4B-Realtime-2602",
    precision="Q8_0",
    backend="cpu",
    delay_ms=480,
    interval_s=0.5,
)
SMALL = EngineChanged(
    EngineState.READY, model="/x/tiny", precision="bf16", delay_ms=480, interval_s=0.5
)
HEARING = CaptureChanged(CaptureState.RUNNING, "MacBook Microphone")


class FrozenClock:
    """Time goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def machine(**other: Any) -> Hardware:
    """A laptop."""
    return replace(
        Hardware(
            system="Debian GNU/Linux 12 (bookworm)",
            processor="AMD Ryzen 7 4750U",
            architecture="x86_64",
            instructions=("AVX2",),
            cores=8,
            memory=16_300_000_000,
            memory_available=11_900_000_000,
            gpu="",
        ),
        **other,
    )


class FakeShelf:
    """Models and a machine as a test says; `told` is what a download would tell."""

    def __init__(self, hardware: Hardware | None = None) -> None:
        self.hardware = hardware or machine()
        self.installed: dict[str, Model] = {}
        self.parts: dict[str, int] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.told: Told = lambda told: None
        self.findings: list[Finding] = []
        self.microphones: tuple[str, ...] = ("MacBook Microphone",)
        self.models = {"/models/mine": "/models/mine"}
        """What `check` knows."""
        self.bandwidth = 30e9
        self.progress: tuple[Progress, ...] = ()
        """What a download tells as soon as it is begun."""

    def install(self, short: str) -> Entry:
        known = catalog.find_known(short)
        assert known is not None
        path = Path("/models") / known.name
        self.installed[known.name] = Model(known.name, path, builtin=False, size=known.size)
        return next(entry for entry in self.look().entries if entry.name == known.name)

    def look(self) -> Look:
        entries = [
            Entry(
                known.name,
                known.title,
                known.size,
                known,
                self.installed.get(known.name),
                self.parts.get(known.name, 0),
            )
            for known in catalog.CATALOG
            if known.short != "bf16"
        ]
        tiny = Model("tiny", Path("/x/tiny"), builtin=True, size=9_000_000)
        entries.append(Entry("tiny", "Small model", tiny.size, None, tiny, 0))
        return Look(
            hardware=self.hardware,
            terminal=Terminal("kitty", "", False, 1 << 24, True),
            clipboard=Clipboard("xclip", sure=True),
            entries=tuple(entries),
            disk_free=78_000_000_000,
            auto=self.auto_name(),
        )

    def look_closer(self, look: Look) -> Look:
        speeds = {
            known.name: estimate.expected_speed(known, self.hardware, self.bandwidth)
            for known in catalog.CATALOG
        }
        advised = estimate.recommended(self.hardware, self.bandwidth).name
        return replace(look, microphones=self.microphones, speeds=speeds, advised=advised)

    def auto_name(self) -> str:
        return min(self.installed, key=lambda name: self.installed[name].size, default="tiny")

    def check(self, path: str) -> str:
        if path not in self.models:
            raise ShelfError(f"There is no model {path!r}.")
        return self.models[path]

    def verify(self, entry: Entry, heard: Callable[[int, int], None]) -> list[Finding]:
        self.calls.append(("verify", entry.name))
        heard(1, 2)
        return self.findings

    def remove(self, entry: Entry) -> None:
        self.calls.append(("remove", entry.name))
        self.installed.pop(entry.name, None)
        self.parts.pop(entry.name, None)

    def fetch(self, model: KnownModel, told: Told) -> Callable[[], None]:
        self.calls.append(("fetch", model.name))
        self.told = told
        for each in self.progress:
            told(each)
        return lambda: self.calls.append(("stop", model.name))


class FakeBackend:
    """Records what the page asks for; `emit` is what the chain would tell."""

    def __init__(
        self,
        script: Iterable[Event] = (HEARING, READY),
        *,
        small_model: bool = False,
        source_name: str = "",
        record: Callable[[str], None] | None = None,
    ) -> None:
        self.script = list(script)
        self.small_model = small_model
        self.source_name = source_name
        self.hears_file = bool(source_name)
        self.calls: list[tuple[Any, ...]] = []
        self.shelf = FakeShelf()
        self._record = record
        self._listener: Listener = lambda event: None
        self.settled: list[Segment] = []
        self.originals: dict[int, Segment] = {}
        self.last = TranscriptChanged()
        self.sessions_dir = paths.sessions_dir()
        self.opened = False
        self.obeys = True
        """Does it answer `listen` as the real one does?"""

    def emit(self, *events: Event) -> None:
        for event in events:
            if isinstance(event, TranscriptChanged):
                self.settled += event.settled
                self.last = event
            elif isinstance(event, SessionOpened):
                self.settled.clear()
            self._listener(event)

    def _call(self, *call: Any) -> None:
        self.calls.append(call)
        if self._record is not None:
            self._record(" ".join(str(part) for part in call))

    def start(self, listener: Listener) -> None:
        self._listener = listener
        self._call("start")
        self.emit(SessionOpened("2025-12-29_09-31", "/nowhere/2025-12-29_09-31"), *self.script)

    def open(self) -> None:
        self.opened = True

    def listen(self, on: bool) -> None:
        self._call("listen", on)
        if self.obeys:
            self.emit(ListeningChanged(on))

    def hands_free(self, on: bool) -> None:
        self.free = on

    def note(self, text: str, at_s: float | None, wall_time: float) -> None:
        self._call("note", text)

    def edit(self, edits: Sequence[Edit]) -> None:
        self._call("edit", *edits)
        changed = []
        for edit in edits:
            assert self.settled[edit.segment].text == edit.was
            before = self.originals.setdefault(edit.segment, self.settled[edit.segment])
            self.settled[edit.segment] = edited(before, edit.text)
            changed.append((edit.segment, self.settled[edit.segment]))
        self.emit(replace(self.last, settled=(), edited=tuple(changed)))

    def reread_vocabulary(self) -> None:
        self._call("reread_vocabulary")

    def new_session(self) -> None:
        self._call("new_session")

    def use_microphone(self, devices: Sequence[str], gain_db: float) -> None:
        self._call("use_microphone", devices, gain_db)

    def use_engine(self, settings: Settings) -> None:
        chosen = settings.engine
        self._call("use_engine", chosen.name, chosen.precision, chosen.backend, chosen.threads)

    def use(self, settings: Settings) -> None:
        self._call("use", settings)
        self.used = settings

    def use_model(self, spec: str) -> None:
        self._call("use_model", spec)
        self.small_model = spec == "tiny" or (spec == "auto" and not self.shelf.installed)

    def use_delay(self, delay_ms: int) -> None:
        self._call("use_delay", delay_ms)

    def use_interval(self, interval_s: float) -> None:
        self._call("use_interval", interval_s)

    def microphones(self) -> list[Choice]:
        return [
            Choice("system default", "system default", "whatever the system uses"),
            Choice("ALSA: USB", "USB Headset", "ALSA"),
        ]

    def models(self) -> list[Choice]:
        return [
            Choice("auto", "best installed"),
            Choice("/models/v", "Voxtral 4B", "8.9 GB"),
            Choice("tiny", "small model"),
        ]

    def engines(self) -> list[Choice]:
        return [
            Choice("auto", "auto", "What measured best here."),
            Choice("voxtral_c", "voxtral_c, built in", "Our own."),
            Choice("realtime", "a server", "Not here: no server is named."),
        ]

    def abilities(self) -> Abilities:
        return Abilities(("auto", "bf16", "q8_0", "q4_k"), ("auto", "cpu"))

    def close(self, timeout_s: float) -> None:
        self.close_s = timeout_s
        self._call("close")


def app_with(
    backend: FakeBackend,
    *,
    settings: Settings | None = None,
    clock: Callable[[], float] = time.monotonic,
    copied: list[str] | None = None,
    settings_file: Path | None = None,
    **more: Any,
) -> VoxtuiApp:
    """The application with a fake backend and a clipboard that is a list."""
    clips = copied if copied is not None else []

    def copier(text: str) -> Copied:
        clips.append(text)
        return Copied("copied", sure=True)

    preferences = Preferences(settings or Settings(), settings_file)
    return VoxtuiApp(backend, preferences, copier=copier, clock=clock, **more)


# ---- words


def words(text: str, start_s: float, pace_s: float = 0.3) -> tuple[Word, ...]:
    return tuple(
        Word(" " + word, round(start_s + pace_s * (index + 1), 2))
        for index, word in enumerate(text.split())
    )


def speech(text: str, start_s: float = 0.0, wall_time: float = NINE_THIRTY) -> Segment:
    spoken = words(text, start_s)
    end_s = spoken[-1].end_s if spoken else start_s
    return Segment(SegmentKind.SPEECH, start_s, end_s, wall_time + start_s, spoken)


def note(text: str, at_s: float) -> Segment:
    return Segment(SegmentKind.NOTE, at_s, at_s, NINE_THIRTY + at_s, note=text)


def gap(text: str, at_s: float) -> Segment:
    return Segment(SegmentKind.GAP, at_s, at_s, NINE_THIRTY + at_s, note=text)


TALK = (
    speech(
        "So the first thing is that we ship the small model with the package, and nobody has"
        " to download anything before they see words."
    ),
    speech(
        "The second thing is the latency. It should feel like the words were already there.", 62
    ),
    note("decide about the delay", 80),
)
TAIL = speech("And when the engine is behind, it says so, it never throws audio away, and", 122)


def talk() -> tuple[TranscriptChanged, ...]:
    """A page with three paragraphs and one that is being spoken."""
    return (TranscriptChanged(TALK), TranscriptChanged((), TAIL))


def stats(done_s: float, in_s: float, speed: float = 2.1) -> EngineStats:
    work_ms = done_s / speed * 1000
    return EngineStats(in_s, done_s, work_ms / 2, work_ms / 2, round(done_s / 0.08), 31.5)


LOUD = Level(-18.0, -9.0)
