"""A process that writes a session is killed, over and over: what it leaves is whole."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import struct
import time
import wave
from pathlib import Path

import pytest

from voxtui.events import Edit, EngineStats, SegmentKind, TokenText, UtteranceEnded, WordsRetracted
from voxtui.session import Session, SessionMeta, load_session
from voxtui.session.markdown import escaped

WORDS = (" one", " light", " café", " 🙂", " kitchen.", " 漢字", " down", " open")


def write_for_ever(root: Path, acknowledge: int, seed: int) -> None:
    """Sound and words as fast as they go; after each change the count of settled words."""
    chance = random.Random(seed)
    session = Session.create(root, SessionMeta(model="tiny"))
    settled, at_s = 0, 0.0
    while True:
        session.append_audio(bytes(chance.randrange(1, 2000) * 2))
        at_s += chance.choice([0.08, 0.16, 0.4, 0.4, 0.4, 1.5])
        changes = [session.apply(TokenText(chance.choice(WORDS), at_s, True, 0.9))]
        if chance.random() < 0.3:
            changes.append(session.apply(TokenText("ly", at_s, False, 0.9)))
        kind = chance.randrange(40)
        if kind == 0:
            changes.append(session.apply(UtteranceEnded(at_s + 0.5)))
        elif kind == 1:
            at_s = session.settled_s
            changes.append(session.apply(WordsRetracted(at_s, "crash")))
        elif kind == 2:
            changes.append(session.note("a mark"))
        elif kind == 3 and session.transcript.segments:
            index = chance.randrange(len(session.transcript.segments))
            text = session.transcript.segments[index].text
            changes.append(session.edit([Edit(index, text, text + "!")]))
        else:
            changes.append(session.apply(EngineStats(at_s, at_s, 1.0, 1.0, 1, 1.0)))
        settled += sum(len(s.words) for c in changes if c for s in c.settled)
        os.write(acknowledge, struct.pack("<I", settled))


def run_and_kill(root: Path, seed: int, after_s: float) -> int:
    """How many settled words the process told of before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_for_ever(root, writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], 20.0)
    assert ready, "the writer never began"
    told = b""
    until = time.monotonic() + after_s
    while (left := until - time.monotonic()) > 0:
        if select.select([reading], [], [], left)[0]:
            told += os.read(reading, 65536)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    while more := os.read(reading, 65536):
        told += more
    os.close(reading)
    words: int = struct.unpack("<I", told[len(told) // 4 * 4 - 4 : len(told) // 4 * 4])[0]
    return words


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_moment(tmp_path: Path, part: int) -> None:
    for number in range(8):
        seed = part * 100 + number
        root = tmp_path / str(number)
        told = run_and_kill(root, seed, random.Random(seed).uniform(0.0, 0.06))
        (folder,) = [f for f in root.iterdir() if not f.name.startswith(".")]

        with wave.open(str(folder / "audio.wav")) as file:
            frames = file.getnframes()
            assert len(file.readframes(frames)) == frames * 2

        *whole, last = (folder / "events.jsonl").read_bytes().split(b"\n")
        parsed = [json.loads(line) for line in whole]
        assert not last or not last.endswith(b"}")
        settled_words = sum(line.get("words", 0) for line in parsed if line["type"] == "segment")
        assert settled_words >= told

        loaded = load_session(folder)
        assert not loaded.finished
        assert not loaded.live
        page = (folder / "transcript.md").read_text("utf-8")
        settled = sum(1 for line in parsed if line["type"] == "segment")
        being_edited = parsed[-1].get("segment", -1)
        for index, segment in enumerate(loaded.segments[:settled]):
            if segment.kind is SegmentKind.SPEECH:
                before = segment.text[:-1] if index == being_edited else segment.text
                assert escaped(segment.text) in page or escaped(before) in page
        notes = sum(s.kind is SegmentKind.NOTE for s in loaded.segments[:settled])
        in_flight = parsed[-1].get("kind") == "note"
        assert page.count("▸ mark") >= notes - in_flight
        assert json.loads((folder / "session.json").read_text())["finished"] is False
