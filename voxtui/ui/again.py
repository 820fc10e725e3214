"""A session that is being transcribed again: how far it is, for the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from voxtui.ui.backend import CannotStartError
from voxtui.ui.words import seconds

if TYPE_CHECKING:
    from voxtui.retranscription import Ended, Progress, Retranscription

INTERVAL_S = 2.0
"""Sound gathered before each step: nobody waits for single words here."""


@dataclass
class Again:
    """One job, as the page knows it. Only the page's thread changes it."""

    name: str  # of the session
    title: str  # for people
    model: str
    job: Retranscription | None = None
    progress: Progress | None = None
    ended: Ended | None = None
    cancelled: bool = field(default=False)

    @property
    def running(self) -> bool:
        """Is it at work?"""
        return self.ended is None

    @property
    def waiting(self) -> bool:
        """Is there something to decide?"""
        return self.ended is not None and self.ended.difference is not None

    def sentence(self) -> str:
        """Where it stands."""
        if self.waiting:
            return f"{self.title} is written again: T shows what differs."
        progress = self.progress
        if self.cancelled:
            return f"Stopping to write {self.title} again …"
        if progress is None or progress.loading:
            return f"Writing {self.title} again: loading {self.model} …"
        share = progress.done_s / progress.total_s if progress.total_s else 0.0
        left = seconds(max(0.0, progress.total_s - progress.done_s))
        return f"Writing {self.title} again: {share:.0%}, {left} of sound left."


def begin(
    path: Path,
    model: str,
    delay_ms: int,
    threads: int,
    listener: Callable[[Progress | Ended], object],
) -> Retranscription:
    """Start a job. CannotStartError with a sentence. Call from a thread: it reads the session."""
    from voxtui.engine.config import EngineConfig
    from voxtui.engine.models import ModelError, find_model
    from voxtui.retranscription import Retranscription
    from voxtui.session.errors import SessionError

    try:
        found = find_model(model)
        config = EngineConfig(
            model=found.path, delay_ms=delay_ms, interval_s=INTERVAL_S, threads=threads
        )
        job = Retranscription(path, config, listener)
    except (ModelError, SessionError) as error:
        raise CannotStartError(str(error)) from error
    job.start()
    return job
