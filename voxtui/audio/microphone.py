"""A microphone through PortAudio.

PortAudio's callback copies and enqueues, nothing else. One worker thread opens the device, turns
blocks into 16 kHz mono s16, watches that samples come, and opens it again when they do not.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voxtui.audio.convert import Converter
from voxtui.audio.devices import Device, find_device, load_sounddevice, query_devices
from voxtui.audio.monitor import Monitor, Patience
from voxtui.audio.source import AudioError, Outlet, ThreadedSource
from voxtui.events import BYTES_PER_SECOND, SAMPLE_RATE, Severity

TICK_S = 0.1
BLOCK_BYTES = BYTES_PER_SECOND // 50
"""Drivers deliver pieces of a few milliseconds; nobody needs to hear of each."""


@dataclass(frozen=True, slots=True)
class _Block:
    """What the callback copied: float32 samples, interleaved."""

    data: bytes
    overflow: bool
    adc_time: float


class _Ended:
    """The stream ended by itself."""


class PortAudio:
    """The one door to PortAudio: its device list can be renewed only while no stream is open."""

    _lock = threading.Lock()
    _open_streams = 0
    _asked = False

    def __init__(self, sounddevice: Any) -> None:
        self._sd = sounddevice

    def devices(self) -> list[Device]:
        """The devices as they are now, as far as PortAudio allows."""
        with self._lock:
            try:
                if PortAudio._asked and PortAudio._open_streams == 0:
                    with suppress(Exception):
                        self._sd._terminate()
                    self._sd._initialize()
                PortAudio._asked = True
                return query_devices(self._sd)
            except Exception as error:  # PortAudioError, and what its host APIs raise
                raise AudioError(f"The sound system does not answer: {error}") from error

    def open(self, device: Device, rate: int, **callbacks: Any) -> Any:
        """A started input stream of float32 samples."""
        with self._lock:
            stream = self._sd.RawInputStream(
                samplerate=rate,
                device=device.index,
                channels=min(2, device.channels),
                dtype="float32",
                **callbacks,
            )
            try:
                stream.start()
            except Exception:
                with suppress(Exception):
                    stream.close()
                raise
            PortAudio._open_streams += 1
            return stream

    def close(self, stream: Any) -> None:
        """End a stream, whatever became of its device."""
        with self._lock:
            PortAudio._open_streams -= 1
            for end in (stream.abort, stream.close):
                with suppress(Exception):
                    end()


class MicrophoneSource(ThreadedSource):
    """`device` is "host api: name", as in `Device.id`, or "" for the system's default.

    Nothing raises: what is wrong is told as `CaptureChanged`, and tried again.
    """

    def __init__(
        self,
        device: str = "",
        gain_db: float = 0.0,
        *,
        backend: Any = None,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.name = device.partition(": ")[2] or device or "Microphone"
        self._wanted = device
        self._gain_db = gain_db
        self._backend = backend
        self._patience = patience or Patience()
        self._clock = clock
        self._queue: queue.SimpleQueue[_Block | _Ended] = queue.SimpleQueue()
        self._fallback_told = False
        self._lost_at: float | None = None

    # ---- the worker thread -------------------------------------------------------------

    def _work(self, outlet: Outlet) -> None:
        monitor = Monitor(outlet, self._patience)
        waits = self._waits()
        while not self._stopping.wait(next(waits)):
            try:
                portaudio = PortAudio(self._backend or load_sounddevice())
                device, stream, rate = self._open_any(portaudio, outlet)
            except AudioError as error:
                monitor.failed(str(error))
                continue
            self.name = device.name
            outlet.rename(device.name)
            monitor.opened(self._clock())
            try:
                delivered = self._serve(outlet, monitor, min(2, device.channels), rate)
            finally:
                portaudio.close(stream)
            if self._stopping.is_set():
                return
            if delivered:
                waits = self._waits()
                self._lost_at = self._clock()
            monitor.lost(f"{device.name} delivers no sound any more; waiting for it.")

    def _waits(self) -> Iterator[float]:
        yield from self._patience.retry
        while True:
            yield self._patience.retry[-1]

    def _open_any(self, portaudio: PortAudio, outlet: Outlet) -> tuple[Device, Any, int]:
        """The wanted device, else the default one, opened: (device, stream, rate)."""
        devices = portaudio.devices()
        if not devices:
            raise AudioError("No microphone was found: plug one in, it will be noticed.")
        wanted = find_device(devices, self._wanted) if self._wanted else devices[0]
        if wanted is not None:
            try:
                stream, rate = self._open(portaudio, wanted)
            except AudioError:
                if wanted is devices[0] or self._same_device_only():
                    raise
            else:
                self._fallback_told = False
                return wanted, stream, rate
        elif self._same_device_only():
            raise AudioError(f"{self._wanted} is gone; waiting for it.")
        stream, rate = self._open(portaudio, devices[0])
        if not self._fallback_told:
            self._fallback_told = True
            problem = "is not there" if wanted is None else "cannot be opened"
            outlet.notice(
                Severity.WARNING,
                f"{self._wanted} {problem}; {devices[0].name} is used instead.",
            )
        return devices[0], stream, rate

    def _same_device_only(self) -> bool:
        """A device that was lost a moment ago may come back."""
        if self._lost_at is None:
            return False
        return self._clock() - self._lost_at < self._patience.same_device

    def _open(self, portaudio: PortAudio, device: Device) -> tuple[Any, int]:
        """The stream and its rate: one that the device takes."""
        self._queue = queue.SimpleQueue()  # nothing of an earlier stream
        reason: Exception | None = None
        for rate in _rates(device):
            try:
                stream = portaudio.open(device, rate, **self._callbacks(self._queue))
            except Exception as error:  # PortAudioError, and what its host APIs raise
                reason = reason or error
            else:
                return stream, rate
        raise AudioError(f"{device.name} cannot be opened ({reason}): is another program using it?")

    @staticmethod
    def _callbacks(inbox: queue.SimpleQueue[_Block | _Ended]) -> dict[str, Callable[..., None]]:
        """What PortAudio's thread calls: copy, enqueue, return."""

        def on_samples(data: Any, frames: int, moment: Any, status: Any) -> None:
            inbox.put(
                _Block(
                    bytes(data),
                    bool(getattr(status, "input_overflow", False)),
                    float(getattr(moment, "inputBufferAdcTime", 0.0)),
                )
            )

        def on_end() -> None:
            inbox.put(_Ended())

        return {"callback": on_samples, "finished_callback": on_end}

    def _serve(self, outlet: Outlet, monitor: Monitor, channels: int, rate: int) -> bool:
        """Hand samples on until the device is lost or `stop`; True when any came."""
        converter = Converter(rate, self._gain_db)
        expected_adc = 0.0
        delivered = False
        pending = bytearray()
        while not self._stopping.is_set():
            try:
                item = self._queue.get(timeout=TICK_S)
            except queue.Empty:
                if monitor.overdue(self._clock()):
                    break
                continue
            if isinstance(item, _Ended):
                break
            samples = np.frombuffer(item.data, dtype=np.float32).reshape(-1, channels)
            seconds = len(samples) / rate
            if item.overflow:
                monitor.overflow(_missing(item.adc_time, expected_adc))
            expected_adc = item.adc_time + seconds if item.adc_time > 0 else 0.0
            monitor.block(self._clock(), seconds, zero=not samples.any())
            pending += converter.convert(samples)
            if len(pending) >= BLOCK_BYTES:
                outlet.audio(bytes(pending))
                pending.clear()
            delivered = True
        outlet.audio(bytes(pending) + converter.finish())
        return delivered


def _missing(adc_time: float, expected: float) -> float:
    """Seconds that lie between the blocks, 0 when the driver's clock does not tell."""
    if adc_time <= 0 or expected <= 0:
        return 0.0
    missing = adc_time - expected
    return missing if 0 < missing < 60 else 0.0


def _rates(device: Device) -> list[int]:
    """The rates to try. A sound server converts well, so it is asked for ours at once; other
    devices are opened at their own rate, as conversion by a driver may be poor."""
    name = device.name.casefold()
    served = name in ("pulse", "pipewire") or (name == "default" and _sound_server())
    own = [SAMPLE_RATE, device.rate] if served else [device.rate, SAMPLE_RATE]
    return list(dict.fromkeys([*own, 48_000, 44_100]))


def _sound_server() -> bool:
    """PulseAudio or PipeWire serves this user, so ALSA's default device leads there."""
    runtime = os.environ.get("PULSE_RUNTIME_PATH")
    folder = Path(runtime) if runtime else Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / "pulse"
    return "PULSE_SERVER" in os.environ or (folder / "native").exists()
