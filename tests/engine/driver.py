"""Running the engine's program and speaking its protocol: what these tests share."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import threading
import wave
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "voxtui" / "assets" / "tiny"
CLIPS = ROOT / "voxtui" / "assets" / "clips"
IDS = ROOT / "tests" / "data" / "tiny_ids.json"

# Far more than anything takes: these are tests of what is done, not of how fast.
PATIENCE = 240.0

Event = dict[str, Any]


def find_binary() -> Path | None:
    """`VOXTRAL_BIN`, the installed package's program, or one that was built beside the source."""
    if named := os.environ.get("VOXTRAL_BIN"):
        return Path(named)
    builds = ROOT / "voxtral_c"
    places = [
        builds / "build" / "voxtral",
        builds / "voxtral",
        ROOT / "voxtui" / "bin" / "voxtral",
        *sorted(builds.glob("build*/voxtral")),
    ]
    return next((place for place in places if os.access(place, os.X_OK)), None)


def frame(kind: str, payload: bytes = b"") -> bytes:
    """One frame of the protocol."""
    return kind.encode() + struct.pack("<I", len(payload)) + payload


def audio(pcm: bytes, samples_per_frame: int = 1280) -> bytes:
    """Sound as `A` frames of so many samples."""
    step = 2 * samples_per_frame
    return b"".join(frame("A", pcm[at : at + step]) for at in range(0, len(pcm), step))


def read_pcm(path: Path) -> bytes:
    """The samples of a 16 kHz, 16 bit, mono WAV file."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16000, 2, 1)
        return file.readframes(file.getnframes())


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * 16000))


def wav(
    data: bytes,
    *,
    form: int = 1,
    channels: int = 1,
    rate: int = 16000,
    bits: int = 16,
    size: int | None = None,
) -> bytes:
    """A WAV file; `size` is what its header says about the length of the data."""
    align = channels * bits // 8
    head = struct.pack("<HHIIHH", form, channels, rate, rate * align, align, bits)
    said = len(data) if size is None else size
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", said) + data
    return b"RIFF" + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


@dataclass(frozen=True)
class Result:
    """A run that is over."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def ids(self) -> list[int]:
        return [int(line) for line in self.out.split()]

    @property
    def events(self) -> list[Event]:
        return [parse_event(line) for line in self.out.decode().splitlines()]

    def of_type(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]


def parse_event(line: str | bytes) -> Event:
    """One line; NaN and infinity, which Python would take, are no JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON number: {line!r}")

    event = json.loads(line, parse_constant=refuse)
    assert isinstance(event, dict)
    return event


def joined_text(events: Iterable[Event], utterance: int | None = None) -> str:
    """The text of the `token` events, of one utterance or of all."""
    return "".join(
        event["text"]
        for event in events
        if event["type"] == "token" and utterance in (None, event["utterance"])
    )


@dataclass
class Running:
    """A run whose output is read as it comes."""

    process: subprocess.Popen[bytes]
    received: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(stream.fileno(), into), daemon=True)
            for stream, into in (
                (self.process.stdout, self.received),
                (self.process.stderr, self.errors),
            )
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, descriptor: int, into: bytearray) -> None:
        while data := os.read(descriptor, 65536):
            with self._changed:
                into += data
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def lines(self) -> Iterator[bytes]:
        """The whole lines received until now."""
        return iter(bytes(self.received).split(b"\n")[:-1])

    def events(self) -> list[Event]:
        return [parse_event(line) for line in self.lines()]

    def wait_for(self, condition: Callable[[Running], bool]) -> None:
        """Wait until the output satisfies the condition."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: condition(self), PATIENCE)
        assert arrived, f"never came; got {bytes(self.received)!r} {bytes(self.errors)!r}"

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def finish(self) -> Result:
        """Wait for the end."""
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # what nobody reads any more
                self.process.stdin.close()
        return Result(code, bytes(self.received), self.errors.decode())


@dataclass(frozen=True)
class Engine:
    """The program with the bundled model."""

    command: tuple[str, ...]
    model: Path = TINY

    def run(self, *args: str | Path, stdin: bytes = b"", model: Path | None = None) -> Result:
        """Run to the end; the model is given too."""
        return self.bare("-d", model or self.model, *args, stdin=stdin)

    def bare(
        self, *args: str | Path, stdin: bytes = b"", environment: dict[str, str] | None = None
    ) -> Result:
        """Run to the end with nothing but these arguments."""
        done = subprocess.run(
            [*self.command, *map(str, args)],
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, **(environment or {})},
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *args: str | Path, environment: dict[str, str] | None = None) -> Running:
        """Run beside the test."""
        process = subprocess.Popen(
            [*self.command, "-d", str(self.model), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        return Running(process)


@dataclass(frozen=True)
class Clip:
    """A bundled clip and what the reference implementation makes of it."""

    path: Path
    ids: dict[int, list[int]]  # by delay in milliseconds
    text: str  # at the model's own delay

    @property
    def pcm(self) -> bytes:
        return read_pcm(self.path)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 32000


def load_clips() -> list[Clip]:
    """The bundled clips, shortest first; empty where they are not there."""
    if not IDS.exists() or not (CLIPS / "expected.json").exists():
        return []
    texts = {
        entry["wav"]: entry["text"] for entry in json.loads((CLIPS / "expected.json").read_text())
    }
    ids: dict[str, dict[int, list[int]]] = {}
    for run in json.loads(IDS.read_text()):
        # Where two tokens were almost equally likely, rounding may choose.
        if run["min_margin"] > 0.01:
            ids.setdefault(run["wav"], {})[run["delay_ms"]] = run["ids"]
    clips = [Clip(CLIPS / name, by_delay, texts[name]) for name, by_delay in ids.items()]
    return sorted(clips, key=lambda clip: clip.path.stat().st_size)


def one_sentence(err: str) -> bool:
    """One line for a person, and nothing a sanitizer or a crash would write."""
    lines = err.strip().splitlines()
    return len(lines) == 1 and lines[0].startswith("voxtral: ") and len(lines[0]) < 400
