"""Any media format to 16 kHz mono s16, through FFmpeg's libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from voxtui.audio.source import AudioError
from voxtui.events import SAMPLE_RATE

BAD_PACKETS = 50
"""Broken packets in a row, after which the rest is given up."""


FORMATS = (
    "3gp,aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,gsm,loas,m4a,"
    "matroska,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nut,ogg,oma,rm,sox,tak,tta,voc,w64,wav,webm,wv"
)
"""Containers that hold their sound themselves. Playlists and the like (HLS, concat, DASH) name
other files and addresses, which nobody gave us to read."""


class Readable(Protocol):
    """A file object without seeking."""

    def read(self, size: int) -> bytes: ...


class Decoder:
    """One opened container and its best sound stream. `damage` tells what could not be read."""

    def __init__(self, file: Path | Readable, name: str) -> None:
        import av

        self._name = name
        self.damage = ""
        self.samples = 0
        options = {"format_whitelist": FORMATS}
        try:
            if isinstance(file, Path):
                container = av.open(str(file), "r", options=options)
            else:
                container = av.open(file, "r", options={**options, "probesize": "65536"})
        except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
            raise AudioError(_sentence(error, name)) from error
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(f"{name} is not sound that can be read.") from error
        stream = container.streams.best("audio")
        if stream is None:
            container.close()
            raise AudioError(f"{name} contains no sound.")
        self._container = container
        self._stream: Any = stream

    @property
    def duration_s(self) -> float | None:
        """How long it says that it is."""
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        if container.duration is not None:
            return container.duration / 1_000_000
        return None

    def blocks(self) -> Iterator[bytes]:
        """The sound, piece by piece. Ends early, with `damage`, where the rest is broken."""
        import av

        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        shape: tuple[str, str, int] | None = None
        for frame in self._frames():
            frame_shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if shape not in (None, frame_shape):
                yield from self._pcm(resampler, None)
                resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            shape = frame_shape
            frame.pts = None  # gaps in the time stamps are not sound
            yield from self._pcm(resampler, frame)
        if shape is not None:
            yield from self._pcm(resampler, None)

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    def _pcm(self, resampler: Any, frame: Any) -> Iterator[bytes]:
        for piece in resampler.resample(frame):
            self.samples += piece.samples
            yield bytes(piece.planes[0])[: piece.samples * 2]

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; broken packets are skipped as long as good ones follow."""
        import av

        bad = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError, ValueError):
                self.damage = f"{self._name} is damaged: it ends early."
                return
            try:
                frames = packet.decode()
            except (av.FFmpegError, OSError, ValueError):
                bad += 1
                self.damage = f"{self._name} is damaged: some of its sound is missing."
                if bad >= BAD_PACKETS:
                    return
                continue
            if frames:
                bad = 0
            yield from frames


def _sentence(error: OSError, name: str) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist."
    if isinstance(error, PermissionError):
        return f"{name} may not be read: check its permissions."
    return f"{name} is a folder: give a file."
