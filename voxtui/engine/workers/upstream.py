"""antirez/voxtral.c: a program `voxtral` that the user built, driven through its own habits.

It has no end of an utterance but the end of its input, so each utterance is a process of its own;
the next one is started as soon as the last one has ended, and waits with the model loaded. It
writes plain text and, with --monitor, signs of its work; when a word was said is told by the sound
that it had taken from the pipe when the word came.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import fcntl
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from voxtui.engine.workers.wire import (
    ADVISED_DELAY_MS,
    CannotWork,
    Input,
    Output,
    memory_mb,
    serve,
)
from voxtui.events import SAMPLE_RATE

DELAY_S = ADVISED_DELAY_MS / 1000
LEAST = 4
"""Bytes below which the program gives up."""
EARLY_S = 0.5
"""A model that cannot be loaded is told of within this time, mostly."""

WORK = "▶·▪▸▫▹✗✘◦⌛"
SEVERE = "⚠☠"
RESTARTS = {
    "↺": "the model had ended its text",
    "⟳": "its memory of the talk was full",
    "↯": "it had written nothing for long",
    "⌚": "it had stood still",
}
HOW = {"✂": "the decoder alone", "♻": "all of it"}

_ENCODER = re.compile(r"Encoder: \d+ mel -> \d+ tokens \(([\d.]+) ms\)")
_DECODER = re.compile(r"Decoder: \d+ text tokens \((\d+) steps\) in ([\d.]+) ms")


@dataclass
class Sums:
    """What the summary lines say."""

    encoder_ms: float = 0.0
    decoder_ms: float = 0.0
    steps: int = 0


class Signs:
    """Standard error, in pieces of any size: signs of work, restarts, and lines of text."""

    def __init__(self, worked: Callable[[], None], restarted: Callable[[str, str], None]) -> None:
        self.sums = Sums()
        self.last_line = ""
        self._worked, self._restarted = worked, restarted
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line = ""
        self._why = ""

    def take(self, data: bytes) -> None:
        """More of it."""
        for sign in self._decode(data):
            if sign in HOW and self._why:
                self._restarted(RESTARTS[self._why], HOW[sign])
            self._why = sign if sign in RESTARTS else ""
            if sign in WORK:
                self._worked()
            elif sign == "\n":
                self._end_line()
            elif sign not in RESTARTS and sign not in HOW and sign not in SEVERE:
                self._line += sign

    def end(self) -> None:
        """No more."""
        self._end_line()

    def _end_line(self) -> None:
        line, self._line = self._line.strip(), ""
        if not line:
            return
        print(line, file=sys.stderr, flush=True)
        if found := _ENCODER.search(line):
            self.sums.encoder_ms = float(found[1])
        elif found := _DECODER.search(line):
            self.sums.steps, self.sums.decoder_ms = int(found[1]), float(found[2])
        else:
            self.last_line = line


class Text:
    """Standard output, in pieces of any size, as pieces of words."""

    def __init__(self, tell: Callable[[str, bool], None]) -> None:
        self._tell = tell
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._space = " "  # the program leaves out the first one

    def take(self, data: bytes) -> None:
        """More of it. The space before a word goes with it; the one at the end is dropped."""
        for piece in re.findall(r"\s+|\S+", self._decode(data)):
            if piece.isspace():
                self._space = " "
            else:
                self._tell(self._space + piece, bool(self._space))
                self._space = ""


class Run:
    """One process: it loads the model, then hears one utterance."""

    def __init__(self, command: list[str], told: Callable[[str, bool], None], signs: Signs) -> None:
        self.signs = signs
        self._text = Text(told)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin: IO[bytes] = self._process.stdin
        self._readers = [
            self._reader(self._process.stdout, self._text.take),
            self._reader(self._process.stderr, self.signs.take),
        ]

    @staticmethod
    def _reader(pipe: IO[bytes], take: Callable[[bytes], None]) -> threading.Thread:
        def read() -> None:
            with pipe:
                while data := pipe.read(4096):
                    take(data)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def hear(self, pcm: bytes) -> None:
        """Waits while the program is busy. Raises OSError when it is gone."""
        view = memoryview(pcm)
        while view:
            view = view[self._stdin.write(view) :]

    def unread(self) -> int:
        """Bytes that still lie in the pipe."""
        if self._stdin.closed:
            return 0
        with contextlib.suppress(OSError, ValueError):
            told = fcntl.ioctl(self._stdin.fileno(), termios.FIONREAD, bytes(4))
            return int(struct.unpack("i", told)[0])
        return 0

    def finish(self) -> int:
        """No more sound; waits for its last words. Its exit code."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        code = self._process.wait()
        for reader in self._readers:
            reader.join()
        self.signs.end()
        return code

    def kill(self) -> None:
        """At once; what it still says is read and forgotten with it."""
        self._process.kill()
        self.finish()

    def ended(self, within_s: float) -> bool:
        """Did it end by itself?"""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
            return True
        return False

    def memory_mb(self) -> float:
        """What it holds in memory."""
        return memory_mb(self._process.pid)

    def ticks(self) -> str:
        """Changes while it computes; where that cannot be told, all the time."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return str(time.monotonic())
        return " ".join(stat.rpartition(")")[2].split()[11:13])


class Upstream:
    """The worker."""

    def __init__(self, chosen: argparse.Namespace, out: Output) -> None:
        self._chosen, self._out = chosen, out
        self._utterance = 0
        self._deaf = False
        self._monitor = "--monitor" in _help(chosen.binary)
        self._begin()
        if self._run.ended(EARLY_S):
            self._run.finish()
            told = self._run.signs.last_line or "no reason given"
            raise CannotWork(f"{chosen.binary} cannot be used: {told}", "format")

    def _begin(self) -> None:
        """A process for the next utterance."""
        self._received = 0
        self._done = 0
        self._time_s = 0.0
        self._restarts: set[str] = set()
        command = [self._chosen.binary, "-d", self._chosen.model, "--stdin"]
        command += ["-I", f"{self._chosen.interval:g}"] + ["--monitor"] * self._monitor
        try:
            self._run = Run(command, self._tell, Signs(self._worked, self._restarted))
        except OSError as error:
            why = error.strerror or error
            raise CannotWork(f"{self._chosen.binary} does not start: {why}.") from error

    # ---- frames

    def hear(self, pcm: bytes) -> None:
        """Into the pipe."""
        self._received += len(pcm) // 2
        try:
            self._run.hear(pcm)
        except OSError:
            self._broke(self._run.finish())

    def flush(self) -> None:
        """The input of this process ends, and with it the utterance."""
        if 0 < 2 * self._received < LEAST:
            with contextlib.suppress(OSError):
                self._run.hear(bytes(LEAST))
        if self._received:
            code = self._run.finish()
            if code:
                self._broke(code)
        self._end("flush", again=bool(self._received))

    def reset(self) -> None:
        """Forget the utterance."""
        self._deaf = True
        if self._received:
            self._run.kill()
        self._end("reset", again=bool(self._received))
        self._deaf = False

    def configure(self, values: dict[str, Any]) -> None:
        """The interval, from the next utterance on; the delay is the program's."""
        if values.get("delay_ms", ADVISED_DELAY_MS) != ADVISED_DELAY_MS:
            told = "voxtral.c has no choice of the delay: it is 480 ms."
            self._out.warning("bad_config", told)
        interval = values.get("interval", self._chosen.interval)
        if interval != self._chosen.interval:
            self._chosen.interval = interval
            if not self._received:
                self._run.kill()
                self._begin()
        self._out.say("configured", delay_ms=ADVISED_DELAY_MS, interval=interval)

    def close(self) -> None:
        """The process that waits is not needed any more."""
        self._run.kill()

    def _end(self, reason: str, *, again: bool) -> None:
        sums = self._run.signs.sums if again else Sums()
        heard_s = self._received / SAMPLE_RATE
        fields = {"utterance": self._utterance, "reason": reason, "audio_in": heard_s}
        self._out.say("utterance_end", **fields, **vars(sums))
        self._utterance += 1
        if again:
            self._begin()

    def _broke(self, code: int) -> None:
        told = self._run.signs.last_line or "no reason given"
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        raise CannotWork(f"voxtral.c {how}: {told}", "state", 1)

    # ---- what the program says; in its readers' threads

    def _fed(self) -> int:
        """Samples that it has taken."""
        return max(0, self._received - self._run.unread() // 2)

    def _tell(self, text: str, begins: bool) -> None:
        if self._deaf:
            return
        if begins:
            heard_s = self._received / SAMPLE_RATE
            at_s = min(self._fed() / SAMPLE_RATE - DELAY_S, heard_s)
            self._time_s = max(self._time_s, at_s)
        fields = {"utterance": self._utterance, "index": -1, "id": -1, "text": text}
        self._out.say("token", **fields, word_start=begins, time=round(self._time_s, 3))

    def _worked(self) -> None:
        done = self._fed() - round(DELAY_S * SAMPLE_RATE)
        self._done = max(self._done, min(done, self._received))
        self.tell_stats()

    def tell_stats(self) -> None:
        """Where it stands."""
        heard_s, done_s = self._received / SAMPLE_RATE, self._done / SAMPLE_RATE
        fields = {"utterance": self._utterance, "audio_in": heard_s, "audio_done": done_s}
        if self._received and not self._deaf:
            self._out.say("stats", **fields, lag=heard_s - done_s, memory_mb=self._run.memory_mb())

    def _restarted(self, why: str, how: str) -> None:
        """Told once an utterance: it happens in ordinary pauses."""
        if why not in self._restarts and not self._deaf:
            self._restarts.add(why)
            self._out.warning("restart", f"voxtral.c began anew ({how}), for {why}.")

    def beat(self) -> None:
        """While it computes it says nothing for long: that is no hanging."""
        ticks = ""
        while True:
            time.sleep(1.0)
            before, ticks = ticks, self._run.ticks()
            if ticks != before:
                self.tell_stats()


def _help(binary: str) -> str:
    """What the program says of itself."""
    try:
        done = subprocess.run([binary, "-h"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotWork(f"{binary} does not start: {error}.") from error
    told = (done.stdout + done.stderr).decode(errors="replace")
    if "--stdin" not in told:
        raise CannotWork(f"{binary} is no program of voxtral.c: it knows no --stdin.")
    return told


def run(chosen: argparse.Namespace, out: Output) -> None:
    """Start the program and serve frames."""
    started = time.perf_counter()
    if not (Path(chosen.model) / "consolidated.safetensors").is_file():
        told = f"voxtral.c reads the official folder, and {chosen.model} is none: choose another."
        raise CannotWork(told, "format")
    worker = Upstream(chosen, out)
    threading.Thread(target=worker.beat, daemon=True).start()
    if chosen.delay not in (0, ADVISED_DELAY_MS):
        worker.configure({"delay_ms": chosen.delay})
    out.ready(
        "upstream",
        chosen.model,
        delay_ms=ADVISED_DELAY_MS,
        interval=chosen.interval,
        kernels=Path(chosen.binary).name,
        precision="bf16",
        load_ms=(time.perf_counter() - started) * 1000,
    )
    try:
        serve(Input(0), worker, out)
    finally:
        worker.close()
