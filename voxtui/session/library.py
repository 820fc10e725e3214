"""The sessions on disk: listing them, and reading one back from its log."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voxtui.events import Alternative, Segment, SegmentKind, TokenText, Word
from voxtui.files import read_object
from voxtui.memory import set_aside
from voxtui.session.audiofile import audio_seconds
from voxtui.session.edits import edited
from voxtui.session.errors import SessionError
from voxtui.session.fields import as_count, as_number, as_text
from voxtui.session.folder import AUDIO, EVENTS, SUMMARY, UNHEARD_S, first_words, kept_title
from voxtui.session.log import is_live, read_lines
from voxtui.session.meta import SessionMeta
from voxtui.session.transcript import Transcript
from voxtui.session.words import add_token, word_start_s

SET_ASIDE_LINES = 5000


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One line of a list of sessions. `live`: a running program is writing it."""

    name: str
    path: Path
    started: float
    audio_s: float
    words: int
    first_words: str
    finished: bool
    live: bool = False
    title: str = ""  # given by the person
    problem: str = ""  # a sentence, where the session cannot be read


@dataclass(frozen=True, slots=True)
class LoadedSession:
    """A session as it was; `segments` hold the tail of one that broke off too.

    Not `finished`: it broke off, or was closed before all its sound was transcribed; words up
    to `done_s` are there.
    """

    name: str
    path: Path
    meta: SessionMeta
    segments: tuple[Segment, ...]
    finished: bool
    audio_s: float
    done_s: float
    live: bool = False

    @property
    def pending_s(self) -> float:
        """Seconds of sound after the last word that nobody has transcribed."""
        return 0.0 if self.finished else max(0.0, self.audio_s - self.done_s)

    @property
    def text(self) -> str:
        """All that was said, a line a paragraph."""
        return "\n".join(s.text for s in self.segments if s.kind is SegmentKind.SPEECH and s.text)


class Reader:
    """Puts segments together again from the lines of a log."""

    def __init__(self) -> None:
        self.meta = SessionMeta()
        self.segments: list[Segment] = []
        self.words: list[Word] = []
        self.waiting: list[Segment] = []
        self.edits: dict[int, tuple[float, str]] = {}
        self.by_hand: set[int] = set()
        self.heard: list[Segment] = []  # as they settled, before edits
        self.floor_s = 0.0
        self.done_s = 0.0
        self.heard_s = 0.0
        self.closed = False
        self.clocks = Transcript()

    def line(self, line: dict[str, Any]) -> None:
        """Take in one line."""
        match line.get("type"):
            case "session" | "facts":
                self.meta = self.meta.updated(line)
            case "utterance":
                self.clocks.begin_utterance(as_number(line["at"]), as_number(line["wall"]))
            case "token":
                self._token(line)
            case "segment":
                self._segment(line)
            case "waits":
                self.waiting.append(self._other(line))
            case "edit":
                index = as_count(line["segment"])
                self.edits[index] = (as_number(line["start"]), as_text(line["text"]))
                if line.get("by") != "vocabulary":
                    self.by_hand.add(index)
            case "retracted":
                from_s, kept = as_number(line["from"]), as_count(line["kept"])
                del self.words[kept:]
                self.done_s = min(self.done_s, from_s)
            case "utterance_end":
                self.done_s = max(self.done_s, as_number(line["at"]))
            case "closed":
                self.closed = True
                self.done_s, self.heard_s = as_number(line["done"]), as_number(line["audio"])

    def finish(self) -> None:
        """What had not settled when the log broke off is the last paragraph."""
        if self.words:
            start_s = round(word_start_s(self.words[0], self.floor_s), 3)
            wall = self.clocks.wall_time(start_s)
            self._speech(len(self.words), start_s, self.words[-1].end_s, wall)
        self.segments += self.waiting
        self.heard = list(self.segments)
        for index, (start_s, text) in self.edits.items():
            if index < len(self.segments) and self.segments[index].start_s == start_s:
                self.segments[index] = edited(self.segments[index], text)

    def _token(self, line: dict[str, Any]) -> None:
        alternatives = tuple(
            Alternative(as_text(other), as_number(probability))
            for other, probability in line.get("alternatives", ())
        )
        token = TokenText(
            as_text(line["text"]),
            as_number(line["time"]),
            bool(line["start"]),
            as_number(line.get("p", 1.0)),
            alternatives,
        )
        add_token(self.words, token, self.floor_s)
        self.done_s = max(self.done_s, token.time_s)

    def _segment(self, line: dict[str, Any]) -> None:
        if SegmentKind(line["kind"]) is SegmentKind.SPEECH:
            times = as_number(line["start"]), as_number(line["end"]), as_number(line["wall"])
            self._speech(as_count(line["words"]), *times)
            return
        segment = self._other(line)
        # Its place may be a little before the time it was made at.
        same = (segment.kind, segment.wall_time, segment.note)
        begun = [s for s in self.waiting if (s.kind, s.wall_time, s.note) == same]
        if begun:
            self.waiting.remove(begun[0])
        self.segments.append(segment)

    def _other(self, line: dict[str, Any]) -> Segment:
        """A note or a gap."""
        times = as_number(line["start"]), as_number(line["end"]), as_number(line["wall"])
        return Segment(SegmentKind(line["kind"]), *times, note=as_text(line["note"]))

    def _speech(self, n: int, start_s: float, end_s: float, wall: float) -> None:
        words = tuple(self.words[:n])
        del self.words[:n]
        self.segments.append(Segment(SegmentKind.SPEECH, start_s, end_s, wall, words))
        self.floor_s = end_s


