"""The microphone: listens for two seconds, and says what came."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from voxtui.audio.devices import list_devices, load_sounddevice
from voxtui.audio.level import measure
from voxtui.audio.source import AudioError, Source
from voxtui.doctor.finding import Finding, broken, note, ok
from voxtui.events import AudioBlock, CaptureChanged, CaptureEvent, CaptureState, Notice
from voxtui.machine.packages import install

LISTEN_S = 2.0
OPEN_S = 8.0
"""A device may take so long before it delivers (Bluetooth)."""
ZERO_DBFS = -119.0
FAINT_DBFS = -65.0


def library(here: str) -> Finding:
    """PortAudio, and what it sees."""
    try:
        load_sounddevice()
        devices = list_devices()
    except AudioError as error:
        cause, _, fix = str(error).partition(": ")
        return broken("sound", f"{cause.rstrip('.')}.", fix[:1].upper() + fix[1:])
    names = [device.id for device in devices]
    if not devices:
        fix = "Plug one in. In a container or over SSH, sound has to be passed on first."
        if here not in ("macos", "") and not os.path.exists("/dev/snd"):
            fix += f" Through a sound server: {install('portaudio', here)}"
        return broken("sound", "There is no microphone.", fix, devices=names)
    some = f"{len(names)} microphones" if len(names) > 1 else "1 microphone"
    return ok("sound", f"PortAudio sees {some}; the usual one is {names[0]}.", devices=names)


@dataclass(slots=True)
class Heard:
    """What came from a microphone."""

    name: str = ""
    state: CaptureState = CaptureState.PREPARING
    detail: str = ""
    loudest_dbfs: float = -120.0
    peak_dbfs: float = -120.0
    seconds: float = 0.0
    clipped: bool = False
    told: list[str] = field(default_factory=list)

    def take(self, event: CaptureEvent) -> None:
        """Take in what a source posts."""
        match event:
            case CaptureChanged(state, source, detail):
                self.state, self.name, self.detail = state, source, detail
            case AudioBlock(pcm):
                level = measure(pcm)
                self.seconds += len(pcm) / 32_000
                self.loudest_dbfs = max(self.loudest_dbfs, level.rms_dbfs)
                self.peak_dbfs = max(self.peak_dbfs, level.peak_dbfs)
                self.clipped = self.clipped or level.clipped
            case Notice(_, message):
                self.told.append(message)


def listen(make: Callable[[], Source]) -> Finding:
    """Open the microphone as a session would, and listen."""
    heard, enough = Heard(), threading.Event()

    def post(event: CaptureEvent) -> None:
        heard.take(event)
        if heard.seconds >= LISTEN_S or heard.state is CaptureState.FAILED:
            enough.set()

    try:
        source = make()
    except AudioError as error:
        return broken("microphone", str(error))
    source.start(post)
    enough.wait(OPEN_S + LISTEN_S)
    source.stop()
    return judge(heard)


def judge(heard: Heard) -> Finding:
    """What it means. Pure."""
    name = heard.name or "The microphone"
    facts: dict[str, Any] = {
        "microphone": heard.name,
        "loudest_dbfs": round(heard.loudest_dbfs, 1),
        "peak_dbfs": round(heard.peak_dbfs, 1),
        "seconds": round(heard.seconds, 2),
    }
    if heard.state is CaptureState.FAILED:
        return broken("microphone", heard.detail or f"{name} cannot be opened.", **facts)
    if heard.seconds == 0:
        fix = "Take it out and in again, or choose another: voxtui devices."
        return broken("microphone", f"{name} was opened and delivers nothing.", fix, **facts)
    if heard.peak_dbfs <= ZERO_DBFS:
        from voxtui.audio.monitor import silence_causes

        cause, _, fix = silence_causes().partition(": ")
        told = f"{name}: {cause[:1].lower()}{cause[1:]}, only zeros."
        return broken("microphone", told, fix[:1].upper() + fix[1:], **facts)
    told = f"{name}: {heard.loudest_dbfs:.0f} dB at its loudest in {heard.seconds:.0f} s."
    if heard.told:
        told = f"{heard.told[0]} {told}"
    if heard.clipped:
        return note("microphone", told, "It is too loud: less gain, or further away.", **facts)
    if heard.loudest_dbfs < FAINT_DBFS:
        return note("microphone", told, "That is very quiet: speak while it listens.", **facts)
    if heard.told:
        return note("microphone", told, "Choose another in the settings.", **facts)
    return ok("microphone", told, **facts)
