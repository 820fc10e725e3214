"""A media file as a source."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from voxtui.audio.decode import Decoder
from voxtui.audio.pacing import PacedSource, StoppedError
from voxtui.audio.sniff import Kind, sniff
from voxtui.audio.source import AudioError, Outlet
from voxtui.audio.wav import UnsupportedWavError, parse_wav
from voxtui.events import SAMPLE_RATE, CaptureState, Severity


class FileSource(PacedSource):
    """Any format that FFmpeg knows, video included; `duration_s` is what the file claims.

    As fast as `post` takes it, or with `realtime` at the pace of the sound. Raises `AudioError`
    when no sound can be got from the file at all. `name` is for people, where the file's own says
    nothing to them.
    """

    def __init__(
        self,
        path: Path | str,
        realtime: bool = False,
        *,
        name: str = "",
        sleep: Callable[[float], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(realtime, sleep, clock)
        self._path = Path(path).expanduser()
        self.name = name or self._path.name
        self.duration_s: float | None = None
        self._try()

    def _try(self) -> None:
        """Decode the beginning, so that what cannot be read is known at once."""
        _check_readable(self._path)
        decoder = Decoder(self._path, self.name)
        try:
            self.duration_s = _claimed_by_wav(self._path) or decoder.duration_s
            for pcm in decoder.blocks():
                if pcm:
                    return
        finally:
            decoder.close()
        if decoder.damage:
            raise AudioError(f"{self.name} is not sound that can be read.")
        raise AudioError(f"{self.name} contains no sound.")

    def _work(self, outlet: Outlet) -> None:
        outlet.state(CaptureState.PREPARING)
        try:
            decoder = Decoder(self._path, self.name)
        except AudioError as error:  # it was there a moment ago
            outlet.state(CaptureState.FAILED, str(error))
            return
        pacer = self._pacer(outlet)
        try:
            for pcm in decoder.blocks():
                pacer.push(pcm)
            pacer.flush()
        except StoppedError:
            return
        finally:
            decoder.close()
        damage = decoder.damage or self._cut_off(decoder.samples / SAMPLE_RATE)
        if damage:
            outlet.notice(Severity.WARNING, damage)
        outlet.state(CaptureState.FINISHED)

    def _cut_off(self, seconds: float) -> str:
        """A file that claims to be clearly longer than it is was cut off."""
        claimed = self.duration_s or 0.0
        if claimed - seconds <= max(1.0, 0.02 * claimed):
            return ""
        return f"{self.name} ends early: {seconds:.0f} of {claimed:.0f} seconds are there."


def _claimed_by_wav(path: Path) -> float | None:
    """What a WAV's header promises, though less may be there. None for all other files."""
    with path.open("rb") as file:
        beginning = file.read(4096)
    if sniff(beginning, ended=True) is not Kind.WAV:
        return None
    try:
        start = parse_wav(beginning)
    except UnsupportedWavError:
        return None
    if start is None or start.format.data_bytes is None:
        return None
    return start.format.data_bytes / start.format.frame_bytes / start.format.rate


def _check_readable(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise AudioError(f"{path} does not exist.") from error
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}.") from error
    if stat.S_ISDIR(mode):
        raise AudioError(f"{path} is a folder: give a file.")
    if not stat.S_ISREG(mode):
        raise AudioError(f"{path} is no regular file: give it as standard input (-).")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path} may not be read: check its permissions.")
