"""How far a download is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """What is being done."""

    ASKING = "asking the server"
    LOADING = "loading"
    CHECKING = "checking"
    WAITING = "waiting"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. Bytes, bytes a second, seconds; `left_s` is None while it cannot be told."""

    phase: Phase
    done: int = 0
    total: int = 0
    rate: float = 0.0
    left_s: float | None = None
    note: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0
