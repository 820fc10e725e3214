"""The protocol from the engine's side: frames in, JSON Lines out."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from voxtui.engine.protocol import MAX_PAYLOAD, VERSION, Frame
from voxtui.events import SAMPLE_RATE

TOKEN = 1280
"""Samples of one step of the model: 80 ms."""
STEP_S = TOKEN / SAMPLE_RATE
ADVISED_DELAY_MS = 480
TAIL_STEPS = 11
"""Silence after the delay, for the last words."""


class CannotWork(Exception):  # noqa: N818 - says what it is
    """The worker has to end; one sentence. `exit_code` 2: it cannot be used so."""

    def __init__(self, sentence: str, code: str = "io", exit_code: int = 2) -> None:
        super().__init__(sentence)
        self.code = code
        self.exit_code = exit_code


class Output:
    """Events to the program that started this one. Thread-safe."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._lock = threading.Lock()

    @classmethod
    def take_stdout(cls) -> Output:
        """Standard output for events alone; what libraries print goes to standard error."""
        fd = os.dup(1)
        os.dup2(2, 1)
        return cls(os.fdopen(fd, "wb", buffering=0).write)

    def say(self, kind: str, **fields: Any) -> None:
        """One line."""
        line = json.dumps({"type": kind, **fields}, ensure_ascii=False) + "\n"
        with self._lock:
            self._write(line.encode("utf-8", "replace"))  # half a character is no reason to end

    def ready(
        self, engine: str, model: str, *, delay_ms: int, interval: float, **more: Any
    ) -> None:
        """The model is loaded."""
        fields = {"engine": engine, "model": model, "delay_ms": delay_ms, "interval": interval}
        self.say("ready", protocol=VERSION, sample_rate=SAMPLE_RATE, **fields, **more)

    def error(self, code: str, message: str) -> None:
        """The end follows."""
        self.say("error", code=code, message=message)

    def warning(self, code: str, message: str) -> None:
        """Work goes on."""
        self.say("warning", code=code, message=message)


class Worker(Protocol):
    """What an engine does with the frames. Times and sums are of the open utterance."""

    def hear(self, pcm: bytes) -> None:
        """Sound; the first after a flush or a reset begins an utterance."""
        ...

    def flush(self) -> None:
        """The utterance ends: its last words, then `utterance_end`, also without sound."""
        ...

    def reset(self) -> None:
        """Forget the utterance; `utterance_end` with reason `reset`."""
        ...

    def configure(self, values: dict[str, Any]) -> None:
        """Other choices; `configured` or a warning."""
        ...


class Input:
    """Bytes of a file descriptor, as many as asked for or fewer at the end; holds no lock."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def read(self, size: int) -> bytes:
        """Waits for all of them."""
        data = b""
        while len(data) < size and (more := os.read(self._fd, size - len(data))):
            data += more
        return data


def read_frame(stream: Input) -> tuple[Frame, bytes] | None:
    """The next frame; None at the end. Raises CannotWork when it is none."""
    head = stream.read(5)
    if len(head) < 5:
        return None
    kind, size = struct.unpack("<cI", head)
    try:
        frame = Frame(kind)
    except ValueError:
        raise CannotWork(f"There is no frame {kind!r}.", "bad_frame", 1) from None
    if size > MAX_PAYLOAD or (frame is Frame.AUDIO and size % 2):
        raise CannotWork(f"A frame of {size} bytes cannot be.", "bad_frame", 1)
    payload = stream.read(size)
    if frame is Frame.AUDIO:
        payload = payload[: len(payload) // 2 * 2]
    return frame, payload


def serve(stream: Input, worker: Worker, output: Output) -> None:
    """Hand every frame to the worker until the input ends."""
    opened = False
    try:
        while (got := read_frame(stream)) is not None:
            frame, payload = got
            match frame:
                case Frame.AUDIO:
                    opened = opened or bool(payload)
                    worker.hear(payload)
                case Frame.FLUSH:
                    opened = False
                    worker.flush()
                case Frame.RESET:
                    opened = False
                    worker.reset()
                case Frame.CONFIGURE:
                    worker.configure(json.loads(payload))
                case Frame.QUIT:
                    break
    except CannotWork:
        if opened:
            worker.flush()
        raise
    if opened:
        worker.flush()
    output.say("end")


def memory_mb(pid: int | None = None) -> float:
    """The resident memory of this process or another one, 0 where it cannot be told."""
    try:
        pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        import resource
        import sys

        if pid is not None:
            return 0.0

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
