"""All checks in order, for the command and for the screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voxtui.audio.source import Source
from voxtui.doctor import clipboard, engine, files, sound, terminal
from voxtui.doctor.finding import Finding, ok
from voxtui.doctor.terminal import Answers
from voxtui.machine import packages
from voxtui.machine.hardware import hardware
from voxtui.settings import Settings


def _size() -> tuple[int, int]:
    columns, rows = shutil.get_terminal_size()
    return columns, rows


@dataclass(slots=True)
class Patient:
    """What is looked at. `microphone` None: its check is somebody else's."""

    settings: Settings
    microphone: Callable[[], Source] | None
    model: str = "auto"
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    answers: Answers = field(default_factory=Answers)
    size: tuple[int, int] = field(default_factory=_size)


@dataclass(frozen=True, slots=True)
class Check:
    """A name to show while it runs, and what runs."""

    what: str
    run: Callable[[], Finding]


def checks(patient: Patient) -> list[Check]:
    """Quick ones first."""
    here = packages.here()
    env, chosen, microphone = patient.env, patient.settings, patient.microphone
    found = [
        Check("machine", machine),
        Check("terminal", lambda: terminal.screen(env, patient.size, terminal.encoding())),
        Check("keys", lambda: terminal.keys(env, patient.answers)),
        Check("clipboard", lambda: clipboard.copies(env, here, patient.answers)),
        Check("settings", files.settings_file),
        Check("folders", lambda: files.folders(chosen)),
        Check("disk", lambda: files.room(chosen)),
        Check("sound", lambda: sound.library(here)),
        Check("engine", engine.program),
        Check("gpu", lambda: engine.gpu(chosen.engine)),
        Check("ggml", lambda: engine.other("ggml", chosen)),
        Check("upstream", lambda: engine.other("upstream", chosen)),
        Check("realtime", lambda: engine.other("realtime", chosen)),
        Check("model", lambda: files.model(patient.model, hardware())),
        Check("speed", lambda: engine.speed(patient.model, chosen)),
    ]
    if microphone is not None:
        found.insert(8, Check("microphone", lambda: sound.listen(microphone)))
    return found


def machine() -> Finding:
    """What it runs on; nothing to judge."""
    here = hardware()
    memory = f"{here.memory / 1e9:.0f} GB" if here.memory else "memory unknown"
    able = ", ".join(here.instructions) or "plain"
    cores = f"{here.cores} core{'' if here.cores == 1 else 's'}"
    return ok(
        "machine",
        f"{here.system}; {here.processor or here.architecture}, {cores} ({able}), {memory}"
        + (f", {here.gpu}" if here.gpu else "")
        + ".",
        system=here.system,
        processor=here.processor,
        architecture=here.architecture,
        instructions=list(here.instructions),
        cores=here.cores,
        memory=here.memory,
        gpu=here.gpu,
    )
