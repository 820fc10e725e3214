"""The session's sound: a WAV file that is valid after every single write.

Samples are appended first, then the sizes in the header grow, in one write within one page. A
process killed between the two leaves a valid file that is a moment shorter.
"""

from __future__ import annotations

import os
import struct
import threading
from pathlib import Path

from voxtui.events import BYTES_PER_SECOND, SAMPLE_RATE
from voxtui.session.errors import SessionError, disk_error

HEADER_BYTES = 44
MOST_BYTES = 0xFFFFFFFF - HEADER_BYTES - 3
"""What the 32 bit sizes of a WAV file can tell: a little more than 37 hours."""


def wav_header(data_bytes: int) -> bytes:
    """The header of a 16 bit mono WAV file at the project's sample rate."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", HEADER_BYTES - 8 + data_bytes, b"WAVE",
        b"fmt ", 16, 1, 1, SAMPLE_RATE, BYTES_PER_SECOND, 2, 16,
        b"data", data_bytes,
    )  # fmt: skip


def audio_seconds(path: Path) -> float:
    """How long the sound of a session's file is, by its header; 0 when there is none."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return 0.0
    if len(header) < HEADER_BYTES or header[:4] != b"RIFF" or header[36:40] != b"data":
        return 0.0
    (told,) = struct.unpack_from("<I", header, 40)
    return float(min(told, size - HEADER_BYTES)) / BYTES_PER_SECOND


class AudioFile:
    """Appended by one thread, read by any."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        """Make the file, empty and valid; it must not exist."""
        self.path = path
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()  # only against closing while somebody reads
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.pwrite(self._fd, wav_header(0), 0)

    @property
    def samples(self) -> int:
        """How many samples the file holds."""
        return self._bytes // 2

    @property
    def seconds(self) -> float:
        """How much sound the file holds."""
        return self._bytes / BYTES_PER_SECOND

    def append(self, pcm: bytes) -> int:
        """Write whole samples at the end; gives the number of samples in the file.

        When the disk is full, as many of them as there was room for are kept.
        """
        if len(pcm) % 2:
            raise ValueError("half a sample")
        if self._bytes + len(pcm) > self._most_bytes:
            hours = self._most_bytes / BYTES_PER_SECOND / 3600
            raise SessionError(
                f"This recording reached {hours:.0f} hours, the most that one audio file holds: "
                "begin a new session to go on."
            )
        written = 0
        try:
            while written < len(pcm):
                at = HEADER_BYTES + self._bytes + written
                written += os.pwrite(self._fd, memoryview(pcm)[written:], at)
        except OSError as error:
            raise disk_error(error, self.path) from error
        finally:
            self._bytes += written - written % 2
            os.pwrite(self._fd, wav_header(self._bytes), 0)
        return self.samples

    def read(self, start_sample: int, count: int) -> bytes:
        """Samples from a position on, fewer at the end of the file, none after `close`."""
        count = min(count, self.samples - start_sample)
        if count <= 0 or start_sample < 0:
            return b""
        with self._lock:
            if self._fd < 0:
                return b""
            return os.pread(self._fd, count * 2, HEADER_BYTES + start_sample * 2)

    def sync(self) -> None:
        """Have the sound so far on the disk itself."""
        os.fsync(self._fd)

    def close(self) -> None:
        """No more sound; harmless when repeated."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


class KeptAudio(AudioFile):
    """The sound of a session that is over, heard again: only `reach` makes more of it known."""

    def __init__(self, path: Path) -> None:
        """Open it. SessionError when there is no sound, or none that a session wrote."""
        self.path = path
        self.total = round(audio_seconds(path) * SAMPLE_RATE)
        """Samples in the file."""
        if not self.total:
            raise SessionError(f"The sound of {path.parent.name} was not kept.")
        self._most_bytes = 0
        self._bytes = 0
        self._lock = threading.Lock()
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SessionError(f"Cannot read {path}: {error.strerror or error}.") from error

    def reach(self, samples: int) -> None:
        """So much of it has been heard."""
        self._bytes = 2 * min(samples, self.total)

    def append(self, pcm: bytes) -> int:
        """Never: this sound stays as it is."""
        raise SessionError(f"{self.path} is kept as it is.")

    def sync(self) -> None:
        """It is on the disk already."""
