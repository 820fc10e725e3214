"""A model as one GGUF file in another precision, made by our own engine's program."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from voxtui.engine.locate import find_engine

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")

Told = Callable[[float | None, str], None]
"""The share that is done, where a line of the program names one, and the line."""


class NotQuantised(Exception):  # noqa: N818 - says what it is
    """The program gave up: the reason in its words, without a full stop."""


def quantise(model: Path, file: Path, kind: str, told: Told) -> None:
    """Write `file`. Raises NotQuantised, EngineMissing and OSError; what is there then is no model.

    When `told` raises, the program is ended.
    """
    command = [str(find_engine()), "-d", str(model), "--quantize", str(file), "--type", kind]
    last = ""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        try:
            for line in _lines(process.stderr):
                last = line
                found = _SHARE.search(line)
                if not line.startswith(str(file)):  # its last word names a place that is left soon
                    told(min(1.0, float(found[1]) / 100) if found else None, line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode or not file.is_file():
        said = last.removeprefix("voxtral: ").rstrip(".")
        raise NotQuantised(said or "the engine stopped")


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines, also those that overwrite one another on a terminal."""
    pending = b""
    while block := os.read(stream.fileno(), 4096):
        *whole, pending = re.split(rb"[\r\n]", pending + block)
        yield from (text for raw in whole if (text := raw.decode(errors="replace").strip()))
    if text := pending.decode(errors="replace").strip():
        yield text
