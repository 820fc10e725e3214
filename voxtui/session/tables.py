"""The tables of the session index, and what is done with them.

sessions     one row a session, as lists show it
paragraphs   their text
found        the same, folded, one document a session: the full-text index (FTS5)
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxtui.events import Segment
from voxtui.session.library import SessionInfo
from voxtui.session.matching import folded

VERSION = 1
BUSY_S = 10.0
LIVE_EVERY_S = 30.0
"""A session that is being written is read again so often."""
BETWEEN = " \ue000 "
"""Stands between paragraphs, so that no phrase reaches over their border."""

_TABLES = """
CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, texts_of TEXT NOT NULL,
    read_at REAL NOT NULL, started REAL NOT NULL, audio_s REAL NOT NULL, words INTEGER NOT NULL,
    first_words TEXT NOT NULL, finished INTEGER NOT NULL, title TEXT NOT NULL, problem TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS paragraphs (
    session INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, start_s REAL NOT NULL,
    wall_time REAL NOT NULL, text TEXT NOT NULL, PRIMARY KEY (session, number)
) WITHOUT ROWID;
"""
_FULL_TEXT = "CREATE VIRTUAL TABLE IF NOT EXISTS found USING fts5(body, tokenize='ascii')"
COLUMNS = "name, started, audio_s, words, first_words, finished, title, problem"


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one session, and what its list line is to say (None: it cannot be read)."""

    name: str
    stamp: str
    segments: tuple[Segment, ...]
    counted: tuple[int, str] | None


def connected(file: Path) -> sqlite3.Connection:
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(file, check_same_thread=False, timeout=BUSY_S)


def _transaction(db: sqlite3.Connection, work: Callable[[], object]) -> None:
    db.execute("BEGIN IMMEDIATE")
    work()
    db.execute("COMMIT")


def prepare(db: sqlite3.Connection, full_text: bool) -> bool:
    """Make the tables; tells whether there is a full-text index. sqlite3.DatabaseError when the
    file is damaged or of another version."""
    db.isolation_level = None
    db.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        db.close()
        raise sqlite3.DatabaseError("of another version")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA secure_delete = ON")  # what was deleted is not to be read here
    db.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        db.execute(statement)
    if full_text:
        try:
            db.execute(_FULL_TEXT)
        except sqlite3.OperationalError as error:
            if "fts5" not in str(error):
                raise
            full_text = False
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    return full_text


def doubt_all(db: sqlite3.Connection) -> None:
    """Everything is to be read again; until then what is there is still found."""

    def doubt() -> None:
        db.execute("UPDATE sessions SET stamp = '', texts_of = '', read_at = 0")
        known = "(SELECT id FROM sessions)"
        db.execute(f"DELETE FROM paragraphs WHERE session NOT IN {known}")
        with contextlib.suppress(sqlite3.OperationalError):  # without FTS5 there is none
            db.execute(f"DELETE FROM found WHERE rowid NOT IN {known}")

    _transaction(db, doubt)


def unread(db: sqlite3.Connection, now: float) -> list[str]:
    """The sessions whose words are not those on disk; those still being written not too often."""
    rows = db.execute(
        "SELECT name FROM sessions WHERE texts_of != stamp"
        " AND (finished OR texts_of = '' OR read_at < ? OR read_at > ?)"
        " ORDER BY started DESC",
        (now - LIVE_EVERY_S, now),
    )
    return [name for (name,) in rows]


def store_list(db: sqlite3.Connection, batch: list[tuple[SessionInfo, str]]) -> None:
    names = [column for column in COLUMNS.split(", ") if column != "name"]
    updates = ", ".join(f"{name} = excluded.{name}" for name in ("stamp", *names))

    def store() -> None:
        for i, stamp in batch:
            values = (i.name, i.started, i.audio_s, i.words, i.first_words, i.finished, i.title)
            db.execute(
                f"INSERT INTO sessions (stamp, texts_of, read_at, {COLUMNS})"
                " VALUES (?, '', 0, ?, ?, ?, ?, ?, ?, ?, ?)"
                f" ON CONFLICT (name) DO UPDATE SET {updates}",
                (stamp, *values, i.problem),
            )

    _transaction(db, store)


def store_texts(db: sqlite3.Connection, full_text: bool, batch: list[Texts | None]) -> None:
    def store() -> None:
        for texts in batch:
            if texts is not None:
                _store_one(db, full_text, texts)

    _transaction(db, store)


def _store_one(db: sqlite3.Connection, full_text: bool, texts: Texts) -> None:
    row = db.execute("SELECT id, title FROM sessions WHERE name = ?", (texts.name,)).fetchone()
    if row is None:
        return  # deleted in the meantime
    id_, title = row
    db.execute("DELETE FROM paragraphs WHERE session = ?", (id_,))
    db.executemany(
        "INSERT INTO paragraphs VALUES (?, ?, ?, ?, ?, ?)",
        (
            (id_, number, s.kind.value, s.start_s, s.wall_time, s.text)
            for number, s in enumerate(texts.segments)
            if s.text
        ),
    )
    if full_text:
        body = BETWEEN.join([folded(title), *(folded(s.text) for s in texts.segments)])
        db.execute("DELETE FROM found WHERE rowid = ?", (id_,))
        db.execute("INSERT INTO found (rowid, body) VALUES (?, ?)", (id_, body))
    db.execute(
        "UPDATE sessions SET texts_of = ?, read_at = ? WHERE id = ?",
        (texts.stamp, time.time(), id_),
    )
    if texts.counted is not None:
        db.execute(
            "UPDATE sessions SET words = ?, first_words = ? WHERE id = ?", (*texts.counted, id_)
        )


def drop_sessions(db: sqlite3.Connection, full_text: bool, names: list[str]) -> None:
    def drop() -> None:
        for name in names:
            row = db.execute("SELECT id FROM sessions WHERE name = ?", (name,)).fetchone()
            if row is not None:
                db.execute("DELETE FROM paragraphs WHERE session = ?", row)
                if full_text:
                    db.execute("DELETE FROM found WHERE rowid = ?", row)
                db.execute("DELETE FROM sessions WHERE id = ?", row)

    _transaction(db, drop)


def stamps(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT name, stamp FROM sessions").fetchall()
