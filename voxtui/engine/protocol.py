"""The engine protocol, version 1: frames out, JSON Lines in. See voxtral_c/PROTOCOL.md."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from voxtui.printable import printable

VERSION = 1
MAX_PAYLOAD = 1_048_576
MAX_LINE = 1_048_576
LARGEST = 1e15
"""No number of the protocol is beyond it."""


class Frame(Enum):
    """The kinds of frames that go to the engine."""

    AUDIO = b"A"
    FLUSH = b"F"
    RESET = b"R"
    CONFIGURE = b"C"
    QUIT = b"Q"


class ProtocolError(Exception):
    """The engine wrote something that cannot be what was agreed."""


def encode_frame(frame: Frame, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(payload)} bytes is over the limit")
    if frame is Frame.AUDIO and len(payload) % 2:
        raise ValueError("audio must be whole 16-bit samples")
    return frame.value + struct.pack("<I", len(payload)) + payload


def encode_configure(*, delay_ms: int | None = None, interval_s: float | None = None) -> bytes:
    """A configure frame with what is to change."""
    values: dict[str, float | int] = {}
    if delay_ms is not None:
        values["delay_ms"] = delay_ms
    if interval_s is not None:
        values["interval"] = interval_s
    return encode_frame(Frame.CONFIGURE, json.dumps(values).encode())


# ---- events of the wire; times are seconds since the utterance's first sample -------------


@dataclass(frozen=True, slots=True)
class WireReady:
    protocol: int
    engine: str
    version: str
    backend: str
    kernels: str
    precision: str
    model: str
    delay_ms: int
    interval_s: float
    threads: int
    load_ms: float


@dataclass(frozen=True, slots=True)
class WireProgress:
    """Of what has to be done once, before `ready`; `done` from 0 to 1."""

    task: str
    done: float


@dataclass(frozen=True, slots=True)
class WireToken:
    utterance: int
    text: str
    time_s: float
    word_start: bool
    probability: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class WireStats:
    utterance: int
    audio_in_s: float
    audio_done_s: float
    encoder_ms: float
    decoder_ms: float
    steps: int
    memory_mb: float


@dataclass(frozen=True, slots=True)
class WireUtteranceEnd:
    utterance: int
    reason: str
    encoder_ms: float
    decoder_ms: float
    steps: int


@dataclass(frozen=True, slots=True)
class WireRetracted:
    utterance: int
    from_s: float


@dataclass(frozen=True, slots=True)
class WireConfigured:
    delay_ms: int
    interval_s: float


@dataclass(frozen=True, slots=True)
class WireWarning:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class WireError:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class WireEnd:
    pass


WireEvent = (
    WireReady
    | WireProgress
    | WireToken
    | WireStats
    | WireUtteranceEnd
    | WireRetracted
    | WireConfigured
    | WireWarning
    | WireError
    | WireEnd
)


class _Fields:
    """Typed access to one JSON object; a missing or wrong field is a `ProtocolError`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def number(self, name: str, default: float | None = None) -> float:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProtocolError(f"{name} is not a number")
        if not abs(value) <= LARGEST:  # no NaN either
            raise ProtocolError(f"{name} is out of range")
        return float(value)

    def integer(self, name: str, default: int | None = None) -> int:
        return int(self.number(name, default))

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise ProtocolError(f"{name} is not a string")
        return printable(value)  # a server far away may be the engine

    def flag(self, name: str) -> bool:
        return bool(self._values.get(name, False))

    def objects(self, name: str) -> list[_Fields]:
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ProtocolError(f"{name} is not a list of objects")
        return [_Fields(item) for item in value]


def parse_line(line: bytes) -> WireEvent | None:
    """One line as an event; None for a type that this version does not know."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a line is not JSON") from error
    if not isinstance(values, dict):
        raise ProtocolError("a line is not a JSON object")
    fields = _Fields(values)
    parse = _PARSERS.get(fields.text("type"))
    return parse(fields) if parse else None


def _ready(f: _Fields) -> WireReady:
    return WireReady(
        protocol=f.integer("protocol"),
        engine=f.text("engine", ""),
        version=f.text("version", ""),
        backend=f.text("backend", ""),
        kernels=f.text("kernels", ""),
        precision=f.text("precision", ""),
        model=f.text("model", ""),
        delay_ms=f.integer("delay_ms", 0),
        interval_s=f.number("interval", 0.0),
        threads=f.integer("threads", 0),
        load_ms=f.number("load_ms", 0.0),
    )


def _progress(f: _Fields) -> WireProgress:
    return WireProgress(f.text("task", ""), min(1.0, max(0.0, f.number("done", 0.0))))


def _token(f: _Fields) -> WireToken:
    return WireToken(
        utterance=f.integer("utterance"),
        text=f.text("text"),
        time_s=f.number("time"),
        word_start=f.flag("word_start"),
        probability=f.number("probability", 1.0),
        alternatives=tuple(
            (item.text("text"), item.number("probability", 0.0))
            for item in f.objects("alternatives")
        ),
    )


def _stats(f: _Fields) -> WireStats:
    return WireStats(
        utterance=f.integer("utterance"),
        audio_in_s=f.number("audio_in", 0.0),
        audio_done_s=f.number("audio_done"),
        encoder_ms=f.number("encoder_ms", 0.0),
        decoder_ms=f.number("decoder_ms", 0.0),
        steps=f.integer("steps", 0),
        memory_mb=f.number("memory_mb", 0.0),
    )


def _utterance_end(f: _Fields) -> WireUtteranceEnd:
    return WireUtteranceEnd(
        utterance=f.integer("utterance"),
        reason=f.text("reason", "flush"),
        encoder_ms=f.number("encoder_ms", 0.0),
        decoder_ms=f.number("decoder_ms", 0.0),
        steps=f.integer("steps", 0),
    )


def _retracted(f: _Fields) -> WireRetracted:
    return WireRetracted(f.integer("utterance"), f.number("from"))


def _configured(f: _Fields) -> WireConfigured:
    return WireConfigured(f.integer("delay_ms", 0), f.number("interval", 0.0))


def _warning(f: _Fields) -> WireWarning:
    return WireWarning(f.text("code", ""), f.text("message", ""))


def _error(f: _Fields) -> WireError:
    return WireError(f.text("code", ""), f.text("message", ""))


def _end(_: _Fields) -> WireEnd:
    return WireEnd()


_PARSERS: dict[str, Callable[[_Fields], WireEvent]] = {
    "ready": _ready,
    "progress": _progress,
    "token": _token,
    "stats": _stats,
    "utterance_end": _utterance_end,
    "retracted": _retracted,
    "configured": _configured,
    "warning": _warning,
    "error": _error,
    "end": _end,
}


class LineSplitter:
    """Cuts a byte stream into lines; a line without end is a `ProtocolError`, not memory."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """The lines that `data` completed, without their line ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            self._rest = b""
            raise ProtocolError("a line has no end")
        return [line.strip() for line in lines]
