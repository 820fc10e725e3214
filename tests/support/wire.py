"""Frames to a process that speaks the engine's protocol, and its events."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]
QUIT, FLUSH, RESET = b"Q\0\0\0\0", b"F\0\0\0\0", b"R\0\0\0\0"


def audio(pcm: bytes, piece: int) -> bytes:
    """Frames of so many samples."""
    pieces = [pcm[at : at + 2 * piece] for at in range(0, len(pcm), 2 * piece)]
    return b"".join(b"A" + struct.pack("<I", len(part)) + part for part in pieces)


def configure(**values: object) -> bytes:
    """A frame with other choices."""
    payload = json.dumps(values).encode()
    return b"C" + struct.pack("<I", len(payload)) + payload


def run(command: list[str], frames: bytes, env: Mapping[str, str] | None = None) -> list[Event]:
    """All events; the last one is of ours: `exit` with `code` and `said`."""
    done = subprocess.run(
        [*command, "--framed", "--events"],
        input=frames,
        capture_output=True,
        timeout=120,
        check=False,
        env=env,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [*events, {"type": "exit", "code": done.returncode, "said": done.stderr.decode()}]


def of(events: list[Event], kind: str) -> list[Event]:
    """Those of one type."""
    return [event for event in events if event["type"] == kind]


def text(events: list[Event], utterance: int) -> str:
    """The words of one utterance."""
    tokens = (e for e in of(events, "token") if e["utterance"] == utterance)
    return "".join(token["text"] for token in tokens)
