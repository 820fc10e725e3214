"""Records from PortAudio in a process of its own: `python -m voxtui.audio.recorder`.

A driver whose device or server goes away may never return from closing it, and PortAudio learns of
new devices only when it is initialised again. So the recording process is simply killed, and the
next one sees the machine as it is. It writes messages to standard output until its standard input
ends, which it also does when the parent is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from voxtui.audio.devices import (
    Device,
    find_device,
    is_default,
    load_sounddevice,
    query_devices,
)
from voxtui.audio.source import AudioError
from voxtui.events import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream runs. `instead_of` tells why it is none of the wanted devices, or is empty;
    `rank` is the place of the device among those, or their number when it is none."""

    device: str
    rate: int
    channels: int
    instead_of: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Samples:
    """What the callback got: float32, interleaved. `overflow`: some were lost before them."""

    data: bytes
    overflow: bool
    adc_time: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing can be recorded; a sentence says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream or the process ended."""


Message = Opened | Samples | Refused | Ended


class Recording:
    """One open stream. `emit` is called on PortAudio's thread: copy, enqueue, return."""

    def __init__(self, sounddevice: Any, emit: Callable[[Message], None]) -> None:
        self._sd = sounddevice
        self._emit = emit

    def open(self, wanted: Sequence[str], *, only: bool) -> Any:
        """Open the first wanted device that can be had, or the default one unless `only`; emits
        what came of it. No name, or the name of the default, is the default."""
        try:
            devices = query_devices(self._sd)
        except Exception as error:  # PortAudioError, and what its host APIs raise
            raise AudioError(f"The sound system does not answer: {error}.") from error
        if not devices:
            raise AudioError("No microphone was found: plug one in, it will be noticed.")
        problem, refused, tried = "", None, set()
        for rank, name in enumerate(wanted or ("",)):
            device = devices[0] if is_default(name) else find_device(devices, name)
            if device is None:
                problem = problem or f"{name} is not there"
                continue
            tried.add(device.id)
            try:
                return self._open(device, rank=rank)
            except AudioError as error:
                problem, refused = problem or f"{name} cannot be opened", refused or error
        if only or devices[0].id in tried:
            raise refused or AudioError(f"{wanted[0]} is gone; waiting for it.")
        told = f"{problem}; {devices[0].name} is used instead."
        return self._open(devices[0], told, rank=len(wanted))

    def _open(self, device: Device, instead_of: str = "", *, rank: int) -> Any:
        reason: Exception | None = None
        for rate in _rates(device):
            channels = min(2, device.channels)
            try:
                stream = self._sd.RawInputStream(
                    samplerate=rate,
                    device=device.index,
                    channels=channels,
                    dtype="float32",
                    callback=self._on_samples,
                    finished_callback=lambda: self._emit(Ended()),
                )
                self._emit(Opened(device.name, rate, channels, instead_of, rank))
                stream.start()
            except Exception as error:  # PortAudioError, and what its host APIs raise
                reason = reason or error
            else:
                return stream
        raise AudioError(f"{device.name} cannot be opened ({reason}): is another program using it?")

    def _on_samples(self, data: Any, frames: int, moment: Any, status: Any) -> None:
        overflow = bool(getattr(status, "input_overflow", False))
        adc_time = float(getattr(moment, "inputBufferAdcTime", 0.0))
        self._emit(Samples(bytes(data), overflow, adc_time))


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


# ---- messages as bytes: type, length, payload --------------------------------------------

_HEAD = struct.Struct("<cI")
_SAMPLES = struct.Struct("<?d")


def encode_message(message: Message) -> bytes:
    """One message for the pipe."""
    match message:
        case Opened():
            kind, payload = b"O", json.dumps(astuple(message)).encode()
        case Samples(data, overflow, adc_time):
            kind, payload = b"S", _SAMPLES.pack(overflow, adc_time) + data
        case Refused(reason):
            kind, payload = b"R", json.dumps(reason).encode()
        case Ended():
            kind, payload = b"E", b""
    return _HEAD.pack(kind, len(payload)) + payload


def decode_message(data: bytes) -> tuple[Message | None, bytes]:
    """The first message in `data`, or None when it is not complete, and the rest."""
    if len(data) < _HEAD.size:
        return None, data
    kind, size = _HEAD.unpack_from(data)
    end = _HEAD.size + size
    if len(data) < end:
        return None, data
    payload, rest = data[_HEAD.size : end], data[end:]
    if kind == b"S":
        overflow, adc_time = _SAMPLES.unpack_from(payload)
        return Samples(payload[_SAMPLES.size :], overflow, adc_time), rest
    if kind == b"O":
        return Opened(*json.loads(payload)), rest
    if kind == b"R":
        return Refused(json.loads(payload)), rest
    return Ended(), rest


def main() -> None:
    """Record until standard input ends or the device does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("devices", nargs="*")
    parser.add_argument("--only", action="store_true")
    options = parser.parse_args()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    try:
        stream = Recording(load_sounddevice(), inbox.put).open(options.devices, only=options.only)
    except AudioError as error:
        _send(Refused(str(error)))
    else:
        while stream is not None:
            message = inbox.get()
            _send(message)
            if isinstance(message, Ended):
                break
    os._exit(0)  # without closing: that may take for ever


def _exit_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def _send(message: Message) -> None:
    view = memoryview(encode_message(message))
    while view:
        try:
            view = view[os.write(1, view) :]
        except OSError:
            os._exit(0)


if __name__ == "__main__":
    main()
