"""The vocabulary in sessions: live, after a change of the rules, and in sessions that are over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voxtui.events import Edit, TokenText, UtteranceEnded
from voxtui.session import Session, SessionMeta, export, load_session
from voxtui.session.errors import SessionError
from voxtui.session.library import list_sessions
from voxtui.session.understanding import understand
from voxtui.vocabulary import Rule, Vocabulary

RULES = Vocabulary([Rule("cooper netties", "Kubernetes"), Rule("um", "")])


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session.create(tmp_path, SessionMeta(model="tiny", started=1795340000.0))
    session.append_audio(bytes(32000 * 9))
    return session


def say(session: Session, *words: str, at_s: float) -> None:
    for number, word in enumerate(words):
        session.apply(TokenText(f" {word}", at_s + 0.3 * number, True, 0.9))


def on_disk(session: Session) -> str:
    return (session.path / "transcript.md").read_text()


def log(session: Session) -> list[dict[str, object]]:
    return [json.loads(line) for line in (session.path / "events.jsonl").open()]


def test_words_are_replaced_as_soon_as_that_is_clear(session: Session) -> None:
    session.understand(RULES)
    shown = []
    for number, token in enumerate((" use", " coo", "per", " netties", " now")):
        change = session.apply(TokenText(token, 0.3 * number, token[0] == " ", 0.9))
        assert change is not None
        assert change.tail is not None
        shown.append(change.tail.text)
    assert shown == ["use", "use coo", "use cooper", "use cooper netties", "use Kubernetes now"]
    assert "use Kubernetes now" in on_disk(session)
    change = session.apply(UtteranceEnded(2.0))
    assert change is not None
    assert [s.text for s in change.settled] == ["use Kubernetes now"]
    assert not change.edited
    session.close()
    assert load_session(session.path).text == "use Kubernetes now"
    assert [line["text"] for line in log(session) if line["type"] == "token"][1:3] == [
        " coo",
        "per",
    ]
    assert "Kubernetes" in export(load_session(session.path).segments, "srt", session.meta)


def test_a_paragraph_of_nothing_but_fillers_is_away(session: Session) -> None:
    session.understand(RULES)
    say(session, "um", "um", at_s=0.5)
    assert session.tail is not None  # it may still become another word
    change = session.apply(UtteranceEnded(2.0))
    assert change is not None
    assert [s.text for s in change.settled] == [""]
    assert "um" not in on_disk(session)
    assert load_session(session.path).text == ""


def test_new_rules_change_what_was_said_before_but_not_what_was_edited(session: Session) -> None:
    say(session, "cooper", "netties", at_s=0.5)
    session.apply(UtteranceEnded(2.0))
    say(session, "a", "cooper", "netties", at_s=2.5)
    session.apply(UtteranceEnded(4.0))
    session.edit([Edit(1, "a cooper netties", "the cooper netties")])
    change = session.understand(RULES)
    assert change is not None
    assert [(index, s.text) for index, s in change.edited] == [(0, "Kubernetes")]
    assert session.understand(RULES) is None
    back = session.understand(Vocabulary())
    assert back is not None
    assert [s.text for _, s in back.edited] == ["cooper netties"]
    session.understand(RULES)
    session.close()
    assert load_session(session.path).text == "Kubernetes\nthe cooper netties"
    assert "Kubernetes" in on_disk(session)


def test_a_session_that_is_over(session: Session, tmp_path: Path) -> None:
    say(session, "um", "cooper", "netties", at_s=0.5)
    session.apply(UtteranceEnded(2.0))
    session.note("cooper netties")
    with pytest.raises(SessionError, match="being written"):
        understand(session.path, RULES)
    session.close()
    with (session.path / "events.jsonl").open("a") as file:
        file.write('{"type":"tok')  # torn by a crash
    assert understand(session.path, RULES) == 1
    assert understand(session.path, RULES) == 0
    loaded = load_session(session.path)
    assert [s.text for s in loaded.segments] == ["Kubernetes", "cooper netties"]
    assert "** Kubernetes\n" in on_disk(session)
    assert all(file.stat().st_mode & 0o077 == 0 for file in session.path.iterdir())
    assert [(info.words, info.first_words) for info in list_sessions(tmp_path)] == [
        (1, "Kubernetes")
    ]
    assert understand(session.path, Vocabulary()) == 1
    assert load_session(session.path).text == "um cooper netties"
