"""events.jsonl: what happened in a session, one JSON object a line. The truth of its text.

Lines are only ever appended, each with one write(). The first tells the format. `type` names the
kind of each; unknown kinds and fields are to be ignored:

    {"type":"session","format":1,"started":1795340000.0,"model":"…",…}
    {"type":"utterance","at":0.0,"wall":1795340000.0}      sound from `at` on; the clock then
    {"type":"token","text":" light","time":1.68,"start":true,"p":0.998,"alternatives":[[" right",0.001]]}
    {"type":"segment","kind":"speech","words":5,…}          the first `words` open words settled
    {"type":"segment","kind":"note","note":"…",…}           something between the paragraphs
    {"type":"retracted","from":1.2,"kept":0,"reason":"…"}   the open words behind the first `kept` went
    {"type":"waits","kind":"note","note":"…",…}             its segment comes after words to come
    {"type":"edit","segment":3,"start":4.2,"text":"…"}      what a person made of the fourth segment;
                                                            with "by":"vocabulary" what its rules did
    {"type":"gap","reason":"overflow","seconds":0.1,"at":3.2}
    {"type":"listened","at":3.64}                           listening ended here
    {"type":"utterance_end","at":3.64}                      words up to here are out
    {"type":"facts",…}                                      about the engine
    {"type":"closed","audio":3.64,"done":3.64}              a clean end; words up to `done` are out
"""  # noqa: E501

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMAT = 1


def encode_line(fields: dict[str, Any]) -> bytes:
    """One line of the log."""
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


class EventLog:
    """The writing end. Lines that the disk has no room for wait in memory, in order."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._fd = -1
        self._size = 0

    def open(self, path: Path, head: dict[str, Any]) -> None:
        """Make the file with its first line."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        with contextlib.suppress(OSError):  # not every file system can
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # while it is held, it is live
        self._size = os.write(self._fd, encode_line(head))

    def append(self, fields: dict[str, Any]) -> None:
        """Put a line at the end of those that wait."""
        self._waiting.append(encode_line(fields))

    def flush(self) -> None:
        """Write what waits. OSError: the rest waits on, whole lines, in order."""
        while self._waiting:
            line = self._waiting[0]
            written = 0
            try:
                while written < len(line):
                    written += os.write(self._fd, memoryview(line)[written:])
            except OSError:
                if written:
                    os.ftruncate(self._fd, self._size)  # no torn line in the middle
                raise
            self._size += written
            del self._waiting[0]

    def sync(self) -> None:
        """Have the lines so far on the disk itself."""
        os.fsync(self._fd)

    def close(self) -> None:
        """No more lines; harmless when repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The log's lines. A torn last one, or one that is no object, is left out."""
    with path.open("rb") as file:
        for line in file:
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if line.endswith(b"\n") and isinstance(fields, dict):
                yield fields


def is_live(path: Path) -> bool:
    """Whether a running program is writing this log."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False
