"""Another transcript of the same sound, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.sessions import STARTED, make
from voxtui.events import AudioGap, EngineStats, Segment, SegmentKind, TokenText, UtteranceEnded
from voxtui.session import Session, SessionError, SessionMeta, load_session
from voxtui.session.keeping import rename
from voxtui.session.retake import AGAIN, Retake
from voxtui.session.versions import bring_back, list_versions, take_place

SECOND = bytes(32000)


def spoken_in_two_goes(root: Path) -> Path:
    """Two utterances of 4 s, an hour apart, with a gap, and a note between them."""
    now = [STARTED]
    session = Session.create(root, SessionMeta(model="small"), lambda: now[0])
    for number, word in enumerate((" first", " second")):
        now[0] = STARTED + 3600 * number
        session.append_audio(SECOND * 4)
        session.apply(TokenText(word, 4.0 * number + 1, True, 1.0))
        if number:
            session.apply(AudioGap("overflow", 0.5))
        session.end_utterance()
        session.apply(UtteranceEnded(4.0 * number + 4))
        if not number:
            now[0] += 10
            session.note("between")
    session.close()
    return session.path


def retake(path: Path, *words: tuple[str, float]) -> Retake:
    """What an engine would have said, utterance by utterance."""
    again = Retake(path)
    left = list(words)
    for utterance in again.utterances:
        end_s = again.hear(utterance) / 16000
        while left and left[0][1] <= end_s:
            text, at_s = left.pop(0)
            again.apply(TokenText(f" {text}", at_s, True, 1.0))
        again.apply(EngineStats(end_s, end_s, 0, 0, 1, 1))
        again.apply(UtteranceEnded(end_s))
    again.close()
    return again


def shape(segments: tuple[Segment, ...]) -> list[tuple[SegmentKind, str]]:
    return [(segment.kind, segment.text) for segment in segments]


def test_as_it_was_heard(tmp_path: Path) -> None:
    path = spoken_in_two_goes(tmp_path)
    again = Retake(path)
    assert [(u.start, u.end, u.wall) for u in again.utterances] == [
        (0, 64000, STARTED),
        (64000, 128000, STARTED + 3600),
    ]
    assert again.total_s == 8.0
    assert again.read_audio(0, 10) == b""
    again.hear(again.utterances[0])
    assert again.read_audio(63990, 100) == bytes(20)
    again.discard()
    assert not (path / AGAIN).exists()


def test_notes_gaps_and_clocks_come_over(tmp_path: Path) -> None:
    path = spoken_in_two_goes(tmp_path)
    old = load_session(path)
    again = retake(path, ("erste", 1.0), ("zweite", 5.0))
    new = load_session(again.path)
    assert shape(new.segments) == [
        (SegmentKind.SPEECH, "erste"),
        (SegmentKind.NOTE, "between"),
        (SegmentKind.SPEECH, "zweite"),
        (SegmentKind.GAP, "0.5 s of sound missing here: overflow"),
    ]
    by_note = {s.text: s.wall_time for s in new.segments}
    assert by_note["between"] == STARTED + 10
    assert by_note["zweite"] > STARTED + 3600
    assert new.meta.started == old.meta.started


def test_the_old_words_stay_as_a_version(tmp_path: Path) -> None:
    path = spoken_in_two_goes(tmp_path)
    rename(path, "kept")
    before = {name: (path / name).read_bytes() for name in ("events.jsonl", "transcript.md")}
    again = retake(path, ("erste", 1.0), ("zweite", 5.0))
    assert take_place(path, again.path) == 1
    assert load_session(path).text == "erste\nzweite"
    assert load_session(path).meta.title == "kept"
    assert "erste" in (path / "transcript.md").read_text()
    assert json.loads((path / "session.json").read_text())["name"] == path.name
    (version,) = list_versions(path)
    assert (version.number, version.words, version.model) == (1, 2, "small")
    assert {name: (version.path / name).read_bytes() for name in before} == before
    assert load_session(version.path).text == "first\nsecond"

    assert bring_back(path, 1) == 2
    assert {name: (path / name).read_bytes() for name in before} == before
    assert load_session(path).meta.title == "kept"
    assert [version.number for version in list_versions(path)] == [2]
    assert bring_back(path, 2) == 3
    assert load_session(path).text == "erste\nzweite"
    with pytest.raises(SessionError, match="there are: 3"):
        bring_back(path, 1)


def test_without_its_sound(tmp_path: Path) -> None:
    path = make(tmp_path, "one two").path
    (path / "audio.wav").unlink()
    loaded = load_session(path)
    assert (loaded.audio_s, loaded.finished) == (20.0, True)
    with pytest.raises(SessionError, match="was not kept"):
        Retake(path)


def test_while_it_is_being_written(tmp_path: Path) -> None:
    session = make(tmp_path, "one", close=False)
    with pytest.raises(SessionError, match="being written"):
        Retake(session.path)


def test_twice_at_once(tmp_path: Path) -> None:
    path = make(tmp_path, "one").path
    first = Retake(path)
    with pytest.raises(SessionError, match="already"):
        Retake(path)
    first.discard()
    Retake(path).discard()


def test_what_an_interrupted_one_left_goes(tmp_path: Path) -> None:
    path = make(tmp_path, "one").path
    left = path / AGAIN / "2026-01-01_00-00-00"
    left.mkdir(parents=True)
    (left / "events.jsonl").write_text("{}\n")
    again = Retake(path)
    assert not left.exists()
    again.discard()


def test_a_log_without_utterances(tmp_path: Path) -> None:
    path = make(tmp_path, "one").path
    log = (path / "events.jsonl").read_text().splitlines(keepends=True)
    (path / "events.jsonl").write_text("".join(x for x in log if '"utterance"' not in x))
    again = Retake(path)
    assert [(u.start, u.end) for u in again.utterances] == [(0, 320000)]
    again.discard()
