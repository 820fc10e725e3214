"""A session and its files, from the first sound to the end."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voxtui.events import (
    BYTES_PER_SECOND,
    Alternative,
    AudioGap,
    EngineStats,
    SegmentKind,
    TokenText,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.session import Session, SessionError, SessionMeta, export, load_session
from voxtui.session.library import find_session, list_sessions

SECOND = bytes(BYTES_PER_SECOND)


class Clock:
    def __init__(self, now: float = 1795340000.25) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(tmp_path: Path, clock: Clock) -> Session:
    meta = SessionMeta(model="tiny", source="Mic", version="0.1.0")
    return Session.create(tmp_path / "sessions", meta, clock)


def say(session: Session, text: str, time_s: float) -> None:
    session.apply(TokenText(text, time_s, text.startswith(" "), 0.9))


def stats(done_s: float) -> EngineStats:
    return EngineStats(99.0, done_s, 1.0, 1.0, 1, 1.0)


def speak(session: Session) -> None:
    """Three seconds, two paragraphs, a note."""
    session.begin_utterance()
    session.append_audio(SECOND * 3)
    say(session, " one", 0.5)
    say(session, " light", 0.9)
    session.apply(stats(2.2))
    session.note("look at *this*")
    say(session, " kit", 2.5)
    say(session, "chen", 2.58)
    session.end_utterance()
    session.apply(UtteranceEnded(3.0))


def lines(session: Session) -> list[dict[str, object]]:
    return [json.loads(line) for line in (session.path / "events.jsonl").read_text().splitlines()]


def page(session: Session) -> str:
    return (session.path / "transcript.md").read_text()


# ---- the folder --------------------------------------------------------------------------


def test_nothing_is_on_disk_before_the_first_sound(session: Session, tmp_path: Path) -> None:
    session.begin_utterance()
    session.record(engine="voxtral_c")
    session.apply(AudioGap("device lost", 1.0))
    session.end_utterance()
    session.close()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_private(session: Session) -> None:
    old = os.umask(0)
    try:
        speak(session)
        session.close()
    finally:
        os.umask(old)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in session.path.iterdir()}
    assert modes == dict.fromkeys(
        ["audio.wav", "events.jsonl", "session.json", "transcript.md"], 0o600
    )
    assert stat.S_IMODE(session.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(session.path.parent.stat().st_mode) == 0o700


def test_names_are_local_times_and_never_taken_twice(tmp_path: Path, clock: Clock) -> None:
    first = Session.create(tmp_path, SessionMeta(), clock)
    second = Session.create(tmp_path, SessionMeta(), clock)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", first.name)
    second.note("b")
    first.note("a")
    third = Session.create(tmp_path, SessionMeta(), clock)
    assert first.name == f"{second.name}-2"
    assert third.name == f"{second.name}-3"
    assert load_session(first.path).segments[0].note == "a"
    assert load_session(second.path).segments[0].note == "b"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = Session.create(tmp_path / "file", SessionMeta())
    with pytest.raises(SessionError, match="cannot be written"):
        session.append_audio(SECOND)


# ---- sound -------------------------------------------------------------------------------


def test_sound_is_valid_and_readable_at_every_moment(session: Session) -> None:
    for number in range(1, 6):
        block = bytes([number, 0]) * 160
        assert session.append_audio(block) == 160 * number
        with wave.open(str(session.path / "audio.wav")) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
            assert file.readframes(160 * number)[-320:] == block
    assert session.read_audio(160, 2) == b"\x02\x00\x02\x00"
    assert len(session.read_audio(790, 100)) == 20
    assert session.read_audio(800, 1) == session.read_audio(-1, 1) == b""
    session.close()
    assert session.read_audio(0, 1) == b""


def test_half_a_sample_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="half a sample"):
        session.append_audio(b"\0")


# ---- words -------------------------------------------------------------------------------


def test_the_files_of_a_session(session: Session) -> None:
    speak(session)
    session.record(engine="voxtral_c", precision="bf16", kernels="avx2", delay_ms=480)
    session.close()
    session.close()
    assert [line["type"] for line in lines(session)] == [
        *("session", "utterance", "token", "token", "segment", "waits", "token", "token"),
        *("listened", "utterance_end", "segment", "segment", "facts", "closed"),
    ]
    text = page(session)
    assert re.fullmatch(
        r"# \d+ November 2026, \d\d:\d\d\n\nMic · tiny\n\n"
        r"\*\*\d\d:\d\d\*\* one light\n\n"
        r"\*\*\d\d:\d\d\*\* kitchen\n\n"
        r"> ▸ mark: look at \\\*this\\\*\n",
        text,
    )
    summary = json.loads((session.path / "session.json").read_text())
    assert summary["finished"] is True
    assert (summary["words"], summary["audio_s"]) == (3, 3.0)
    assert (summary["engine"], summary["kernels"]) == ("voxtral_c", "avx2")
    assert summary["first_words"] == "one light kitchen"


def test_what_is_read_back_is_what_was_there(session: Session) -> None:
    session.append_audio(SECOND)
    session.apply(TokenText(" one", 1 / 3, True, 0.87654321, (Alternative(" won", 0.1),)))
    speak(session)
    session.apply(AudioGap("device lost", 2.0))
    session.record(engine="voxtral_c", model="other")
    session.close()
    loaded = load_session(session.path)
    assert loaded.segments == tuple(session.transcript.segments)
    assert loaded.meta == session.meta
    assert loaded.meta.model == "other"
    assert loaded.text == "one one light\nkitchen"
    assert export(loaded.segments, "md", loaded.meta).endswith(page(session)[-40:])


def test_the_page_grows_with_every_word(session: Session) -> None:
    session.append_audio(SECOND)
    say(session, " é", 0.3)
    assert page(session).endswith("** é")
    say(session, " 🙂", 0.5)
    assert page(session).endswith("** é 🙂")
    session.apply(WordsRetracted(0.0, "crash"))
    assert page(session).endswith("Mic · tiny\n")
    say(session, " è", 0.3)
    assert page(session).endswith("** è")
    session.apply(UtteranceEnded(1.0))
    assert page(session).endswith("** è\n")


def test_a_gap_is_in_the_text_once(session: Session) -> None:
    session.append_audio(SECOND)
    assert session.apply(AudioGap("overflow", 0.02)) is None
    change = session.apply(AudioGap("overflow", 0.0))
    assert change is not None
    assert [s.kind for s in change.waiting] == [SegmentKind.GAP]
    assert session.apply(AudioGap("overflow", 0.0)) is None
    assert session.apply(AudioGap("device lost", 2.0)) is not None
    session.close()
    assert "2.0 s of sound missing here: device lost" in page(session)
    assert [line["type"] for line in lines(session)].count("gap") == 4


def test_a_new_day_is_a_heading(session: Session, clock: Clock) -> None:
    session.append_audio(SECOND)
    say(session, " evening", 0.5)
    session.apply(UtteranceEnded(1.0))
    clock.now += 86400
    session.end_utterance()
    session.append_audio(SECOND)
    say(session, " morning", 1.5)
    say(session, " sun", 1.8)
    session.close()
    assert page(session).count("\n## ") == 1
    assert page(session).index("evening") < page(session).index("\n## ")


def test_changes_are_given_out_once(session: Session) -> None:
    session.append_audio(SECOND)
    say(session, " one", 0.5)
    change = session.apply(UtteranceEnded(1.0))
    assert change is not None
    assert change.tail is None
    assert [s.text for s in change.settled] == ["one"]
    say(session, " two", 1.5)
    assert session.settled_s == 1.0
    session.close()
    assert [s.text for s in session.transcript.take_settled()] == ["two"]
    assert session.transcript.take_settled() == ()
    assert session.transcript.text() == "one\ntwo"


def test_late_events_after_the_end_do_no_harm(session: Session) -> None:
    speak(session)
    session.close()
    files = {f.name: f.read_bytes() for f in session.path.iterdir()}
    session.begin_utterance()
    session.record(engine="late")
    say(session, " late", 5.0)
    session.apply(stats(9.0))
    session.apply(UtteranceEnded(9.0))
    with pytest.raises(SessionError, match="closed"):
        session.append_audio(SECOND)
    assert {f.name: f.read_bytes() for f in session.path.iterdir()} == files


# ---- when the disk is full ---------------------------------------------------------------


class FullDisk:
    """Writes fail, after a few bytes, while `full`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.room = 0
        for name in ("write", "pwrite"):
            self._patch(monkeypatch, name)

    def _patch(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(os, name)

        def fake(fd: int, data: bytes, *at: int) -> int:
            if not self.full or (name == "pwrite" and at == (0,)):
                return int(real(fd, data, *at))
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            count = int(real(fd, bytes(data)[: self.room], *at))
            self.room -= count
            return count

        monkeypatch.setattr(os, name, fake)


@pytest.mark.parametrize("room", [0, 1, 7, 50])
def test_a_full_disk_loses_no_word(
    session: Session, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk = FullDisk(monkeypatch)
    session.append_audio(SECOND)
    say(session, " one", 0.5)
    disk.full, disk.room = True, room
    say(session, " two", 0.7)
    say(session, " three", 0.9)
    with pytest.raises(SessionError, match="disk is full"):
        session.apply(stats(1.0))
    session.apply(stats(1.0))  # said once
    assert load_session(session.path).text.startswith("one")
    disk.full = False
    say(session, " four", 1.1)
    session.close()
    assert load_session(session.path).text == "one two three four"
    assert page(session).endswith("one two three four\n")


def test_sound_that_found_room_is_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    session.append_audio(SECOND)
    disk.full, disk.room = True, 101
    with pytest.raises(SessionError, match="disk is full"):
        session.append_audio(SECOND)
    with wave.open(str(session.path / "audio.wav")) as file:
        assert file.getnframes() == 16050
    disk.full = False
    assert session.append_audio(b"\1\0") == 16051


def test_a_session_that_could_not_be_written_to_the_end_is_not_finished(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    session.append_audio(SECOND)
    disk.full = True
    say(session, " one", 0.5)
    with pytest.raises(SessionError, match="disk is full"):
        session.close()
    disk.full = False
    assert not load_session(session.path).finished


# ---- the library -------------------------------------------------------------------------


def test_a_session_that_broke_off(session: Session) -> None:
    session.append_audio(SECOND * 10)
    say(session, " one", 0.5)
    session.apply(stats(2.0))
    say(session, " two", 3.0)
    with (session.path / "events.jsonl").open("ab") as file:
        file.write('{"type":"token","text":" tö'.encode()[:-1])
    loaded = load_session(session.path)
    assert not loaded.finished
    assert loaded.live  # it is still open here
    assert loaded.text == "one\ntwo"
    assert loaded.pending_s == 7.0
    session.close()
    assert not load_session(session.path).live


def test_a_session_closed_before_its_words_were_out_is_not_finished(session: Session) -> None:
    session.append_audio(SECOND * 10)
    say(session, " one", 0.5)
    session.apply(stats(4.0))
    session.close()
    loaded = load_session(session.path)
    assert not loaded.finished
    assert loaded.pending_s == 6.0
    assert not list_sessions(session.path.parent)[0].finished


def test_damaged_and_unknown_lines_are_passed_over(session: Session) -> None:
    speak(session)
    session.close()
    log = session.path / "events.jsonl"
    log.write_bytes(
        log.read_bytes().replace(
            b'{"type":"listened"',
            b'[1]\nnot json\n{"type":"future","x":1}\n{"type":"token"}\n{"type":"listened"',
        )
    )
    assert load_session(session.path).text == "one light\nkitchen"


def test_list_and_find(tmp_path: Path, clock: Clock) -> None:
    root = tmp_path / "s"
    assert list_sessions(root) == []
    with pytest.raises(SessionError, match="no sessions yet"):
        find_session(root, "last")
    made: list[Session] = []
    for _ in range(3):
        session = Session.create(root, SessionMeta(), clock)
        speak(session)
        if len(made) < 2:
            session.close()
        made.append(session)
        clock.now += 61
    (root / "stray").mkdir()
    found = list_sessions(root)
    assert [info.name for info in found] == [s.name for s in reversed(made)]
    assert [info.finished for info in found] == [False, True, True]
    assert [info.live for info in found] == [True, False, False]
    assert {(info.words, info.audio_s, info.first_words) for info in found} == {
        (3, 3.0, "one light kitchen")
    }
    assert find_session(root, "last") == made[2].path
    assert find_session(root, made[0].name) == made[0].path
    assert find_session(root, made[0].name[:16]) == made[0].path
    with pytest.raises(SessionError, match="Several sessions"):
        find_session(root, "20")
    with pytest.raises(SessionError, match="no session"):
        find_session(root, "1999")
    with pytest.raises(SessionError, match="no session"):
        load_session(root / "stray")
    made[2].close()


def test_many_sessions_of_one_second_are_each_their_own(tmp_path: Path, clock: Clock) -> None:
    """As a server begins them, each in a thread of its own."""
    made = [Session.create(tmp_path / "sessions", SessionMeta(), clock) for _ in range(24)]

    def use(number: int) -> None:
        made[number].append_audio(bytes(2 * (number + 1)))
        made[number].close()

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(use, range(24)))
    sizes = [(session.path / "audio.wav").stat().st_size for session in made]
    assert sizes == [44 + 2 * (number + 1) for number in range(24)]
