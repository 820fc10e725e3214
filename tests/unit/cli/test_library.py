"""`voxtui sessions`: searching, tidying, transcribing again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sessions import STARTED, change_by_hand, make
from tests.unit.cli.conftest import Result, speech
from voxtui.session import load_session

Run = Callable[..., Result]


@pytest.fixture
def root(home: Path) -> Path:
    return home / "data" / "sessions"


@pytest.fixture
def names(root: Path) -> list[str]:
    first = make(root, "the Café is open", "turn the light off").name
    return [first, make(root, "light music", started=STARTED + 9).name]


def test_search(run: Run, names: list[str]) -> None:
    lines = run("sessions", "search", "light").out.splitlines()
    assert [line.split()[0] for line in lines] == [names[1], names[0]]
    assert lines[1].split()[1:] == ["0:20", "turn", "the", "light", "off"]
    assert run("sessions", "search", "CAFE", "off").code == 0
    (found,) = json.loads(run("sessions", "search", "cafe", "--json").out)
    assert (found["session"], found["paragraph"], found["matches"]) == (names[0], 0, [[4, 8]])
    assert found["snippet"] == "the Café is open"
    assert run("sessions", "search", '"light off"').out.count("\n") == 1
    assert len(json.loads(run("sessions", "search", "l", "--limit", "1", "--json").out)) == 1
    assert run("sessions", "search", "zebra") == Result(1, "", "voxtui: nothing was found\n")
    assert run("sessions", "search", "zebra", "--json") == Result(1, "[]\n", "")
    assert run("sessions", "search", "?").code == 2


def test_a_title(run: Run, names: list[str]) -> None:
    assert run("sessions", "rename", names[0], "House", "rules") == Result(0, "", "")
    assert "  House rules: the Café" in run("sessions").out
    assert run("sessions", "search", "rules").out == f"{names[0]}  House rules\n"
    assert json.loads(run("sessions", "list", "--json").out)[1]["title"] == "House rules"
    assert run("sessions", "rename", names[0]).code == 0
    assert "House" not in run("sessions").out
    assert run("sessions", "rename", "1999", "x").code == 2


def test_the_trash(run: Run, names: list[str], root: Path) -> None:
    result = run("sessions", "delete", *names)
    assert result.code == 0
    assert result.err.count("is in the trash") == 2
    assert run("sessions", "list", "--json").out == "[]\n"
    assert len(json.loads(run("sessions", "trash", "--json").out)) == 2
    assert run("sessions", "restore") == Result(0, f"{root / names[1]}\n", "")
    assert run("sessions", "restore", names[0]).code == 0
    assert run("sessions", "restore").code == 2
    run("sessions", "delete", names[0])
    assert names[0] in run("sessions", "trash").out
    result = run("sessions", "trash", "--empty")
    assert (result.code, "--yes" in result.err) == (2, True)
    assert (
        run("sessions", "trash", "--empty", "--yes").err == "voxtui: 1 session deleted for good\n"
    )
    assert run("sessions", "trash").err == "voxtui: the trash is empty\n"
    assert run("sessions", "delete", "nothing").code == 2


def test_one_that_is_being_written(run: Run, root: Path, engine: Path) -> None:
    session = make(root, "one", close=False)
    for command in (("delete", "last"), ("retranscribe", "last", "--yes", "--model", "tiny")):
        result = run("sessions", *command)
        assert (result.code, "being written" in result.err) == (2, True), command
    session.close()


def test_a_broken_one_is_named(run: Run, names: list[str], root: Path) -> None:
    (root / names[0] / "events.jsonl").unlink()
    result = run("sessions")
    assert result.code == 0
    assert f"{names[0]}  [cannot be read]" in result.out
    assert run("sessions", "show", names[0]).code == 2
    result = run("sessions", "reindex")
    assert result.err.startswith("voxtui: 2 sessions read\n")
    assert names[0] in result.err


def test_again(run: Run, engine: Path, root: Path) -> None:
    path = make(root, "w1 x", sound=speech(1, 2)).path
    assert run("sessions", "retranscribe").code == 2
    result = run("sessions", "retranscribe", "--dry-run", "--model", "tiny", "-q")
    assert result == Result(
        0,
        "   0:00  w1 [-x-] {+w2+}\n",
        "voxtui: 1 words are the same, 1 went, 1 came\n",
    )
    assert load_session(path).text == "w1 x"
    result = run("sessions", "retranscribe", "-y", "--json", "--model", "tiny", "-q")
    value = json.loads(result.out)
    assert (value["removed"], value["added"], value["kept"]) == (1, 1, 1)
    assert {"in": "new", "text": "w2"} in value["paragraphs"][0]["pieces"]
    assert load_session(path).text == "w1 w2"
    (version,) = json.loads(run("sessions", "versions", "--json").out)
    assert (version["number"], version["words"]) == (1, 2)
    assert run("sessions", "versions").out.startswith("1  2 words")
    assert run("sessions", "versions", "--restore", "7").code == 2
    assert run("sessions", "versions", "--restore", "1").code == 0
    assert load_session(path).text == "w1 x"


def test_again_what_was_changed_by_hand_is_told(run: Run, engine: Path, root: Path) -> None:
    path = make(root, "w1 x", sound=speech(1, 2)).path
    change_by_hand(path, "w1 why")
    result = run("sessions", "retranscribe", "--dry-run", "--model", "tiny", "-q")
    assert "changed by hand stays in the old words" in result.err


def test_again_without_sound(run: Run, engine: Path, root: Path) -> None:
    path = make(root, "one").path
    (path / "audio.wav").unlink()
    result = run("sessions", "retranscribe", "-y", "--model", "tiny")
    assert result.code == 2
    assert "was not kept" in result.err


def test_again_with_an_engine_that_fails(
    run: Run, engine: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "exit2")
    make(root, "x", sound=speech(1))
    result = run("sessions", "retranscribe", "-y", "-q", "--model", "tiny")
    assert result.code == 1
    assert "does not like this model" in result.err
