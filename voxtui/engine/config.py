"""What the engine is started with, and how patient its supervisor is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LEAST_LIKELY = "0.95"
"""Other tokens are shown from a twentieth of the best one's probability on."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """One engine process. 0, "auto" and None leave the choice to the engine.

    `alternatives` is how many other tokens may be shown for each, at most 4. `background`: other
    programs, other engines too, come first on the processor.
    """

    model: Path
    delay_ms: int = 0
    interval_s: float = 0.5
    threads: int = 0
    precision: str = "auto"
    alternatives: int = 0
    binary: Path | None = None
    background: bool = False

    def command(self, binary: Path) -> list[str]:
        """The command line that starts `binary` with these choices."""
        args = [str(binary), "-d", str(self.model), "--framed", "--events"]
        args += ["-I", f"{self.interval_s:g}"]
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
    """No output although sound waits, and no computing either."""
    stall_busy: float = 300.0
    """No output although sound waits, whatever it computes."""
    quit: float = 2.0
    """From the quit frame to the end, when nothing is left to do."""
