"""How options and settings become a chain, and how its events reach a page."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.sessions import STARTED, make
from tests.ui.support import speech, stats
from voxtui import paths
from voxtui.events import Event, Level, ListeningChanged, Notice, Severity, TranscriptChanged
from voxtui.pipeline import PipelineConfig
from voxtui.session.errors import SessionError
from voxtui.settings import ENGINES, Settings
from voxtui.settingsfile import load
from voxtui.ui import messages
from voxtui.ui.backend import CannotStartError, Listener
from voxtui.ui.local import LocalBackend
from voxtui.ui.options import UiOptions
from voxtui.ui.preferences import Preferences
from voxtui.ui.relay import Relay


class Chain:
    """In place of the pipeline: what it was made from and asked for."""

    def __init__(self) -> None:
        self.config: PipelineConfig | None = None
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, config: PipelineConfig, listener: Listener) -> Any:
        self.config = config
        return self

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **more: self.calls.append((name, *args, *more.items()))


def started(
    options: UiOptions, settings: Settings | None = None, **more: Any
) -> tuple[LocalBackend, Chain, PipelineConfig]:
    chain = Chain()
    backend = LocalBackend(options, settings or Settings(), pipeline_factory=chain, **more)
    backend.start(lambda event: None)
    assert backend.running is chain  # waits until it is there
    assert chain.config is not None
    return backend, chain, chain.config


def test_the_first_page_waits_for_nothing_heavy() -> None:
    heavy = ["numpy", "tomlkit", "huggingface_hub", "httpx2", "av", "sounddevice", "soxr"]
    heavy += ["pyperclip", "sqlite3", "voxtui.pipeline", "voxtui.doctor", "voxtui.models.download"]
    heavy += ["voxtui.session.library"]
    code = f"import sys, voxtui.ui.run; print(*sorted({{*{heavy}}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_asked_before_it_is_open_opens_it() -> None:
    chain = Chain()
    backend = LocalBackend(UiOptions(), Settings(), pipeline_factory=chain)
    backend.start(lambda event: None)
    assert chain.config is None
    backend.listen(True)
    backend.open()
    assert chain.calls == [("start",), ("listen", True)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_cannot_be_opened_is_told() -> None:
    def broken(config: PipelineConfig, listener: Listener) -> Any:
        raise OSError("no room")

    heard: list[Event] = []
    backend = LocalBackend(UiOptions(), Settings(), pipeline_factory=broken)
    backend.start(heard.append)
    backend.open()
    backend.close(0.0)
    assert heard == [Notice(Severity.ERROR, "Listening cannot begin: OSError: no room.")]


def test_what_could_not_be_opened_is_tried_again_when_somebody_wants_it() -> None:
    """What is asked meanwhile ends nothing; each try says why it came to nothing."""
    chain, room = Chain(), False

    def make(config: PipelineConfig, listener: Listener) -> Any:
        if not room:
            raise SessionError("The disk is full: make room.")
        return chain(config, listener)

    heard: list[Event] = []
    backend = LocalBackend(UiOptions(), Settings(), pipeline_factory=make)
    backend.start(heard.append)
    backend.listen(True)
    backend.use(Settings())
    backend.note("mark", None, 1.0)
    assert heard == [Notice(Severity.ERROR, "The disk is full: make room.")] * 3
    room = True
    backend.listen(True)
    backend.listen(False)
    assert chain.calls == [("start",), ("listen", True), ("listen", False)]
    assert len(heard) == 3


@pytest.mark.parametrize(
    ("close", "sound_s", "told"), [(True, 20, False), (False, 20, True), (False, 1, False)]
)
def test_a_session_that_broke_off_is_told_at_the_next_start(
    tmp_path: Path, close: bool, sound_s: int, told: bool
) -> None:
    sound = bytes(32000 * sound_s)
    made = make(tmp_path, "all went well", sound=sound, started=STARTED - 1)
    newest = make(tmp_path, "hello world", sound=sound, close=close)
    assert newest.name > made.name
    heard: list[Event] = []
    newest._log.close()  # whoever wrote it is gone
    backend = LocalBackend(UiOptions(sessions_dir=tmp_path), Settings(), pipeline_factory=Chain())
    backend.start(heard.append)
    backend.open()
    backend.close(0.0)
    notices = [event.message for event in heard if isinstance(event, Notice)]
    assert [" broke off: the words of its last 19 seconds " in told for told in notices] == [
        True
    ] * told


def test_a_microphone_with_the_settings() -> None:
    settings = Settings().replace("engine", delay_ms=960, interval_s=1.0)
    backend, chain, config = started(UiOptions(), settings)
    assert not backend.hears_file
    assert backend.small_model
    assert config.engine.model == paths.builtin_model_dir()
    assert (config.engine.delay_ms, config.engine.interval_s) == (960, 1.0)
    assert config.sessions_dir == paths.sessions_dir()
    assert not config.keep_everything
    assert chain.calls == [("start",)]


def test_a_model_of_the_settings_that_is_gone_is_named_and_does_without() -> None:
    backend, _, config = started(UiOptions(), Settings().replace("engine", model="removed"))
    assert "'removed'" in backend.warning
    assert config.engine.model == paths.builtin_model_dir()
    with pytest.raises(CannotStartError, match="removed"):
        started(UiOptions(model="removed"))


def test_the_command_line_wins(tmp_path: Path) -> None:
    _, _, config = started(
        UiOptions(model="tiny", delay_ms=240, interval_s=0.2, sessions_dir=tmp_path)
    )
    assert (config.engine.delay_ms, config.engine.interval_s) == (240, 0.2)
    assert config.sessions_dir == tmp_path
    for asked, halved in ((None, 0.25), (2.0, 1.0), (0.1, 0.08)):
        _, _, config = started(UiOptions(interval_s=asked, low_latency=True))
        assert config.engine.interval_s == halved


def test_the_demo_hears_its_recording_with_the_small_model() -> None:
    backend, _, config = started(UiOptions(demo=True))
    assert backend.source_name == "demo"
    assert config.keep_everything
    assert config.source().name == "demo.wav"


def test_a_file_by_name() -> None:
    clip = paths.clips_dir() / "digits.wav"
    backend, _, config = started(UiOptions(input=str(clip)))
    assert (backend.hears_file, backend.source_name) == (True, "digits.wav")
    assert config.source().name == "digits.wav"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (UiOptions(input="/no/such/file.wav"), "There is no file /no/such/file.wav."),
        (UiOptions(model="/no/such/model"), "There is no model"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(options: UiOptions, said: str) -> None:
    with pytest.raises(CannotStartError, match=said):
        LocalBackend(options, Settings())


def test_changes_reach_the_chain() -> None:
    backend, chain, _ = started(UiOptions())
    preferences = Preferences(Settings(), None)
    for group, name, value in (
        ("engine", "delay_ms", 240),
        ("engine", "delay_ms", 0),
        ("engine", "interval_s", 0.2),
        ("engine", "model", "tiny"),
        ("audio", "gain_db", 6.0),
    ):
        assert preferences.set(group, name, value) == ""
        preferences.apply(name, backend)
    assert [call[0] for call in chain.calls] == [
        "start",
        "configure_engine",
        "configure_engine",
        "configure_engine",
        "reload_engine",
        "change_source",
    ]
    assert chain.calls[1] == ("configure_engine", ("delay_ms", 240))
    assert chain.calls[2] == ("configure_engine", ("delay_ms", 480))
    assert chain.calls[4][1].interval_s == 0.2, "a new model keeps what was chosen"


def test_another_engine_goes_on_as_the_settings_say(tmp_path: Path) -> None:
    program = tmp_path / "voxtral"
    program.write_text("#!/bin/sh\n")
    backend, chain, _ = started(UiOptions(model="tiny"))
    assert not backend.abilities().lacks
    assert backend.abilities().backends[:2] == ("auto", "cpu")
    assert [choice.value for choice in backend.engines()] == list(ENGINES)
    chosen = Settings().replace("engine", name="upstream", upstream=str(program), threads=3)
    with pytest.raises(CannotStartError, match=r"voxtral is not a program .* built in goes on"):
        backend.use_engine(chosen)
    assert chain.calls == [("start",)], "what cannot be started changes nothing"
    program.chmod(0o755)
    backend.use_engine(chosen)
    name, config = chain.calls[-1]
    assert name == "reload_engine"
    assert (config.name, config.binary, config.threads) == ("upstream", program, 3)
    assert config.model == paths.builtin_model_dir()
    assert {"precision", "backend", "delay_ms"} <= backend.abilities().lacks
    backend.use_engine(Settings().replace("engine", backend="cpu"))
    config = chain.calls[-1][1]
    assert (config.name, config.command(lambda: program)[:3]) == (
        "voxtral_c",
        [str(program), "--backend", "cpu"],
    )


def test_a_recording_is_not_exchanged_for_a_microphone() -> None:
    backend, chain, _ = started(UiOptions(demo=True))
    backend.use_microphone("", 3.0)
    assert chain.calls == [("start",)]


def test_choices_of_the_command_line_are_shown_but_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "voxtui.toml"
    options = UiOptions(model="tiny", delay_ms=960, low_latency=True)
    preferences = Preferences(Settings(), file, options)
    assert preferences.shown.engine.model == "tiny"
    assert (preferences.shown.engine.interval_s, preferences.kept.engine.interval_s) == (0.25, 0.5)
    preferences.set("appearance", "timestamps", False)
    assert preferences.kept.engine.model == "auto"
    assert preferences.shown.engine.delay_ms == 960
    assert load(file)[0].engine.model == "auto"
    assert preferences.set("engine", "delay_ms", 81) != ""


# ---- the relay


async def test_newest_level_and_every_word() -> None:
    seen: list[messages.Arrived] = []
    levels: list[Level] = []
    relay = Relay(asyncio.get_running_loop(), seen.append, levels.append, frame_s=0.02)

    def tell() -> None:
        for number in range(500):
            event: Event = Level(-number / 10, 0, clipped=number == 3)
            relay(event)
            relay(stats(number, number))
            if number % 100 == 0:
                relay(TranscriptChanged((speech(f"number {number}"),)))
                relay(ListeningChanged(number == 0))

    thread = threading.Thread(target=tell)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.06)

    words = [m.change for m in seen if isinstance(m, messages.TranscriptArrived)]
    assert [c.settled[0].text for c in words] == [f"number {n}" for n in range(0, 500, 100)]
    assert levels[-1].rms_dbfs == -49.9
    assert len(levels) < 100, "not more than are shown"
    assert any(level.clipped for level in levels), "clipping is not overlooked"
    progress = [m.stats for m in seen if isinstance(m, messages.ProgressArrived)]
    assert progress[-1].audio_done_s == 499


async def test_a_closed_loop_is_no_error() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    Relay(loop, lambda message: None, lambda level: None)(ListeningChanged(True))