def read_log(path: Path) -> Reader:
    """A session's log, read to its end. SessionError where there is none."""
    reader = Reader()
    try:
        for number, line in enumerate(read_lines(path / EVENTS)):
            if number % SET_ASIDE_LINES == SET_ASIDE_LINES - 1:
                set_aside()
            try:
                reader.line(line)
            except (KeyError, TypeError, ValueError):
                continue  # a line of a later version, or a damaged one
    except OSError as error:
        raise SessionError(f"There is no session in {path}.") from error
    reader.finish()
    return reader


def has_edits(path: Path) -> bool:
    """Did a person change the words of a session? SessionError where there is none."""
    return bool(read_log(path).by_hand)


def load_session(path: Path) -> LoadedSession:
    """Read a session back; one that broke off too. SessionError where there is none."""
    reader = read_log(path)
    audio_s = audio_seconds(path / AUDIO)
    if not audio_s:  # the sound was not kept
        audio_s = max([reader.heard_s, *(segment.end_s for segment in reader.segments)])
    return LoadedSession(
        name=path.name,
        path=path,
        meta=replace(reader.meta, title=kept_title(path)),
        segments=tuple(reader.segments),
        finished=reader.closed and audio_s - reader.done_s <= UNHEARD_S,
        audio_s=audio_s,
        done_s=reader.done_s,
        live=is_live(path / EVENTS),
    )


def session_info(path: Path, live: SessionInfo | None = None) -> SessionInfo:
    """One session for a list: from its summary when it was closed, else from its log.

    What cannot be read is in the list too, with its `problem`. `live`: what is known of one that
    was being written a moment ago; its log is not read then, only its length and title are new.
    """
    summary = _summary(path)
    if summary is not None:
        return summary
    if live is not None:
        audio_s = audio_seconds(path / AUDIO) or live.audio_s
        return replace(live, audio_s=audio_s, title=kept_title(path))
    try:
        loaded = load_session(path)
    except SessionError as error:
        return _broken(path, str(error))
    if not loaded.meta.started and not loaded.segments:
        return _broken(path, f"The words of {path} cannot be read: {EVENTS} is damaged.")
    return SessionInfo(
        name=loaded.name,
        path=path,
        started=loaded.meta.started,
        audio_s=loaded.audio_s,
        words=sum(len(segment.words) for segment in loaded.segments),
        first_words=first_words(list(loaded.segments)),
        finished=loaded.finished,
        live=loaded.live,
        title=loaded.meta.title,
    )


def _broken(path: Path, problem: str) -> SessionInfo:
    try:
        started = time.mktime(time.strptime(path.name[:19], "%Y-%m-%d_%H-%M-%S"))
    except (ValueError, OverflowError):
        started = 0.0
    audio_s = audio_seconds(path / AUDIO)
    title = kept_title(path)
    return SessionInfo(path.name, path, started, audio_s, 0, "", False, False, title, problem)


def _summary(path: Path) -> SessionInfo | None:
    fields = read_object(path / SUMMARY)
    if not fields.get("finished") or not os.access(path / EVENTS, os.R_OK):
        return None
    try:
        return SessionInfo(
            name=path.name,
            path=path,
            started=as_number(fields["started"]),
            audio_s=as_number(fields["audio_s"]),
            words=as_count(fields["words"]),
            first_words=as_text(fields["first_words"]),
            finished=True,
            title=as_text(fields.get("title", "")),
        )
    except (ValueError, KeyError):
        return None


def list_sessions(root: Path) -> list[SessionInfo]:
    """All sessions below a folder, the newest first."""
    found = [session_info(folder) for folder in session_folders(root)]
    return sorted(found, key=lambda info: (info.started, info.name), reverse=True)


def left_unwritten(root: Path) -> LoadedSession | None:
    """The newest session, when words of it are missing and nobody writes them."""
    newest = max(session_folders(root), key=lambda folder: folder.name, default=None)
    if newest is None or _summary(newest) is not None:
        return None
    loaded = load_session(newest)
    return loaded if loaded.pending_s >= 1.0 and not loaded.live else None


def find_session(root: Path, name: str) -> Path:
    """A session's folder by its name, by the beginning of its name, or `last`."""
    names = sorted(f.name for f in session_folders(root))
    if name in names:
        return root / name
    if name == "last":
        sessions = list_sessions(root)
        if sessions:
            return sessions[0].path
        raise SessionError("There are no sessions yet.")
    matching = [known for known in names if known.startswith(name)]
    if len(matching) == 1:
        return root / matching[0]
    if matching:
        some = ", ".join(matching[:3]) + (" …" if len(matching) > 3 else "")
        raise SessionError(f"Several sessions begin with {name}: {some}; give more of the name.")
    raise SessionError(f"There is no session {name}: voxtui sessions list shows those there are.")


def session_folders(root: Path) -> list[Path]:
    """The sessions' folders, broken ones too, in no order."""
    try:
        with os.scandir(root) as entries:
            folders = [Path(e.path) for e in entries if not e.name.startswith(".") and e.is_dir()]
    except OSError:
        return []
    marks = (EVENTS, SUMMARY, AUDIO)
    return [f for f in folders if any(os.path.exists(f / mark) for mark in marks)]
