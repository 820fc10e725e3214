"""The microphones of this machine.

PortAudio freezes its list when it is initialised and forgetting it kills running streams, so
`list_devices` asks a short-lived process: `python -m voxtui.audio.devices` prints the list as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voxtui.audio.source import AudioError
from voxtui.events import SYSTEM_DEFAULT
from voxtui.machine import packages

LIST_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Device:
    """Something to record from. `rate` is its own sample rate, in Hz."""

    name: str
    host_api: str
    id: str
    default: bool
    channels: int
    rate: int
    index: int = -1
    """PortAudio's number, valid only in the process that asked for it."""


def load_sounddevice() -> Any:
    """The sounddevice module; it looks for the PortAudio library while it is imported."""
    try:
        import sounddevice
    except OSError as error:
        raise AudioError(_portaudio_hint(packages.here())) from error
    except ImportError as error:
        told = "The Python package sounddevice is missing: type pip install sounddevice."
        raise AudioError(told) from error
    return sounddevice


def _portaudio_hint(system: str) -> str:
    typed = packages.command("portaudio", system)
    todo = f"type {typed}" if typed else "install PortAudio with the packages of your system"
    return f"There is no sound library: {todo}."


def list_devices() -> list[Device]:
    """All devices that can record, the default one first. Takes a moment."""
    environment = {**os.environ, "PYTHONPATH": python_path()}
    try:
        result = subprocess.run(
            [sys.executable, "-m", "voxtui.audio.devices"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIST_TIMEOUT_S,
            check=False,
        )
        answer = json.loads(result.stdout)
    except subprocess.TimeoutExpired as error:
        raise AudioError("The sound system does not answer: is its server hanging?") from error
    except (OSError, ValueError) as error:
        raise AudioError("The microphones of this machine cannot be listed.") from error
    if "error" in answer:
        raise AudioError(answer["error"])
    return [Device(**fields) for fields in answer["devices"]]


def query_devices(sounddevice: Any) -> list[Device]:
    """The devices that PortAudio knows in this process, the default one first."""
    apis = sounddevice.query_hostapis()
    default = default_index(sounddevice)
    devices = []
    for index, info in enumerate(sounddevice.query_devices()):
        if info["max_input_channels"] < 1:
            continue
        name = " ".join(str(info["name"]).split())
        host_api = apis[info["hostapi"]]["name"]
        devices.append(
            Device(
                name=name,
                host_api=host_api,
                id=f"{host_api}: {name}",
                default=index == default,
                channels=int(info["max_input_channels"]),
                rate=int(info["default_samplerate"] or 48_000),
                index=index,
            )
        )
    return sorted(devices, key=lambda device: not device.default)


def default_index(sounddevice: Any) -> int:
    """The number of the system's default input, -1 when there is none."""
    for api in sounddevice.query_hostapis():
        index = int(api.get("default_input_device", -1))
        if index >= 0:
            return index
    return -1


def is_default(wanted: str) -> bool:
    """Does the name mean whatever the system uses?"""
    return wanted.strip().casefold() in ("", SYSTEM_DEFAULT)


def find_device(devices: Sequence[Device], wanted: str) -> Device | None:
    """The device that `wanted` ("host api: name", or a name) most likely means.

    Names change a little when a device is plugged in elsewhere ("… (hw:2,0)") and some host APIs
    cut them off, so beginnings count too.
    """
    key = _key(wanted)
    if not key:
        return None
    tests = (
        lambda device: device.id == wanted,
        lambda device: device.name == wanted,
        lambda device: _key(device.id) == key,
        lambda device: _key(device.name) == key or _key(device.name) == _name_key(wanted),
        lambda device: _key(device.id).startswith(key),
        lambda device: (
            _alike(_key(device.name), key) or _alike(_key(device.name), _name_key(wanted))
        ),
    )
    for fits in tests:
        for device in devices:
            if fits(device):
                return device
    return None


def _key(name: str) -> str:
    """Without case and without the number of the hardware."""
    return name.casefold().partition(" (hw:")[0].strip()


def _name_key(wanted: str) -> str:
    return _key(wanted.partition(": ")[2])


def _alike(name: str, wanted: str) -> bool:
    if min(len(name), len(wanted)) < 4:
        return False
    return name.startswith(wanted) or wanted.startswith(name)


def python_path() -> str:
    """PYTHONPATH for a process that shall find this package."""
    package = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return f"{package}{os.pathsep}{inherited}" if inherited else package


def main() -> int:
    """Print the list, or one sentence why there is none."""
    try:
        devices = query_devices(load_sounddevice())
    except AudioError as error:
        answer: dict[str, Any] = {"error": str(error)}
    except Exception as error:  # whatever PortAudio says, the caller needs a sentence
        answer = {"error": f"The sound system cannot be used: {error}"}
    else:
        answer = {"devices": [asdict(device) for device in devices]}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
