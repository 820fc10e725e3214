"""The microphone, with a PortAudio that does what it is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from voxtui.audio import microphone, monitor, recorder
from voxtui.audio.devices import Device, query_devices
from voxtui.audio.microphone import MicrophoneSource, ProcessRecorder
from voxtui.audio.monitor import Monitor, Patience, silence_causes
from voxtui.audio.recorder import Ended, Message, Opened, Refused
from voxtui.audio.source import Outlet
from voxtui.events import AudioBlock, AudioGap, CaptureChanged, CaptureState, Notice

from .conftest import Ear, FakeBackend, FakeRecorder, device, pitch, tone

QUICK = Patience(silent=0.3, lost=60.0, first=60.0, same_device=0.0, retry=(0.0, 0.01))
ZEROS = np.zeros(1_600, np.int16)
S = CaptureState


def listen(
    backend: FakeBackend, ear: Ear, names: str | Sequence[str] = (), **named: Any
) -> MicrophoneSource:
    def present() -> list[Device]:
        seen = FakeBackend(*backend.present)
        seen.default = backend.default
        return query_devices(seen)

    source = MicrophoneSource(
        names,
        record=partial(FakeRecorder, backend),
        present=present,
        **{"patience": QUICK, **named},
    )
    source.start(ear.post)
    return source


def test_the_devices_own_rate_becomes_16_khz(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=48_000))
    source = listen(backend, ear)
    stream = backend.stream()
    assert (stream.arguments["samplerate"], stream.arguments["dtype"]) == (48_000, "float32")
    sound = tone(1.0, 440, 48_000)
    for start in range(0, sound.size, 480):
        stream.deliver(sound[start : start + 480])
    ear.wait(lambda: ear.samples().size > 15_000)
    source.stop()
    assert pitch(ear.samples()[:15_000]) == pytest.approx(440, abs=3)
    assert ear.states() == [S.PREPARING, S.RUNNING]
    assert all(len(block.pcm) >= 640 for block in ear.of(AudioBlock)[:-1])
    assert stream.closed


def test_a_device_of_16_khz_passes_bit_by_bit(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear)
    sound = np.random.default_rng(1).integers(-32768, 32767, 8_000).astype(np.int16)
    for start in range(0, sound.size, 400):
        backend.stream().deliver(sound[start : start + 400])
    ear.wait(lambda: ear.samples().size >= 8_000)
    source.stop()
    assert ear.pcm() == sound.tobytes()


def test_a_rate_that_is_refused(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000), refuses=(16_000,))
    source = listen(backend, ear)
    assert backend.stream().arguments["samplerate"] == 48_000
    source.stop()


def test_a_sound_server_is_asked_for_our_rate(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_sound_server", lambda: True)
    backend = FakeBackend(device("default", rate=44_100, channels=32))
    source = listen(backend, ear)
    arguments = backend.stream().arguments
    assert (arguments["samplerate"], arguments["channels"]) == (16_000, 2)
    source.stop()


def test_preparing_until_the_first_real_samples(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear)
    backend.stream().deliver(ZEROS)
    ear.wait(lambda: bool(ear.of(AudioBlock)))
    assert ear.states() == [S.PREPARING]
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    ear.wait(lambda: ear.samples().size == 3_200)  # the zeros are sound, too
    source.stop()


def test_exact_silence_is_named_and_forgotten(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear)
    backend.stream().deliver(tone(0.1))
    for _ in range(4):
        backend.stream().deliver(ZEROS)
    ear.wait_state(S.SILENT)
    assert "muted" in ear.of(CaptureChanged)[-1].detail
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()


def test_on_a_mac_the_terminal_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.sys, "platform", "darwin")
    for name in ("TERM", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM_PROGRAM", "Apple_Terminal")
    assert "allow Apple Terminal to use it" in silence_causes()


def test_elsewhere_too_and_far_away_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.sys, "platform", "linux")
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.delenv("SSH_TTY", raising=False)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert "or kitty may not record" in silence_causes()
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 22")
    assert "machine you are connected to" in silence_causes()


def test_an_overflow_is_a_gap_and_one_notice(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear)
    stream = backend.stream()
    stream.deliver(tone(0.1), adc_time=10.0)
    stream.deliver(tone(0.1), adc_time=10.35, overflow=True)
    stream.deliver(tone(0.1), adc_time=10.45, overflow=True)
    ear.wait(lambda: ear.samples().size == 4_800)
    source.stop()
    assert ear.of(AudioGap) == [AudioGap("overflow", 0.25), AudioGap("overflow", 0.0)]
    assert len(ear.of(Notice)) == 1


def test_a_device_that_vanishes_comes_back(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear, "Fake: Mic")
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    backend.present = []
    backend.stream().vanish()
    ear.wait_state(S.LOST)
    time.sleep(0.1)
    assert ear.states()[-1] is S.LOST
    backend.present = [device("Speaker", channels=0), device("Mic", rate=16_000)]
    backend.default = 1
    backend.stream(2).deliver(tone(0.02))
    ear.wait_state(S.RUNNING)
    source.stop()
    gap = ear.of(AudioGap)[0]
    assert gap.reason == "device lost"
    assert 0.05 < gap.seconds < 5
    kinds = [type(event) for event in ear.events]
    assert kinds.index(AudioGap) < len(kinds) - 1 - kinds[::-1].index(AudioBlock)
    assert ear.states() == [S.PREPARING, S.RUNNING, S.LOST, S.RUNNING]


def test_a_device_that_falls_silent_without_a_word_is_lost(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear, patience=replace(QUICK, lost=1.0))
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.LOST)
    backend.stream(2).deliver(ZEROS)
    ear.wait_state(S.PREPARING)
    backend.stream(2).deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()


def test_the_default_takes_over(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in", rate=16_000), device("USB", rate=16_000))
    source = listen(backend, ear, "Fake: USB")
    assert backend.stream().arguments["device"] == 1
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    backend.present = [device("Built-in", rate=16_000)]
    backend.stream().vanish()
    backend.stream(2).deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    assert ear.of(Notice)[0].message == "Fake: USB is not there; Built-in is used instead."
    assert ear.of(CaptureChanged)[-1].source == "Built-in"


def test_a_lost_device_is_waited_for_a_moment(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in", rate=16_000), device("USB", rate=16_000))
    patience = Patience(same_device=30.0, retry=(0.0, 0.01))
    source = listen(backend, ear, "Fake: USB", patience=patience)
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    backend.present = backend.present[:1]
    backend.stream().vanish()
    ear.wait_state(S.LOST)
    time.sleep(0.1)
    assert len(backend.streams) == 1
    backend.present = [device("Built-in", rate=16_000), device("USB", rate=16_000)]
    backend.stream(2).deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    assert backend.stream(2).arguments["device"] == 1
    assert ear.of(Notice) == []


def test_a_busy_device_gives_way_to_the_default(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in"), device("USB"))
    backend.broken = "USB"
    source = listen(backend, ear, "USB")
    assert backend.stream().arguments["device"] == 0
    ear.wait(lambda: bool(ear.of(Notice)))
    source.stop()
    assert "cannot be opened; Built-in is used" in ear.of(Notice)[0].message


def test_the_first_of_the_list_that_is_there_is_heard(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in", rate=16_000), device("Desk", rate=16_000))
    source = listen(backend, ear, ("USB", "Desk", "system default"))
    assert backend.stream().arguments["device"] == 1
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    assert ear.of(Notice) == [], "the person made the list, and the page names the microphone"


def test_the_default_may_be_in_the_list(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in", rate=16_000), device("Desk", rate=16_000))
    source = listen(backend, ear, ("USB", "System Default", "Desk"))
    assert backend.stream().arguments["device"] == 0
    source.stop()
    assert ear.of(Notice) == []


def test_a_better_one_that_comes_back_is_heard_when_it_delivers(ear: Ear) -> None:
    backend = FakeBackend(device("Built-in", rate=16_000), device("USB", rate=16_000))
    source = listen(backend, ear, "Fake: USB", patience=replace(QUICK, better=0.05, first=0.3))
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    backend.present = backend.present[:1]
    backend.stream().vanish()
    worse = backend.stream(2)
    worse.deliver(tone(0.1))
    ear.wait(lambda: ear.of(CaptureChanged)[-1].source == "Built-in")

    backend.present = [device("Built-in", rate=16_000), device("USB", rate=16_000)]
    better = backend.stream(3)
    assert better.arguments["device"] == 1
    better.deliver(ZEROS)
    count = ear.samples().size
    worse.deliver(tone(0.1))
    ear.wait(lambda: ear.samples().size > count)
    assert not worse.closed, "nothing but zeros: the other one is still heard"
    latest = backend.stream(4)  # tried again
    latest.deliver(tone(0.02))
    ear.wait(lambda: ear.of(CaptureChanged)[-1].source == "USB")
    latest.deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    assert worse.closed
    assert [gap.reason for gap in ear.of(AudioGap)] == ["device lost"], "none in the change back"
    assert ear.of(Notice)[-1].message == "USB is there and is heard now."


def test_on_a_mac_another_default_is_followed(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone.sys, "platform", "darwin")
    backend = FakeBackend(device("Built-in", rate=16_000), device("AirPods", rate=16_000))
    source = listen(backend, ear, patience=replace(QUICK, better=0.05))
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    backend.default = 1
    backend.stream(2).deliver(tone(0.1))
    ear.wait(lambda: ear.of(CaptureChanged)[-1].source == "AirPods")
    source.stop()
    assert len(backend.streams) == 2


def test_no_microphone_until_one_is_plugged_in(ear: Ear) -> None:
    backend = FakeBackend()
    source = listen(backend, ear)
    ear.wait_state(S.FAILED)
    assert "No microphone was found" in ear.of(CaptureChanged)[-1].detail
    backend.present = [device("Mic", rate=16_000)]
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    assert ear.states() == [S.FAILED, S.PREPARING, S.RUNNING]


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([Refused("Install the library.")], "Install the library."),
        ([Ended()], "The sound system ended unexpectedly; trying again."),
        ([], "The sound system does not answer: is its server hanging?"),
    ],
)
def test_a_recording_that_cannot_begin(ear: Ear, messages: list[Message], sentence: str) -> None:
    class Failing:
        def __init__(self, devices: Sequence[str], only: bool) -> None:
            self.messages = list(messages)

        def read(self, timeout_s: float) -> Message | None:
            return self.messages.pop() if self.messages else None

        def close(self) -> None:
            pass

    source = MicrophoneSource(record=Failing, patience=Patience(open=0.0, retry=(0.0, 9.0)))
    source.start(ear.post)
    ear.wait_state(S.FAILED)
    source.stop()
    assert ear.of(CaptureChanged) == [CaptureChanged(S.FAILED, "Microphone", sentence)]


def test_the_recording_process_ends_with_its_owner() -> None:
    """Whether there is a microphone or not: it says something, and goes when told."""
    process = ProcessRecorder((), False)
    message = process.read(20.0)
    assert isinstance(message, Opened | Refused)
    process.close()
    assert process._process.returncode is not None


def test_nothing_is_posted_after_stop(ear: Ear) -> None:
    backend = FakeBackend(device("Mic", rate=16_000))
    source = listen(backend, ear)
    backend.stream().deliver(tone(0.1))
    ear.wait_state(S.RUNNING)
    source.stop()
    count = len(ear.events)
    backend.stream().deliver(tone(0.1))
    backend.stream().vanish()
    source.stop()
    time.sleep(0.05)
    assert len(ear.events) == count


def test_stop_before_start() -> None:
    MicrophoneSource().stop()


# ---- the monitor alone, with a clock that is given ---------------------------------------


def test_the_gap_is_the_time_without_sound() -> None:
    ear = Ear()
    watch = Monitor(Outlet("Mic", ear.post), Patience())
    watch.opened(0.0)
    watch.block(0.5, 0.1, zero=False)
    assert not watch.overdue(2.4), "the machine may only be busy"
    assert watch.overdue(2.5)
    watch.lost("gone")
    watch.opened(4.0)
    assert not watch.overdue(8.9)
    assert watch.overdue(9.0)
    watch.block(9.5, 0.1, zero=False)
    assert ear.of(AudioGap) == [AudioGap("device lost", 8.9)]
    assert ear.states() == [S.PREPARING, S.RUNNING, S.LOST, S.RUNNING]


def test_zeros_count_only_in_a_row() -> None:
    ear = Ear()
    watch = Monitor(Outlet("Mic", ear.post), Patience())
    watch.opened(0.0)
    for index in range(100):
        watch.block(index / 10, 0.1, zero=index % 20 != 0)
    assert S.SILENT not in ear.states()
