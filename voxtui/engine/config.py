"""What the engine is started with, and how patient its supervisor is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LEAST_LIKELY = "0.95"
"""Other tokens are shown from a twentieth of the best one's probability on."""


LEAST_STEP_S = 0.08
"""The engine's smallest step: the sound of one token."""


def step_limit(interval_s: float, low_latency: bool) -> float:
    """The most sound gathered before a step, in seconds; --low-latency halves it."""
    return max(interval_s / 2, LEAST_STEP_S) if low_latency else interval_s


@dataclass(frozen=True, slots=True)
class Remote:
    """A server: where it is, how it speaks, and how the model is called there."""

    url: str
    dialect: str
    model: str


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One engine process. 0, "auto" and None leave the choice to the engine.

    `name` is one of `voxtui.settings.ENGINES`, but for "auto". `binary` is the program of ours or
    of upstream. `alternatives` is how many other tokens may be shown for each, at most 4.
    `background`: other programs, other engines too, come first on the processor.
    """

    model: Path
    name: str = "voxtral_c"
    delay_ms: int = 0
    interval_s: float = 0.5
    threads: int = 0
    precision: str = "auto"
    alternatives: int = 0
    binary: Path | None = None
    background: bool = False
    remote: Remote | None = None
    backend: str = "auto"

    def command(self, find: Callable[[], Path]) -> list[str]:
        """The command line that starts it; `find` tells where our own engine's program is."""
        if self.name == "voxtral_c":
            args = [str(self.binary or find())]
            args += ["--backend", self.backend] if self.backend != "auto" else []
        else:
            args = [sys.executable, "-P", "-m", "voxtui.engine.workers", self.name]
        if self.name == "upstream":
            args += ["--binary", str(self.binary)]
        if self.remote is not None:
            args += ["--url", self.remote.url, "--dialect", self.remote.dialect]
        return args + self._choices()

    def _choices(self) -> list[str]:
        """What all engines take."""
        model = str(self.model) if self.remote is None else self.remote.model
        args = ["-d", model, "--framed", "--events", "-I", f"{self.interval_s:g}"]
        if self.delay_ms:
            args += ["--delay", str(self.delay_ms)]
        if self.threads:
            args += ["--threads", str(self.threads)]
        if self.precision != "auto":
            args += ["--precision", self.precision]
        if self.alternatives:
            args += ["--alt", LEAST_LIKELY]
        return args


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient the supervisor is, in seconds."""

    backoff: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
    """Before each new start without progress; after the last one it gives up."""
    healthy: float = 60.0
    """A process that had nothing left to do and ran this long was no failure."""
    stats: float = 0.1
    stall: float = 30.0
    """No output although words are due, and no computing either."""
    stall_busy: float = 300.0
    """No output although words are due, whatever it computes."""
    stall_loading: float = 120.0
    """No output while it loads, and no computing either."""
    quit: float = 2.0
    """From the quit frame to the end, when nothing is left to do."""
