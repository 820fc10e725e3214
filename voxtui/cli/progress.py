"""How far a file is, on standard error, when that is a terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Speed(ProgressColumn):
    """Seconds of sound per second of work."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        speed = f"{task.completed / elapsed:.1f}× real time" if elapsed and task.completed else ""
        return Text(speed, style="dim")


class FileProgress:
    """A bar for one file after the other; silent where nobody sees it."""

    def __init__(self, wanted: bool) -> None:
        self._progress: Progress | None = None
        if wanted and sys.stderr.isatty():
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeRemainingColumn(compact=True),
                _Speed(),
                console=Console(stderr=True),
                transient=True,
            )

    def begin(self, name: str) -> None:
        """The next file."""
        if self._progress is None:
            return
        self._progress.start()
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(name, total=None)

    def update(self, done_s: float, total_s: float | None) -> None:
        """`done_s` seconds of sound are done of `total_s`, where that is known."""
        if self._progress is not None:
            for task in self._progress.task_ids:
                self._progress.update(task, completed=done_s, total=total_s)

    def end(self) -> None:
        """Take the bar off the screen."""
        if self._progress is not None:
            self._progress.stop()
