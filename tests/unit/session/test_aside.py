"""What lies beside a session: the day's file and other formats."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sessions import partly_written
from voxtui import vocabulary
from voxtui.events import (
    SAMPLE_RATE,
    Segment,
    SegmentKind,
    TokenText,
    TranscriptChanged,
    UtteranceEnded,
    Word,
)
from voxtui.session.aside import DAILY, Aside, Keeping
from voxtui.session.daily import followed
from voxtui.session.session import Session, SessionMeta
from voxtui.session.understanding import understand

DAY = 86_400.0
NOON = time.mktime((2026, 3, 4, 12, 0, 0, 0, 0, -1))


def speech(text: str, wall: float) -> Segment:
    return Segment(SegmentKind.SPEECH, 0, 1, wall, tuple(Word(f" {w}", 1) for w in text.split()))


def test_paragraphs_go_into_the_file_of_their_day(tmp_path: Path) -> None:
    told: list[str] = []
    aside = Aside(Keeping(daily_folder=tmp_path / "notes"), told.append)
    aside.changed(TranscriptChanged((speech("one *two*", NOON), speech("three", NOON + DAY))))
    aside.changed(TranscriptChanged((speech("four", NOON + 60),)))
    first = (tmp_path / "notes" / "2026-03-04.md").read_text()
    assert first == "# 4 March 2026\n\n**12:00** one \\*two\\*\n\n**12:01** four\n"
    assert "three" in (tmp_path / "notes" / "2026-03-05.md").read_text()
    assert told == []


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    aside = Aside(Keeping(daily_folder=tmp_path / "file" / "notes"), told.append)
    aside.changed(TranscriptChanged((speech("one", NOON),)))
    aside.changed(TranscriptChanged((speech("two", NOON),)))
    (sentence,) = told
    assert sentence.startswith("The day's file cannot be written in ")
    assert "The session is kept" in sentence


def test_the_days_file_follows_edits_and_leaves_alone_what_is_the_persons(tmp_path: Path) -> None:
    aside = Aside(Keeping(daily_folder=tmp_path), print)
    one, two, three = (speech(text, NOON) for text in ("one", "two", "three"))
    aside.changed(TranscriptChanged((one, two, three)))
    file = tmp_path / "2026-03-04.md"
    file.write_text(file.read_text().replace("three", "THREE") + "\nmine\n")
    gone, better = replace(two, words=()), speech("better", NOON)
    aside.changed(TranscriptChanged(edited=((0, better), (2, speech("four", NOON)))))
    aside.changed(TranscriptChanged(edited=((1, gone),)))
    head = "# 4 March 2026\n\n"
    assert file.read_text() == head + "**12:00** better\n\n**12:00** THREE\n\nmine\n"
    aside.changed(TranscriptChanged(edited=((1, two),)))
    both = "**12:00** better\n\n**12:00** two\n\n"
    assert file.read_text() == head + both + "**12:00** THREE\n\nmine\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "xbc", "#\n\nx\n\nb\n\nc\n"),
        ("abc", "ac", "#\n\na\n\nc\n"),
        ("abc", "bc", "#\n\nb\n\nc\n"),
        ("abc", "", "#\n"),
        ("abc", "xabc", "#\n\nx\n\na\n\nb\n\nc\n"),
        ("abc", "abxyc", "#\n\na\n\nb\n\nx\n\ny\n\nc\n"),
        ("abc", "axyzc", "#\n\na\n\nx\n\ny\n\nz\n\nc\n"),
        ("abc", "abcd", "#\n\na\n\nb\n\nc\n\nd\n"),
        ("agc", "ahc", "#\n\na\n\nb\n\nc\n"),
        ("", "x", "#\n\na\n\nb\n\nc\n\nx\n"),
    ],
)
def test_paragraphs_in_the_place_of_others(old: str, new: str, expected: str) -> None:
    assert followed("#\n\na\n\nb\n\nc\n", [*old], [*new]) == expected


def test_what_lies_beside_a_session_that_is_over_follows_its_words(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    made = Session.create(tmp_path, SessionMeta(started=NOON), clock=lambda: NOON)
    made.record(**{DAILY: str(notes)})
    aside = Aside(Keeping(("txt",), notes), print)
    made.append_audio(b"\1\0" * 2 * SAMPLE_RATE)
    made.apply(TokenText(" hello", 1.0, True, 0.9))
    change = made.apply(UtteranceEnded(2.0))
    assert change is not None
    aside.changed(change)
    made.close()
    aside.closed(made.path)
    rules, _ = vocabulary.parse("hello = goodbye")
    assert understand(made.path, rules) == 1
    (file,) = notes.iterdir()
    assert file.read_text().endswith("\n**12:00** goodbye\n")
    assert (made.path / "transcript.txt").read_text() == "goodbye\n"


@pytest.mark.parametrize(("words_s", "stays"), [(2.0, False), (0.5, True)])
def test_no_sound_is_deleted_that_is_not_written(
    tmp_path: Path, words_s: float, stays: bool
) -> None:
    path = partly_written(tmp_path, NOON, words_s=words_s)
    Aside(Keeping(("txt",), keep_audio_days=0), print).closed(path)
    assert (path / "audio.wav").exists() is stays
    assert (path / "transcript.txt").read_text() == "hello\n"
