"""The microphone with real PortAudio and a PulseAudio server of our own."""

from __future__ import annotations

import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support import sound
from voxtui.audio.devices import list_devices
from voxtui.audio.microphone import MicrophoneSource
from voxtui.audio.source import AudioError
from voxtui.events import AudioGap, CaptureState

from .conftest import Ear

pytestmark = pytest.mark.e2e


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> Iterator[sound.VirtualMicrophone]:
    if sys.platform != "linux" or sound.missing():
        pytest.skip(sound.missing() or "needs Linux")
    try:
        list_devices()
    except AudioError as error:
        pytest.skip(str(error))
    with sound.VirtualMicrophone() as virtual:
        for name, value in virtual.environment.items():
            monkeypatch.setenv(name, value)
        if not any(device.name == "pulse" for device in list_devices()):
            pytest.skip("needs ALSA's PulseAudio plugin (libasound2-plugins)")
        yield virtual


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A second of sound that cannot be mistaken."""
    samples = np.random.default_rng(4).integers(-9_000, 9_000, 16_000).astype("<i2")
    with wave.open(str(tmp_path / "noise.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return tmp_path / "noise.wav"


def sound_of(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(file.getnframes())


def test_what_is_played_is_heard_bit_by_bit(
    microphone: sound.VirtualMicrophone, noise: Path, ear: Ear
) -> None:
    source = MicrophoneSource("ALSA: pulse")
    source.start(ear.post)
    ear.wait(lambda: len(ear.pcm()) > 0)
    microphone.play(noise)
    ear.wait(lambda: sound_of(noise) in ear.pcm())
    source.stop()
    assert ear.states()[-1] is CaptureState.RUNNING
    assert ear.of(AudioGap) == []


def test_a_server_that_dies_and_comes_back(
    microphone: sound.VirtualMicrophone, noise: Path, ear: Ear
) -> None:
    source = MicrophoneSource()
    source.start(ear.post)
    ear.wait(lambda: len(ear.pcm()) > 0)
    microphone.stop()
    ear.wait_state(CaptureState.LOST)
    time.sleep(1.0)
    microphone.start()
    ear.wait(lambda: bool(ear.of(AudioGap)), 30)
    before = len(ear.pcm())
    microphone.play(noise)
    ear.wait(lambda: sound_of(noise) in ear.pcm()[before:])
    source.stop()
    assert ear.of(AudioGap)[0].reason == "device lost"
    assert 1.0 < ear.of(AudioGap)[0].seconds < 30.0


def test_another_device_while_one_is_open(
    microphone: sound.VirtualMicrophone, noise: Path, ear: Ear
) -> None:
    first, other = MicrophoneSource("ALSA: pulse"), Ear()
    first.start(other.post)
    other.wait(lambda: len(other.pcm()) > 0)
    assert list_devices()  # does not disturb
    second = MicrophoneSource("ALSA: default")
    second.start(ear.post)
    ear.wait(lambda: len(ear.pcm()) > 0)
    first.stop()
    microphone.play(noise)
    ear.wait(lambda: sound_of(noise) in ear.pcm())
    second.stop()
