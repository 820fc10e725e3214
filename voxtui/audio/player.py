"""Lets a part of a recording be heard, by a program of the system that plays sound."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

from voxtui.audio.source import AudioError

PLAYERS: tuple[tuple[str, ...], ...] = (
    ("afplay",),
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "quiet"),
    ("mpv", "--really-quiet", "--no-video", "--no-config"),
)
"""What may play a WAV file, the best first."""

MARGIN_S = 0.25
"""Sound before and after the words."""


def find_player() -> list[str]:
    """The command that plays a file. AudioError where there is none."""
    for name, *arguments in PLAYERS:
        found = shutil.which(name)
        if found:
            return [found, *arguments]
    names = ", ".join(command[0] for command in PLAYERS)
    raise AudioError(f"There is no program to play sound with: install one of {names}.")


class Player:
    """Plays one part at a time. Thread-safe."""

    def __init__(self, find: Callable[[], Sequence[str]] = find_player) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def playing(self) -> bool:
        """Is something to be heard?"""
        with self._lock:
            return self._process is not None

    def play(
        self, path: Path, start_s: float, end_s: float, ended: Callable[[str], object]
    ) -> None:
        """Begin to play a part of a WAV file; what was playing stops.

        `ended(problem)` is called from another thread when it is over, with "" when it went well
        or was stopped. AudioError when there is no player, or no such sound.
        """
        self.stop()
        excerpt = cut(path, start_s - MARGIN_S, end_s + MARGIN_S)
        try:
            command = list(self._find())
        except AudioError:
            excerpt.unlink()
            raise
        try:
            process = subprocess.Popen(
                [*command, str(excerpt)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            excerpt.unlink(missing_ok=True)
            raise AudioError(f"{command[0]} cannot be started: {error.strerror}.") from error
        with self._lock:
            self._process = process
        threading.Thread(
            target=self._wait, args=(process, excerpt, ended), name="player", daemon=True
        ).start()

    def stop(self) -> None:
        """Be silent; harmless when nothing plays."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.terminate()

    def _wait(
        self, process: subprocess.Popen[bytes], excerpt: Path, ended: Callable[[str], object]
    ) -> None:
        _, said = process.communicate()
        excerpt.unlink(missing_ok=True)
        with self._lock:
            stopped = self._process is not process
            if not stopped:
                self._process = None
        problem = ""
        if process.returncode and not stopped:
            lines = said.decode(errors="replace").strip().splitlines()
            name = Path(str(process.args[0])).name if isinstance(process.args, list) else "player"
            problem = f"{name} could not play it: {lines[-1] if lines else 'it says not why'}"
        ended(problem)


def cut(path: Path, start_s: float, end_s: float) -> Path:
    """A part of a WAV file, as a file of its own that the caller removes."""
    try:
        with wave.open(str(path), "rb") as sound:
            rate, count = sound.getframerate(), sound.getnframes()
            first = min(count, max(0, round(start_s * rate)))
            last = min(count, max(first, round(end_s * rate)))
            sound.setpos(first)
            frames = sound.readframes(last - first)
            shape = sound.getparams()
    except FileNotFoundError as error:
        raise AudioError("The sound of this session was not kept.") from error
    except (OSError, EOFError, wave.Error) as error:
        raise AudioError(f"{path} cannot be played: {error or 'it is cut off'}.") from error
    if not frames:
        raise AudioError("There is no sound here: it was not kept, or it ends before.")
    fd, name = tempfile.mkstemp(prefix="voxtui-", suffix=".wav")
    with os.fdopen(fd, "wb") as raw, wave.open(raw, "wb") as out:
        out.setparams(shape._replace(nframes=0))
        out.writeframes(frames)
    return Path(name)
