"""Sound made up for tests, a listener, and a PortAudio that does what it is told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from voxtui.audio.recorder import Message, Recording, Refused, decode_message, encode_message
from voxtui.audio.source import AudioError, Source
from voxtui.events import AudioBlock, CaptureChanged, CaptureEvent, CaptureState

Samples = npt.NDArray[np.int16]


def tone(seconds: float, hertz: float = 440.0, rate: int = 16_000, level: float = 0.5) -> Samples:
    time_s = np.arange(round(seconds * rate)) / rate
    return np.asarray(np.sin(2 * np.pi * hertz * time_s) * level * 32767).astype(np.int16)


def as_samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2")


def pitch(samples: Samples, rate: int = 16_000) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum)) * rate / samples.size


def encode(
    path: Path,
    samples: Samples,
    rate: int,
    codec: str,
    *,
    stereo: bool = False,
    video: bool = False,
) -> Path:
    """Write a file of the format that its ending names."""
    with av.open(str(path), "w") as container:
        layout = "stereo" if stereo else "mono"
        picture: Any = None
        if video:
            picture = container.add_stream("mpeg4", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        data = np.repeat(samples, 2) if stereo else samples
        frame = av.AudioFrame.from_ndarray(data.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        frame.pts = 0
        resampler = av.AudioResampler(stream.format, layout, rate, stream.frame_size or None)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
        if video:
            for index in range(20):
                image = av.VideoFrame(64, 48, "yuv420p")
                for plane in image.planes:
                    plane.update(bytes(plane.buffer_size))
                image.pts = index
                container.mux(picture.encode(image))
            container.mux(picture.encode(None))
    return path


class Ear:
    """Listens to a source."""

    def __init__(self) -> None:
        self.events: list[CaptureEvent] = []
        self.changed = threading.Condition()

    def post(self, event: CaptureEvent) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, timeout_s), self.told()

    def wait_state(self, *states: CaptureState) -> None:
        self.wait(lambda: self.states()[-1:] != [] and self.states()[-1] in states)

    def told(self) -> list[CaptureEvent]:
        """All but the sound."""
        return [event for event in self.events if not isinstance(event, AudioBlock)]

    def of(self, kind: type[Any]) -> list[Any]:
        with self.changed:
            return [event for event in self.events if isinstance(event, kind)]

    def states(self) -> list[CaptureState]:
        return [event.state for event in self.events if isinstance(event, CaptureChanged)]

    def pcm(self) -> bytes:
        return b"".join(event.pcm for event in self.of(AudioBlock))

    def samples(self) -> Samples:
        return as_samples(self.pcm())

    def hear_all(self, source: Source) -> bytes:
        """Everything from start to end."""
        source.start(self.post)
        self.wait_state(CaptureState.FINISHED, CaptureState.FAILED)
        source.stop()
        return self.pcm()


@pytest.fixture
def ear() -> Ear:
    return Ear()


# ---- a PortAudio for tests ---------------------------------------------------------------


class FakeError(Exception):
    """As sounddevice.PortAudioError."""


class FakeStream:
    def __init__(self, backend: FakeBackend, **arguments: Any) -> None:
        self.arguments = arguments
        self.backend = backend
        self.closed = False
        self.channels: int = arguments["channels"]

    def start(self) -> None:
        self.backend.changed()

    def close(self) -> None:
        self.closed = True

    def deliver(self, samples: Samples, *, overflow: bool = False, adc_time: float = 0.0) -> None:
        """As the driver does: interleaved float32 in a buffer that is reused afterwards."""
        frames = samples.reshape(-1, 1) if samples.ndim == 1 else samples
        if frames.shape[1] < self.channels:
            frames = np.repeat(frames, self.channels, axis=1)
        buffer = bytearray((frames / 32768).astype(np.float32).tobytes())
        moment = type("Moment", (), {"inputBufferAdcTime": adc_time})()
        status = type("Status", (), {"input_overflow": overflow})()
        self.arguments["callback"](memoryview(buffer), len(frames), moment, status)
        buffer[:] = bytes(len(buffer))

    def vanish(self) -> None:
        """The device is gone and the driver says so."""
        self.arguments["finished_callback"]()


def device(name: str, *, channels: int = 1, rate: int = 48_000, hostapi: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "hostapi": hostapi,
        "max_input_channels": channels,
        "default_samplerate": float(rate),
    }


class FakeBackend:
    """Stands in for the sounddevice module. `present` is what is plugged in; as with PortAudio,
    it shows only after initialisation."""

    def __init__(self, *devices: dict[str, Any], refuses: tuple[int, ...] = ()) -> None:
        self.present = list(devices)
        self.known = list(devices)
        self.default = 0
        self.refuses = refuses
        self.broken = ""
        self.streams: list[FakeStream] = []
        self._changed = threading.Condition()

    def query_devices(self) -> list[dict[str, Any]]:
        return self.known

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "Fake", "default_input_device": self.default if self.known else -1}]

    def initialise(self) -> None:
        assert sum(not stream.closed for stream in self.streams) <= 1  # a better one beside it
        self.known = list(self.present)

    def RawInputStream(self, **arguments: Any) -> FakeStream:  # noqa: N802
        if arguments["samplerate"] in self.refuses:
            raise FakeError("Invalid sample rate [PaErrorCode -9997]")
        if self.known[arguments["device"]]["name"] == self.broken:
            raise FakeError("Device unavailable [PaErrorCode -9985]")
        stream = FakeStream(self, **arguments)
        self.streams.append(stream)
        return stream

    def changed(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def stream(self, number: int = 1) -> FakeStream:
        """The stream that was opened as the `number`-th."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.streams) >= number, 10)
            return self.streams[number - 1]


class FakeRecorder:
    """Does in this process what the recording process does, with a PortAudio of its own."""

    def __init__(self, backend: FakeBackend, devices: Sequence[str], only: bool) -> None:
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        backend.initialise()
        try:
            self._stream = Recording(backend, self._put).open(devices, only=only)
        except AudioError as error:
            self._put(Refused(str(error)))
            self._stream = None

    def _put(self, message: Message) -> None:
        answer, rest = decode_message(encode_message(message))
        assert answer == message
        assert rest == b""
        self._inbox.put(message)

    def read(self, timeout_s: float) -> Message | None:
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
