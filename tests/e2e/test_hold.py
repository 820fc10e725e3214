"""Hold to talk with real sound, in a terminal that tells when a key is let go."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sound import VirtualMicrophone

from .conftest import CLIPS, VOXTUI, only_session

pytestmark = pytest.mark.e2e

CLIP = "computer_open_music.wav"
KITTY_ANSWER = b"\x1b[?27u"
SPACE_DOWN, SPACE_REPEAT, SPACE_UP = b"\x1b[32;1:1u", b"\x1b[32;1:2u", b"\x1b[32;1:3u"


class KittyTerminal:
    """Plays a terminal with the kitty keyboard protocol for one program."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.drawn = b""

    def type(self, data: bytes) -> None:
        os.write(self._master, data)

    def watch(self, seconds: float, until: bytes | None = None) -> bool:
        """Read what is drawn, for a while or until something was; tells whether it was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (until is None or until not in self.drawn):
            if select.select([self._master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.drawn += os.read(self._master, 65536)
        return until is not None and until in self.drawn


@pytest.fixture
def terminal(
    environment: dict[str, str], microphone: VirtualMicrophone
) -> Iterator[tuple[KittyTerminal, subprocess.Popen[bytes]]]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    program = subprocess.Popen(
        [*VOXTUI, "--model", "tiny"],
        env={**environment, **microphone.environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    yield KittyTerminal(master), program
    program.kill()
    program.wait()
    os.close(master)


def test_what_is_said_while_space_is_held_is_written(
    terminal: tuple[KittyTerminal, subprocess.Popen[bytes]],
    microphone: VirtualMicrophone,
    home: Path,
    texts: dict[str, str],
) -> None:
    screen, program = terminal
    assert screen.watch(30, b"\x1b[?u"), "it did not ask what the terminal can"
    screen.type(KITTY_ANSWER)
    assert screen.watch(30, b"ready"), screen.drawn[-2000:]
    microphone.play(CLIPS / "digits.wav")  # nobody holds the key: not to be heard
    screen.watch(1.0)
    screen.type(SPACE_DOWN)
    for _ in range(10):
        screen.watch(0.05)
        screen.type(SPACE_REPEAT)
    microphone.play(CLIPS / CLIP)
    screen.type(SPACE_UP)
    assert screen.watch(30, b"music"), screen.drawn[-2000:]
    screen.watch(1.0)
    screen.type(b"q")
    screen.watch(5.0, b"Kept")
    assert program.wait(20) == 0
    transcript = (only_session(home) / "transcript.md").read_text()
    assert texts[CLIP] in transcript
    assert "seven" not in transcript
