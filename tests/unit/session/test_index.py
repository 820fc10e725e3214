"""The index of the sessions: a cache that always says what the files say."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.sessions import STARTED, make
from voxtui import paths
from voxtui.events import TokenText, UtteranceEnded
from voxtui.session.index import SessionIndex, open_index
from voxtui.session.keeping import delete, rename, restore
from voxtui.session.library import list_sessions, session_info
from voxtui.session.matching import Query

WORDS = ("light", "lights", "off", "Émile", "emil", "会議室", "Straße", "a", "tea")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "index.sqlite"


def names(index: SessionIndex, query: str) -> list[str]:
    return index.search(Query.parse(query))


def found(index: SessionIndex, query: str) -> list[tuple[str, str]]:
    asked = Query.parse(query)
    return [(n, m.text) for n in index.search(asked) for m in index.matches(n, asked)]


def test_finds_the_newest_first_with_the_places(root: Path, file: Path) -> None:
    old = make(root, "turn the light off", "something else", note="kitchen light")
    new = make(root, "Light and off", started=STARTED + 100)
    make(root, "nothing", started=STARTED + 200)
    index = SessionIndex(root, file)
    assert index.refresh()
    assert names(index, "light off") == [new.name, old.name]
    places = index.matches(old.name, Query.parse("light"))
    assert [(m.number, m.text, m.spans) for m in places] == [
        (0, "turn the light off", ((9, 14),)),
        (2, "kitchen light", ((8, 13),)),
    ]
    assert places[0].wall_time >= STARTED
    assert names(index, '"light off"') == [old.name]
    assert names(index, "") == names(index, "?") == []
    assert not index.refresh()


def test_lists_as_the_files_do(root: Path, file: Path) -> None:
    make(root, "one two three", note="n")
    make(root, "broke off", started=STARTED + 50, close=False).record(model="x")
    index = SessionIndex(root, file)
    index.refresh()
    assert index.sessions() == list_sessions(root)


def test_notices_what_changed(root: Path, file: Path) -> None:
    index = SessionIndex(root, file)
    index.refresh()
    assert index.sessions() == []
    session = make(root, "first words")
    path = session.path
    index.refresh()
    assert names(index, "first") == [path.name]
    rename(path, "Budget meeting")
    index.refresh()
    assert names(index, "budget") == [path.name]
    assert index.sessions()[0].title == "Budget meeting"
    with (path / "events.jsonl").open("ab") as log:
        log.write(b'{"type":"token","text":" afterwards","time":9.0,"start":true}\n')
    index.refresh()
    assert names(index, "afterwards") == [path.name]
    delete(path)
    index.refresh()
    assert (index.sessions(), names(index, "first")) == ([], [])
    restore(root, "last")
    index.refresh()
    assert names(index, "first budget") == [path.name]


def test_a_session_that_is_being_written_is_not_read_all_the_time(
    root: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(root, "first", close=False)
    index = SessionIndex(root, file)
    index.refresh()
    assert index.sessions()[0].live
    session.apply(TokenText(" second", 1.5, True, 1.0))
    session.append_audio(bytes(32000))
    with monkeypatch.context() as patch:
        patch.setattr("voxtui.session.library.read_log", pytest.fail)
        assert index.refresh()
    assert names(index, "second") == []
    assert (index.sessions()[0].audio_s, index.sessions()[0].words) == (21.0, 1)
    session.close()
    index.refresh()
    assert not index.sessions()[0].live
    assert index.sessions()[0].words == 2


def test_a_session_that_ends_while_it_is_looked_at_is_finished(root: Path, file: Path) -> None:
    session = make(root, "first", close=False)
    index = SessionIndex(root, file)
    index.refresh()
    before = index.sessions()[0]
    session.end_utterance()
    session.apply(UtteranceEnded(session.audio_s))
    session.close()
    assert session_info(session.path, before) == session_info(session.path)


@pytest.mark.parametrize("damage", ["gone", "garbage", "torn", "version", "folder"])
def test_a_damaged_file_is_made_anew(root: Path, file: Path, damage: str) -> None:
    session = make(root, "still here")
    index = SessionIndex(root, file)
    index.refresh()
    index.close()
    if damage == "gone":
        file.unlink()
    elif damage == "garbage":
        file.write_bytes(b"no database " * 1000)
    elif damage == "torn":
        file.write_bytes(file.read_bytes()[:5000])
    elif damage == "version":
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA user_version = 99")
    else:
        file.unlink()
        file.mkdir()
    index = SessionIndex(root, file)
    index.refresh()
    assert found(index, "still") == [(session.name, "still here")]


def test_damaged_while_it_is_open(root: Path, file: Path) -> None:
    session = make(root, "still here")
    index = SessionIndex(root, file)
    index.refresh()
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE sessions")
        db.execute("CREATE TABLE sessions (other)")
    index.refresh()
    assert names(index, "still") == [session.name]


def test_without_full_text_the_same_is_found(root: Path, file: Path) -> None:
    texts = [("light off", "tea"), ("lights", "off Émile"), ("会議室 tea",), ("Straße a",)]
    for number, paragraphs in enumerate(texts):
        make(root, *paragraphs, started=STARTED + number)
    quick, slow = SessionIndex(root, file), SessionIndex(root, None, full_text=False)
    assert (quick.full_text, slow.full_text) == (True, False)
    for index in (quick, slow):
        index.refresh()
    for query in (
        "light",
        "light off",
        '"light off"',
        "off light",
        "emi",
        "議",
        "stras",
        "a t",
        "z",
    ):
        assert found(quick, query) == found(slow, query), query
    assert names(slow, "light off")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(
        st.sampled_from(["light", "li", "off", '"a tea"', "E", "議室", '"off', "ss"]), max_size=3
    ),
)
def test_the_two_ways_agree(tmp_path: Path, paragraphs: list[list[str]], query: list[str]) -> None:
    root = tmp_path / "agree"
    path = make(root, *map(" ".join, paragraphs)).path
    quick, slow = SessionIndex(root, None), SessionIndex(root, None, full_text=False)
    quick.refresh()
    slow.refresh()
    asked = " ".join(query)
    assert found(quick, asked) == found(slow, asked)
    (root / path.name).rename(root / f".{path.name}.seen{len(list(root.iterdir()))}")


def test_broken_folders_are_named(root: Path, file: Path) -> None:
    make(root, "good")
    no_log = make(root, "x", started=STARTED + 10).path
    (no_log / "events.jsonl").unlink()
    garbage = make(root, "y", started=STARTED + 20).path
    (garbage / "events.jsonl").write_bytes(b"\x00\xff garbage")
    (garbage / "session.json").write_text("[")
    (root / "my notes").mkdir()
    index = SessionIndex(root, file)
    index.refresh()
    problems = {info.name: info.problem for info in index.sessions()}
    assert len(problems) == 3
    assert str(no_log) in problems[no_log.name]
    assert str(garbage) in problems[garbage.name]
    assert names(index, "good")
    assert index.sessions() == list_sessions(root)


def test_several_programs_at_once(root: Path, file: Path) -> None:
    for number in range(30):
        make(root, f"word{number} common", started=STARTED + number)
    code = (
        "import sys; from pathlib import Path; from voxtui.session.index import SessionIndex;"
        "from voxtui.session.matching import Query;"
        f"i = SessionIndex(Path({str(root)!r}), Path({str(file)!r}));"
        "[i.rebuild() for _ in range(5)]; i.refresh(); print(len(i.search(Query.parse('common'))))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path.cwd())
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in started] == [b"30"] * 3


def test_searching_while_it_grows(root: Path, file: Path) -> None:
    for number in range(40):
        make(root, f"common{number}", started=STARTED + number)
    index = SessionIndex(root, file)
    told: list[tuple[int, int]] = []
    thread = threading.Thread(target=index.refresh, args=(lambda *at: told.append(at),))
    thread.start()
    while thread.is_alive():
        assert len(names(index, "common")) <= 40
    assert len(names(index, "common")) == 40
    assert told[0] == (0, 40)
    assert told[-1] == (40, 40)


def test_a_cache_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    session = make(root, "still here")
    (tmp_path / "plain").write_text("")
    index = SessionIndex(root, tmp_path / "plain" / "index.sqlite")
    index.refresh()
    assert names(index, "still") == [session.name]


def test_each_folder_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    for name in ("a", "b"):
        make(tmp_path / name, name)
        index = open_index(tmp_path / name)
        index.refresh()
        assert [info.first_words for info in index.sessions()] == [name]
        index.close()
    files = list(paths.cache_dir().glob("*.sqlite"))
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
