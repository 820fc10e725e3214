"""A quick way into many sessions: their list and their words, kept in one SQLite file.

The file is a cache. The sessions' own files are the truth: what changed there is noticed by size
and time and read again, and a file that is lost, damaged or of another version is made anew.
Several programs may use it at once.

A full-text table (FTS5) finds the sessions; the places in them are found by `matching`, which
alone decides what matches. Without FTS5 everything is found by it, slower and the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from voxtui import paths
from voxtui.events import SegmentKind
from voxtui.session.errors import SessionError
from voxtui.session.folder import EVENTS, SUMMARY, first_words
from voxtui.session.library import SessionInfo, load_session, session_folders, session_info
from voxtui.session.log import is_live
from voxtui.session.matching import Query, folded, snippet
from voxtui.session.tables import (
    COLUMNS,
    Texts,
    connected,
    doubt_all,
    drop_sessions,
    prepare,
    stamps,
    store_list,
    store_texts,
    unread,
)

AT_ONCE = 500
"""Paragraphs that are looked through before another has its turn."""
BATCH_S = 0.15
"""So long at most is the file locked at a time while it grows."""

Answer = TypeVar("Answer")
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Match:
    """A paragraph that holds a word that was looked for.

    `number` counts the session's segments from 0, `start_s` is session audio time, `spans` are
    the places of the words in `text`.
    """

    session: str
    number: int
    kind: SegmentKind
    start_s: float
    wall_time: float
    text: str
    spans: tuple[tuple[int, int], ...]

    def shortened(self, room: int) -> Match:
        """With only the part of the text around the first place."""
        text, spans = snippet(self.text, self.spans, room)
        return replace(self, text=text, spans=spans)


class SessionIndex:
    """The sessions below `root`. Thread-safe; `file` None keeps it in memory."""

    def __init__(self, root: Path, file: Path | None, *, full_text: bool = True) -> None:
        self.root = root
        self._file = file
        self._full_text_wanted = full_text
        self._lock = threading.RLock()
        self._db = self._open()

    @property
    def full_text(self) -> bool:
        """Does this Python's SQLite know FTS5?"""
        return self._full_text

    def close(self) -> None:
        """Done with it; harmless when repeated."""
        with self._lock:
            self._db.close()

    # ---- the file

    def _open(self) -> sqlite3.Connection:
        if self._file is not None:
            for again in (False, True):
                try:
                    self._file.parent.mkdir(parents=True, exist_ok=True)
                    return self._prepared(connected(self._file))
                except sqlite3.OperationalError as error:
                    if "locked" in str(error) or again:
                        break
                    self._remove()
                except (sqlite3.DatabaseError, OSError):
                    self._remove()
            self._file = None  # no room for a cache there: in memory it is
        return self._prepared(sqlite3.connect(":memory:", check_same_thread=False))

    def _prepared(self, db: sqlite3.Connection) -> sqlite3.Connection:
        self._full_text = prepare(db, self._full_text_wanted)
        return db

    def _remove(self) -> None:
        assert self._file is not None
        for ending in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                self._file.with_name(self._file.name + ending).unlink()

    def _safely(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do something with the file; with a new one when it is damaged, else in memory."""
        with self._lock:
            for _ in range(2):
                try:
                    return work(self._db)
                except sqlite3.DatabaseError as error:
                    with contextlib.suppress(sqlite3.Error):
                        self._db.execute("ROLLBACK")
                    if "locked" in str(error) or "closed" in str(error):
                        raise SessionError("The list of sessions is in use; try again.") from error
                    self._db.close()
                    if self._file is not None:
                        self._remove()
                    self._db = self._open()
            self._file = None  # the disk is full, for one
            self._db.close()
            self._db = self._open()
            return work(self._db)

    # ---- keeping up with the files

    def rebuild(self, progress: Progress = lambda done, total: None) -> None:
        """Read all sessions again; other programs find what was there meanwhile."""
        self._safely(doubt_all)
        self.refresh(progress)

    def refresh(
        self,
        progress: Progress = lambda done, total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Take in what changed on disk: first the list, then the words.

        `progress(done, total)` is called after each part, in sessions whose words are read. Tells
        whether anything changed.
        """
        folders = {folder.name: folder for folder in session_folders(self.root)}
        found = {name: _stamp(folder) for name, folder in folders.items()}
        changed = self._refresh_list(folders, found)
        wanted = self._safely(lambda db: unread(db, time.time()))
        progress(0, len(wanted))
        done = 0
        for batch in _batches(self._read(folders, name) for name in wanted):
            if stopped():
                return True
            self._safely(partial(store_texts, full_text=self._full_text, batch=batch))
            done += len(batch)
            progress(done, len(wanted))
        return changed or bool(wanted)

    def _refresh_list(self, folders: dict[str, Path], found: dict[str, str]) -> bool:
        known = dict(self._safely(stamps))
        gone = [name for name in known if name not in found]
        new = [name for name, stamp in found.items() if known.get(name) != stamp]
        if gone:
            self._safely(partial(drop_sessions, full_text=self._full_text, names=gone))
        live = {info.name: info for info in self.sessions() if info.live} if new else {}
        infos = ((session_info(folders[name], live.get(name)), found[name]) for name in new)
        for batch in _batches(infos):
            self._safely(partial(store_list, batch=batch))
        return bool(gone or new)

    def _read(self, folders: dict[str, Path], name: str) -> Texts | None:
        path = folders.get(name)
        if path is None:
            return None
        stamp = _stamp(path)
        try:
            loaded = load_session(path)
        except SessionError:
            return Texts(name, stamp, (), None)
        words = sum(len(segment.words) for segment in loaded.segments)
        return Texts(name, stamp, loaded.segments, (words, first_words(list(loaded.segments))))

    # ---- asking

    def sessions(self) -> list[SessionInfo]:
        """All sessions as last seen, the newest first."""
        rows = self._safely(
            lambda db: db.execute(
                f"SELECT {COLUMNS} FROM sessions ORDER BY started DESC, name DESC"
            ).fetchall()
        )
        return [self._info(row) for row in rows]

    def _info(self, row: tuple[str, float, float, int, str, int, str, str]) -> SessionInfo:
        name, started, audio_s, words, first, finished, title, problem = row
        path = self.root / name
        live = not finished and not problem and is_live(path / EVENTS)
        return SessionInfo(
            name, path, started, audio_s, words, first, bool(finished), live, title, problem
        )

    def search(self, query: Query) -> list[str]:
        """The names of the sessions that hold all that is looked for, the newest first.

        A session's title counts as one of its paragraphs.
        """
        if not query:
            return []
        if not self._full_text:
            return self._search_plain(query)
        match = " ".join(f'"{" ".join(t.words)}"{" *" if t.open else ""}' for t in query.terms)
        return [
            name
            for (name,) in self._safely(
                lambda db: db.execute(
                    "SELECT name FROM found JOIN sessions ON sessions.id = found.rowid"
                    " WHERE found MATCH ? ORDER BY started DESC, name DESC",
                    (match,),
                ).fetchall()
            )
        ]

    def _search_plain(self, query: Query) -> list[str]:
        names = self._safely(
            lambda db: db.execute(
                "SELECT name, title FROM sessions ORDER BY started DESC, name DESC"
            ).fetchall()
        )
        return [
            name
            for name, title in names
            if query.among(map(folded, (title, *(row[4] for row in self._paragraphs(name)))))
        ]

    def matches(
        self,
        name: str,
        query: Query,
        most: int = 1_000_000,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[Match]:
        """The paragraphs of a session that hold any of the words, in their order; `stopped`:
        nobody wants them any more."""
        found: list[Match] = []
        for number, kind, start_s, wall_time, text in self._paragraphs(name):
            if stopped():
                break
            if query.touches(folded(text)):
                spans = query.spans(text)
                kind_ = SegmentKind(kind)
                found.append(Match(name, number, kind_, start_s, wall_time, text, spans))
                if len(found) >= most:
                    break
        return found

    def _paragraphs(self, name: str) -> Iterator[tuple[int, str, float, float, str]]:
        """Some at a time, so that others have their turn at the file."""

        def some(db: sqlite3.Connection) -> list[tuple[int, str, float, float, str]]:
            return db.execute(
                "SELECT number, kind, start_s, wall_time, text FROM paragraphs WHERE session ="
                " (SELECT id FROM sessions WHERE name = ?) AND number > ?"
                " ORDER BY number LIMIT ?",
                (name, last, AT_ONCE),
            ).fetchall()

        last = -1
        while rows := self._safely(some):
            yield from rows
            last = rows[-1][0]


def _stamp(folder: Path) -> str:
    """Changes when a session's words or its title do."""
    parts = []
    for name in (EVENTS, SUMMARY):
        try:
            about = os.stat(folder / name)
        except OSError:
            parts.append("-")
        else:
            parts.append(f"{about.st_size}.{about.st_mtime_ns}.{about.st_ino}")
    return " ".join(parts)


def _batches(items: Iterator[Answer]) -> Iterator[list[Answer]]:
    """Lists of what came within `BATCH_S`."""
    batch: list[Answer] = []
    until = time.monotonic() + BATCH_S
    for item in items:
        batch.append(item)
        if time.monotonic() >= until:
            yield batch
            batch, until = [], time.monotonic() + BATCH_S
    if batch:
        yield batch


def open_index(root: Path) -> SessionIndex:
    """The index of the sessions below a folder, in the user's cache."""
    place = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    return SessionIndex(root, paths.cache_dir() / f"sessions-{place}.sqlite")
