"""A stand-in for the engine: speaks the protocol and finds "words" in the sound itself.

Every half second of sound must hold one constant value v (see `speech`): that is the word " wv".
So a test sees from the words alone which samples arrived, how often and in which order.

Misbehaviour is chosen by environment variables:

    FAKE_LOG       a file to which every start, with its arguments, is appended
    FAKE_CRASH_AT  end with code 1 after that many frames
    FAKE_TIMES     misbehave only in the first so many starts (by FAKE_LOG)
    FAKE_MODE      exit, exit2, protocol9, garbage, half, foreign, hang, deaf, stubborn,
                   slow (loading takes FAKE_LOADING s), prepare (takes a while to load, and tells
                   how far it is), busy (words take computing)
    FAKE_SPEED     seconds that a word takes
"""

from __future__ import annotations

import array
import json
import os
import struct
import sys
import time
from typing import Any

HALF_SECOND = 8000


def say(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"type": kind, **fields}) + "\n")
    sys.stdout.flush()


def read_frame() -> tuple[bytes, bytes] | None:
    head = sys.stdin.buffer.read(5)
    if len(head) < 5:
        return None
    kind, size = struct.unpack("<cI", head)
    return kind, sys.stdin.buffer.read(size)


class Fake:
    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.utterance = 0
        self.audio = b""
        self.done = 0
        self.words = 0
        self.crash_at = int(os.environ.get("FAKE_CRASH_AT", "0")) if mode == "crash" else 0
        self.speed = float(os.environ.get("FAKE_SPEED", "0"))
        self.frames = 0
        self.open = False
        self.delay_ms = int(argument("--delay", "480"))
        self.interval = float(argument("-I", "0.5"))

    def run(self) -> int:
        while (frame := read_frame()) is not None:
            kind, payload = frame
            self.frames += 1
            if self.frames == self.crash_at:
                print("the fake engine was told to crash", file=sys.stderr, flush=True)
                return 1
            if kind == b"A":
                self.hear(payload)
            elif kind == b"F":
                self.flush("flush")
            elif kind == b"R":
                self.audio = b""
                self.flush("reset")
            elif kind == b"C":
                self.configure(json.loads(payload))
            elif kind == b"Q":
                break
            self.misbehave()
        if self.mode == "stubborn":
            time.sleep(60)
        if self.open:
            self.flush("flush")
        say("end")
        return 0

    def hear(self, pcm: bytes) -> None:
        self.open = True
        self.audio += pcm
        while len(self.audio) >= 2 * HALF_SECOND:
            self.word(self.audio[: 2 * HALF_SECOND])
            self.audio = self.audio[2 * HALF_SECOND :]
        self.stats()

    def word(self, pcm: bytes) -> None:
        if self.mode == "busy":
            until = time.monotonic() + self.speed
            while time.monotonic() < until:
                pass
        else:
            time.sleep(self.speed)
        values = set(array.array("h", pcm))
        self.done += len(pcm) // 2
        text = f" w{values.pop()}" if len(values) == 1 else " mixed"
        halves = [text[:2], text[2:]]  # a word may come in pieces
        for index, piece in enumerate(halves):
            if piece:
                say(
                    "token",
                    utterance=self.utterance,
                    index=self.words,
                    id=7,
                    text=piece,
                    word_start=index == 0,
                    time=self.done / 16000,
                    probability=0.5,
                    alternatives=[{"text": "x", "probability": 0.25}],
                )
        self.words += 1

    def stats(self) -> None:
        say(
            "stats",
            utterance=self.utterance,
            audio_in=(self.done + len(self.audio) // 2) / 16000,
            audio_done=self.done / 16000,
            lag=0,
            encoder_ms=self.words * 2.0,
            decoder_ms=self.words * 3.0,
            prefill_ms=0,
            steps=self.words,
            memory_mb=12.5,
            unknown={"later": True},
        )

    def flush(self, reason: str) -> None:
        if self.audio:
            self.word(self.audio)
        say(
            "utterance_end",
            utterance=self.utterance,
            reason=reason,
            audio_in=self.done / 16000,
            encoder_ms=self.words * 2.0,
            decoder_ms=self.words * 3.0,
            steps=self.words,
        )
        self.utterance += 1
        self.audio, self.done, self.words, self.open = b"", 0, 0, False

    def configure(self, values: dict[str, Any]) -> None:
        if values.get("delay_ms") == 81:
            say("warning", code="bad_config", message="The delay must be a multiple of 80.")
            return
        self.delay_ms = values.get("delay_ms", self.delay_ms)
        self.interval = values.get("interval", self.interval)
        say("configured", delay_ms=self.delay_ms, interval=self.interval)

    def misbehave(self) -> None:
        if self.mode == "hang" and self.words >= 2:
            time.sleep(600)
        if self.mode == "garbage" and self.words >= 2:
            sys.stdout.write('{"type":"token","utterance":0,"te\n')
            sys.stdout.flush()
        if self.mode == "half" and self.words >= 2:
            sys.stdout.write('{"type":"tok')
            sys.stdout.flush()
            os._exit(3)


def argument(name: str, default: str) -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def starts() -> int:
    """How often the fake was started before, by its log."""
    path = os.environ.get("FAKE_LOG")
    if not path:
        return 0
    with open(path, "a+", encoding="utf-8") as log:
        log.seek(0)
        count = len(log.readlines())
        log.write(json.dumps({"pid": os.getpid(), "args": sys.argv[1:]}) + "\n")
    return count


def main() -> int:
    mode = os.environ.get("FAKE_MODE", "crash")
    if starts() >= int(os.environ.get("FAKE_TIMES", "1000000")):
        mode = ""
    if mode in ("exit", "exit2"):
        print("a first line\nthe fake engine does not like this model", file=sys.stderr)
        return 1 if mode == "exit" else 2
    if mode == "slow":
        time.sleep(float(os.environ.get("FAKE_LOADING", "0.4")))
    if mode == "prepare":
        for part in range(1, 6):
            time.sleep(0.25)
            say("progress", task="Preparing, once", done=part / 5)
    if mode == "foreign":
        print("a library says hello")
    say(
        "ready",
        protocol=9 if mode == "protocol9" else 1,
        engine="fake",
        version="1",
        backend="cpu",
        kernels="python",
        precision="exact",
        model=argument("-d", ""),
        delay_ms=int(argument("--delay", "480")),
        interval=float(argument("-I", "0.5")),
        threads=1,
        sample_rate=16000,
        load_ms=1.5,
    )
    if mode == "deaf":
        time.sleep(600)
    say("something_new", utterance="x")
    return Fake(mode).run()


if __name__ == "__main__":
    sys.exit(main())
