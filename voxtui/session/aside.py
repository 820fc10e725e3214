"""What is written beside a session, and how long its sound stays.

Each day's words in one Markdown file, other formats when a session ends. The session's own files
are the truth: what fails here is told once and loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from voxtui.events import Segment
from voxtui.session.errors import SessionError
from voxtui.session.exports import export
from voxtui.session.library import list_sessions, load_session
from voxtui.session.log import is_live
from voxtui.session.markdown import day, paragraph
from voxtui.session.session import AUDIO, EVENTS
from voxtui.settings import Settings

DAY_S = 86_400.0


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

    def settled(self, segments: Iterable[Segment]) -> None:
        """Add paragraphs that will not change any more to their day's file."""
        folder = self.keeping.daily_folder
        for segment in segments if folder is not None else ():
            assert folder is not None
            name = time.strftime("%Y-%m-%d.md", time.localtime(segment.wall_time))
            try:
                _append(folder / name, segment)
            except OSError as error:
                self._trouble("The day's file", folder, error)

    def closed(self, session: Path) -> None:
        """A session ended: other formats beside it, and its sound if that is to stay."""
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


def _append(path: Path, segment: Segment) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if file.tell() == 0:
            file.write(f"# {day(segment.wall_time)}\n")
        file.write(f"\n{paragraph(segment)}\n")


def forget_old_sound(root: Path, days: int, now: float) -> list[Path]:
    """Delete the sound of sessions that ended their words and are older than `days`.

    Gives the sessions. Those with sound that is not written yet keep it, however old.
    """
    if days < 0:
        return []
    forgotten = []
    for info in list_sessions(root):
        old = now - (info.started + info.audio_s) >= days * DAY_S
        sound = info.path / AUDIO
        if old and info.finished and sound.exists() and not is_live(info.path / EVENTS):
            try:
                sound.unlink()
            except OSError:
                continue
            forgotten.append(info.path)
    return forgotten
