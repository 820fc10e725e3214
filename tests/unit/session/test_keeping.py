"""Titles, the trash, files to take along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.sessions import STARTED, make
from voxtui.session import SessionError, export, find_session, list_sessions, load_session
from voxtui.session.keeping import (
    delete,
    deleted_sessions,
    empty_trash,
    exported,
    rename,
    restore,
)


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_title_is_kept_and_the_folder_keeps_its_name(tmp_path: Path) -> None:
    path = make(tmp_path, "one").path
    before = json.loads((path / "session.json").read_text())
    assert rename(path, "  Team\n meeting ") == ""
    after = json.loads((path / "session.json").read_text())
    assert after == {**before, "title": "Team meeting"}
    assert list_sessions(tmp_path)[0].title == "Team meeting"
    loaded = load_session(path)
    assert loaded.meta.title == "Team meeting"
    assert export(loaded.segments, "md", loaded.meta).startswith("# Team meeting\n")
    assert rename(path, "") == "Team meeting"
    assert load_session(path).meta.title == ""


def test_a_title_given_while_it_is_written_stays(tmp_path: Path) -> None:
    session = make(tmp_path, "one", close=False)
    rename(session.path, "now")
    session.record(model="other")
    session.close()
    assert load_session(session.path).meta.title == "now"


def test_a_title_where_the_summary_is_damaged(tmp_path: Path) -> None:
    path = make(tmp_path, "one two").path
    (path / "session.json").write_text("{")
    rename(path, "x")
    (info,) = list_sessions(tmp_path)
    assert (info.title, info.words) == ("x", 2)


def test_there_and_back(tmp_path: Path) -> None:
    path = make(tmp_path, "one").path
    before = files(path)
    moved = delete(path, 5.0)
    assert list_sessions(tmp_path) == []
    with pytest.raises(SessionError):
        find_session(tmp_path, path.name)
    (deleted,) = deleted_sessions(tmp_path)
    assert (deleted.at, deleted.info.first_words, deleted.info.path) == (5.0, "one", moved)
    assert restore(tmp_path, path.name[:12]) == path
    assert files(path) == before
    assert deleted_sessions(tmp_path) == []


def test_two_of_one_name(tmp_path: Path) -> None:
    first = delete(make(tmp_path, "one").path, 1.0)
    second = delete(make(tmp_path, "two").path, 2.0)
    assert first != second
    third = make(tmp_path, "three").path
    back = restore(tmp_path, "last")
    assert back != third
    assert load_session(back).text == "two"
    assert load_session(restore(tmp_path, "last")).text == "one"
    assert len(list_sessions(tmp_path)) == 3


def test_one_that_is_being_written_stays(tmp_path: Path) -> None:
    session = make(tmp_path, "one", close=False)
    with pytest.raises(SessionError, match="being written"):
        delete(session.path)
    session.close()
    delete(session.path)


def test_for_good(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="empty"):
        restore(tmp_path, "last")
    kept = make(tmp_path, "kept").path
    for number in range(3):
        delete(make(tmp_path, "x", started=STARTED + 9 + number).path, number)
    newest = deleted_sessions(tmp_path)[0].info.name
    assert empty_trash(tmp_path, [newest]) == 1
    with pytest.raises(SessionError, match="in the trash"):
        restore(tmp_path, newest)
    assert empty_trash(tmp_path) == 2
    assert [info.path for info in list_sessions(tmp_path)] == [kept]


def test_files_are_written_over_no_other(tmp_path: Path) -> None:
    path = make(tmp_path / "s", "one").path
    rename(path, "a/b: c?")
    out = tmp_path / "out"
    with pytest.raises(SessionError, match="no folder"):
        exported(path, "txt", out)
    out.mkdir()
    first, second = exported(path, "txt", out), exported(path, "txt", out)
    assert first.name == f"{path.name} a b c.txt"
    assert second.name == f"{path.name} a b c-2.txt"
    assert first.read_text() == second.read_text() == "one\n"
    for fmt in ("md", "srt", "vtt", "json"):
        assert exported(path, fmt, out).suffix == f".{fmt}"
