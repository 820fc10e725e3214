"""What a person makes of settled text, in memory, in the log and in the page."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtui.events import (
    Alternative,
    Edit,
    Segment,
    SegmentKind,
    TokenText,
    UtteranceEnded,
    Word,
    WordsRetracted,
)
from voxtui.session import Session, SessionMeta, export, load_session
from voxtui.session.edits import edited
from voxtui.session.exports import FORMATS

SECOND = bytes(32000)
WORDS = st.lists(st.text(alphabet="ab,日。é'", min_size=1, max_size=4), min_size=1, max_size=8)


@given(WORDS, st.lists(st.booleans(), min_size=8, max_size=8), st.text(alphabet="ab ,日。é'"))
def test_any_text_in_the_place_of_any_words(texts: list[str], spaced: list[bool], new: str) -> None:
    words = tuple(
        Word((" " if at == 0 or spaced[at] else "") + text, 0.3 * (at + 1), 0.5)
        for at, text in enumerate(texts)
    )
    segment = Segment(SegmentKind.SPEECH, 0, words[-1].end_s, 1.0, words)
    for text in (new, segment.text, segment.text + " b", "a " + segment.text):
        now = edited(segment, text)
        assert now.text == " ".join(text.split())
        assert all(before.end_s <= after.end_s for before, after in pairwise(now.words))
        assert all(0 <= word.end_s <= segment.end_s for word in now.words)
    assert edited(segment, segment.text) is segment


@pytest.mark.parametrize(("was", "text"), [("'", ", bb'"), ("é", "。, 日 b,é"), ("'a", "a,'a")])
def test_the_first_word_behind_others(was: str, text: str) -> None:
    segment = Segment(SegmentKind.SPEECH, 0, 1.0, 1.0, (Word(" " + was, 0.9, 0.5),))
    assert edited(segment, text).text == text


def test_words_that_stay_keep_their_time_and_their_doubts() -> None:
    other = (Alternative(" won", 0.2),)
    words = (
        Word(" one", 0.5, 0.7, other),
        Word(" lite", 1.0, 0.4),
        Word(" and", 1.5, 0.9),
        Word(" too", 2.0, 0.8),
    )
    segment = Segment(SegmentKind.SPEECH, 0.2, 2.0, 9.0, words)
    now = edited(segment, "one light bulb and two")
    assert [word.text for word in now.words] == [" one", " light", " bulb", " and", " two"]
    assert [word.end_s for word in now.words] == [0.5, 0.75, 1.0, 1.5, 2.0]
    assert now.words[0] == words[0]
    assert now.words[1].probability == 1.0
    assert now.words[3] == words[2]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session.create(tmp_path, SessionMeta(source="Mic"))
    session.append_audio(SECOND * 9)
    for number, text in enumerate(("one", "two", "three")):
        session.apply(TokenText(f" {text}", number * 3 + 1.0, True, 0.9))
        session.apply(TokenText(" lite", number * 3 + 1.5, True, 0.4))
        session.apply(UtteranceEnded(number * 3 + 3.0))
    return session


def paragraphs(session: Session) -> list[str]:
    lines = (session.path / "transcript.md").read_text("utf-8").split("\n")
    return [line.partition("** ")[2] for line in lines if line.startswith("**")]


def test_an_edit_is_in_the_log_the_page_and_the_exports(session: Session) -> None:
    heard = (session.path / "events.jsonl").read_bytes()
    change = session.edit([Edit(1, "two lite", "Two *lights*, é")])
    assert change is not None
    assert [(index, now.text) for index, now in change.edited] == [(1, "Two *lights*, é")]
    assert paragraphs(session) == ["one lite", "Two \\*lights\\*, é", "three lite"]
    log = (session.path / "events.jsonl").read_bytes()
    assert log.startswith(heard), "what was heard stays"
    assert json.loads(log[len(heard) :]) == {
        **{"type": "edit", "segment": 1, "start": 3.82, "text": "Two *lights*, é"}
    }
    session.apply(TokenText(" four", 9.0, True, 0.9))
    assert paragraphs(session)[-1] == "four", "the page goes on"
    session.close()
    loaded = load_session(session.path)
    assert loaded.segments == tuple(session.transcript.segments)
    assert "Two *lights*, é\n" in export(loaded.segments, "txt", loaded.meta)


def test_what_was_taken_away_comes_back_as_it_was(session: Session) -> None:
    before = list(session.transcript.segments)
    page = (session.path / "transcript.md").read_bytes()
    session.edit([Edit(0, "one lite", ""), Edit(2, "three lite", "")])
    assert paragraphs(session) == ["two lite"]
    assert session.transcript.text() == "two lite"
    loaded = load_session(session.path)
    assert export(loaded.segments, "txt", loaded.meta) == "two lite\n"
    assert len(json.loads(export(loaded.segments, "json", loaded.meta))["segments"]) == 1
    session.edit([Edit(0, "", "one lite"), Edit(2, "", "three lite")])
    assert session.transcript.segments == before
    assert (session.path / "transcript.md").read_bytes() == page


def test_an_edit_of_text_that_is_another_by_now_changes_nothing(session: Session) -> None:
    log = (session.path / "events.jsonl").read_bytes()
    assert session.edit([Edit(1, "something else", "x"), Edit(7, "", "x")]) is None
    assert (session.path / "events.jsonl").read_bytes() == log


def test_a_replay_of_the_engine_leaves_edits_alone(session: Session) -> None:
    session.edit([Edit(2, "three lite", "three lights")])
    session.apply(WordsRetracted(7.0, "crash"))
    session.apply(TokenText(" three", 7.0, True, 0.9))
    session.apply(TokenText(" lite", 7.5, True, 0.4))
    session.apply(TokenText(" more", 9.4, True, 0.9))
    session.close()
    assert [s.text for s in load_session(session.path).segments] == [
        *("one lite", "two lite", "three lights", "more")
    ]
    assert paragraphs(session) == ["one lite", "two lite", "three lights", "more"]


def test_a_note_can_be_edited(session: Session) -> None:
    session.note("mark")
    session.edit([Edit(3, "mark", "ask Ann")])
    session.close()
    assert load_session(session.path).segments[3].note == "ask Ann"
    assert "> ▸ mark: ask Ann\n" in (session.path / "transcript.md").read_text("utf-8")


def test_a_page_that_could_not_be_rewritten_is_when_there_is_room(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (session.path / "transcript.md").read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        change = session.edit([Edit(0, "one lite", "one light")])
        assert change is not None
    assert (session.path / "transcript.md").read_bytes() == page
    assert not list(session.path.glob(".*"))
    assert load_session(session.path).segments[0].text == "one light", "the log has it"
    session.apply(TokenText(" four", 9.0, True, 0.9))
    assert paragraphs(session) == ["one light", "two lite", "three lite", "four"]


def test_a_note_is_at_its_time_in_the_page_and_not_lost_while_it_waits(tmp_path: Path) -> None:
    session = Session.create(tmp_path, SessionMeta())
    session.append_audio(SECOND * 4)
    change = session.note("here", at_s=2.0)
    assert [segment.text for segment in change.waiting] == ["here"]
    assert "mark: here" in (session.path / "transcript.md").read_text("utf-8")
    assert [s.text for s in load_session(session.path).segments] == ["here"]
    session.apply(TokenText(" before", 1.9, True, 0.9))
    session.apply(TokenText(" after", 3.0, True, 0.9))
    session.apply(UtteranceEnded(4.0))
    session.close()
    assert [s.text for s in load_session(session.path).segments] == ["before", "here", "after"]
    text = (session.path / "transcript.md").read_text("utf-8")
    assert text.index("before") < text.index("here") < text.index("after")


def test_a_mark_in_a_phrase_leaves_it_whole_in_every_file(tmp_path: Path) -> None:
    session = Session.create(tmp_path, SessionMeta(), clock=lambda: 1_767_000_660.0)
    session.append_audio(SECOND * 6)
    for at, text in enumerate((" turn", " the", " kitchen", " light", " on")):
        session.apply(TokenText(text, 1.0 + 0.4 * at, True, 0.9))
        if at == 1:
            session.note("early", at_s=1.2)
            session.note("late", at_s=2.3)
    session.apply(UtteranceEnded(6.0))
    session.close()
    loaded = load_session(session.path)
    order = ["early", "turn the kitchen light on", "late"]
    assert [segment.text for segment in loaded.segments] == order
    assert tuple(session.transcript.segments) == loaded.segments
    texts = {fmt: export(loaded.segments, fmt, loaded.meta) for fmt in FORMATS}
    texts["page"] = (session.path / "transcript.md").read_text("utf-8")
    for name, text in texts.items():
        assert "turn the kitchen light on" in text, name
        if name != "srt":
            assert text.index("early") < text.index("turn the kitchen") < text.index("late"), name
