"""What the command line may ask of the terminal application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class UiOptions:
    """One start of the application. What is None comes from the settings."""

    input: str | None = None
    """A file to hear in place of the microphone, or "-" for standard input."""
    demo: bool = False
    """Hear the recording that comes with the package, with the small model."""
    captions: bool = False
    """Begin with captions, hands-free."""
    engine: str | None = None
    model: str | None = None
    delay_ms: int | None = None
    interval_s: float | None = None
    low_latency: bool = False
    """Short for the smallest sensible interval."""
    device: str | None = None
    sessions_dir: Path | None = None
