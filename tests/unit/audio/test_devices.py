from __future__ import annotations

import builtins
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from voxtui.audio import devices
from voxtui.audio.devices import Device, find_device, list_devices, load_sounddevice, query_devices
from voxtui.audio.source import AudioError
from voxtui.machine import packages

from .conftest import FakeBackend, device


def made(name: str, host_api: str = "ALSA", *, default: bool = False) -> Device:
    return Device(name, host_api, f"{host_api}: {name}", default, 1, 48_000)


DEVICES = [
    made("default", default=True),
    made("Jabra Link 370: USB Audio (hw:2,0)"),
    made("USB Audio Device: - (hw:1,0)"),
    made("Headset Microphone (Long Name O", "MME"),
    made("Microphone", "JACK"),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ("ALSA: default", 0),
        ("ALSA: Jabra Link 370: USB Audio (hw:2,0)", 1),
        ("ALSA: Jabra Link 370: USB Audio (hw:5,0)", 1),  # plugged in elsewhere
        ("Jabra Link 370", 1),
        ("jabra link", 1),
        ("JACK: microphone", 4),
        ("Core Audio: Microphone", 4),  # another host API
        ("WASAPI: Headset Microphone (Long Name Of It)", 3),  # cut off by the host API
        ("Nothing of the kind", None),
        ("", None),
    ],
)
def test_find(wanted: str, index: int | None) -> None:
    assert find_device(DEVICES, wanted) is (None if index is None else DEVICES[index])


def test_query_leaves_out_what_cannot_record() -> None:
    backend = FakeBackend(
        device("Speakers", channels=0), device("Line  In", channels=2), device("Mic", rate=44_100)
    )
    backend.default = 2
    found = query_devices(backend)
    assert [(d.id, d.default, d.channels, d.rate, d.index) for d in found] == [
        ("Fake: Mic", True, 1, 44_100, 2),
        ("Fake: Line In", False, 2, 48_000, 1),
    ]


@pytest.mark.parametrize(
    ("family", "todo"),
    [
        ("debian", "type sudo apt install libportaudio2 libasound2-plugins"),
        ("fedora", "type sudo dnf install portaudio alsa-plugins-pulseaudio"),
        ("arch", "type sudo pacman -S portaudio alsa-plugins"),
        ("suse", "type sudo zypper install libportaudio2 alsa-plugins-pulse"),
        ("alpine", "type sudo apk add portaudio"),
        ("macos", "type brew install portaudio"),
        ("", "install PortAudio with the packages of your system"),
    ],
)
def test_without_a_sound_library(monkeypatch: pytest.MonkeyPatch, family: str, todo: str) -> None:
    usual = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return usual(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(packages, "here", lambda: family)
    with pytest.raises(AudioError) as told:
        load_sounddevice()
    assert str(told.value) == f"There is no sound library: {todo}."


def answer(**fields: Any) -> Callable[..., Any]:
    return lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=json.dumps(fields))


def test_list_asks_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {
        **{"name": "Mic", "host_api": "X", "id": "X: Mic", "default": True},
        **{"channels": 1, "rate": 48_000, "index": 3},
    }
    monkeypatch.setattr(devices.subprocess, "run", answer(devices=[fields]))
    assert list_devices() == [Device("Mic", "X", "X: Mic", True, 1, 48_000, 3)]


def test_list_passes_errors_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.subprocess, "run", answer(error="Install something."))
    with pytest.raises(AudioError, match=r"Install something\."):
        list_devices()


def test_list_survives_a_process_that_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "LIST_TIMEOUT_S", 10.0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(AudioError, match="cannot be listed"):
        list_devices()


def test_the_real_list() -> None:
    try:
        found = list_devices()
    except AudioError as error:
        pytest.skip(str(error))
    assert all(device.channels > 0 for device in found)
    assert sum(device.default for device in found) <= 1
