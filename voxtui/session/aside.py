"""What is written beside a session.

Each day's words in one Markdown file, other formats when a session ends; both follow when words
are changed later. The session's own files are the truth: what fails here is told once and loses
nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from voxtui.events import Segment, TranscriptChanged
from voxtui.session import daily
from voxtui.session.errors import SessionError
from voxtui.session.exports import FORMATS, export
from voxtui.session.folder import AUDIO
from voxtui.session.keeping import summary_fields
from voxtui.session.library import load_session
from voxtui.settings import Settings

DAILY = "daily_folder"
"""In a session's summary: where the files of its days are."""
AROUND = 20
"""So many paragraphs on each side of an edited one tell where it belongs in its day's file."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept, beside the words of a session in its folder.

    `keep_audio_days`: -1 keeps the sound for ever, 0 until the session ends with all its words.
    """

    formats: tuple[str, ...] = ()
    daily_folder: Path | None = None
    keep_audio_days: int = -1

    @classmethod
    def of(cls, chosen: Settings) -> Self:
        """As the settings say."""
        daily = chosen.output.daily_folder
        folder = Path(daily).expanduser() if daily else None
        return cls(chosen.output.formats, folder, chosen.audio.keep_audio_days)


class Aside:
    """Used from one thread. `tell` is called with a sentence, once for each kind of trouble."""

    def __init__(self, keeping: Keeping, tell: Callable[[str], None]) -> None:
        self.keeping = keeping
        self._tell = tell
        self._told: set[str] = set()
        self._settled: list[Segment] = []  # of this session, as they are in the day's file

    def changed(self, change: TranscriptChanged) -> None:
        """Add what settled to its day's file; what was there already and changed, changes there."""
        folder = self.keeping.daily_folder
        self._settled += change.settled
        if folder is None:
            return
        try:
            for segment in change.settled:
                daily.add(folder, segment)
            self._follow(folder, dict(change.edited))
        except OSError as error:
            self._trouble("The day's file", folder, error)

    def _follow(self, folder: Path, edited: Mapping[int, Segment]) -> None:
        if not edited:
            return
        around = range(max(0, min(edited) - AROUND), max(edited) + AROUND + 1)
        before = [self._settled[index] for index in around if index < len(self._settled)]
        after = [edited.get(index, segment) for index, segment in zip(around, before, strict=False)]
        for index, segment in edited.items():
            self._settled[index] = segment
        daily.follow(folder, before, after)

    def closed(self, session: Path) -> None:
        """A session ended: other formats beside it, and its sound if that is to stay."""
        self._settled.clear()
        try:
            loaded = load_session(session)
        except SessionError:
            return  # nothing was said: there is no folder
        for fmt in self.keeping.formats:
            try:
                text = export(loaded.segments, fmt, loaded.meta)
                (session / f"transcript.{fmt}").write_text(text, encoding="utf-8")
            except OSError as error:
                self._trouble(f"The {fmt} file", session, error)
        if self.keeping.keep_audio_days == 0 and loaded.finished:
            (session / AUDIO).unlink(missing_ok=True)

    def _trouble(self, what: str, where: Path, error: OSError) -> None:
        if what not in self._told:
            self._told.add(what)
            reason = error.strerror or str(error)
            self._tell(f"{what} cannot be written in {where}: {reason}. The session is kept.")


def follow(path: Path, before: Sequence[Segment]) -> None:
    """The words of a session that is over are others now, `before` were the old ones: what lies
    beside it follows. The session is the truth: what cannot be written here stays as it was."""
    loaded = load_session(path)
    for fmt in FORMATS:
        file = path / f"transcript.{fmt}"
        if fmt != "md" and file.exists():
            with contextlib.suppress(OSError):
                file.write_text(export(loaded.segments, fmt, loaded.meta), encoding="utf-8")
    folder = summary_fields(path).get(DAILY)
    if isinstance(folder, str) and folder:
        with contextlib.suppress(OSError):
            daily.follow(Path(folder), before, loaded.segments)
