"""How far something is, on standard error: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from voxtui.cli.common import say
from voxtui.models.words import duration, size


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


class BytesProgress:
    """A bar for bytes: a context manager. Where there is no terminal, a line for every tenth."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._tenth = -1
        self._said = ""

    def __enter__(self) -> BytesProgress:
        if sys.stderr.isatty():
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[said]}", markup=False, style="dim"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._progress.add_task(self._title, total=None, said="")
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def update(
        self, done: int, total: int, rate: float | None, left_s: float | None, said: str
    ) -> None:
        """`done` of `total` bytes, at `rate` bytes a second; what is being done."""
        parts = [f"{size(done)} of {size(total)}"] if total else []
        parts += [f"{size(rate)}/s"] if rate else []
        parts += [f"{duration(left_s)} left"] if left_s is not None else []
        line = " · ".join(parts) if rate else " · ".join([*parts, said])
        self._show(done / total if total else None, line, said)

    def share(self, done: float | None, said: str) -> None:
        """The share that is done, where it is known; what is being done."""
        self._show(done, said, said)

    def _show(self, done: float | None, line: str, said: str) -> None:
        if self._progress is not None:
            self._progress.update(
                self._task, completed=done or 0.0, total=None if done is None else 1.0, said=line
            )
            return
        tenth = int((done or 0.0) * 10)
        if tenth > self._tenth or said != self._said:
            self._tenth, self._said = max(tenth, self._tenth), said
            say(f"{self._title}: {line}")
