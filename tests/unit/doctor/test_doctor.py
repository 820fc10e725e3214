"""Each check, with a machine that is made up; the fixes name the system."""

from __future__ import annotations

import json
import os
import pty
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from voxtui import paths
from voxtui.audio.source import AudioError
from voxtui.doctor import Patient, State, checks, clipboard, engine, files, sound, terminal
from voxtui.doctor.sound import Heard
from voxtui.doctor.terminal import Answers
from voxtui.engine.bench import Figures
from voxtui.engine.choice import remember
from voxtui.events import AudioBlock, CaptureChanged, CaptureEvent, CaptureState
from voxtui.machine.hardware import Hardware
from voxtui.settings import Settings

KITTY = {"KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"}
MACHINE = Hardware("Debian", "", "x86_64", (), 4, 8_000_000_000, 4_000_000_000, "")


# ---- the terminal


def test_holding_a_key_by_terminal() -> None:
    assert terminal.keys(KITTY, Answers()).state is State.OK
    assert terminal.keys({"TERM": "xterm"}, Answers(keyboard=True)).state is State.OK
    vte = terminal.keys({"VTE_VERSION": "7000", "TERM": "xterm-256color"}, Answers())
    assert vte.state is State.NOTE
    assert vte.told.startswith("GNOME Terminal")
    assert "kitty" in vte.fix
    tmux = terminal.keys({**KITTY, "TMUX": "/tmp/x"}, Answers(keyboard=False))
    assert tmux.told.startswith("tmux does not tell")
    assert "outside tmux" in tmux.fix
    wez = terminal.keys({"WEZTERM_EXECUTABLE": "/x"}, Answers(keyboard=False))
    assert "enable_kitty_keyboard" in wez.fix
    assert terminal.keys({"TERM": "xterm"}, Answers()).state is State.UNKNOWN


def test_a_screen_that_cannot_place_text() -> None:
    dumb = terminal.screen({"TERM": "dumb"}, (80, 24), "utf-8")
    assert dumb.state is State.BROKEN
    assert "voxtui listen" in dumb.fix
    assert terminal.screen(KITTY, (80, 24), "utf-8").told == "kitty, 80×24, all colours."
    assert terminal.screen(KITTY, (50, 24), "utf-8").state is State.NOTE
    latin = terminal.screen(KITTY, (80, 24), "iso8859-1")
    assert "LANG=C.UTF-8" in latin.fix
    far = terminal.screen({**KITTY, "SSH_CONNECTION": "x"}, (80, 24), "utf-8")
    assert "over SSH" in far.told


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"\x1b[?0u\x1b[?62;22;52c", Answers(True, True)),
        (b"\x1b[?62;22c", Answers(False, None)),
        (b"", Answers()),
    ],
)
def test_a_terminal_is_asked(answer: bytes, expected: Answers) -> None:
    master, slave = pty.openpty()

    def reply() -> None:
        os.read(master, 64)
        os.write(master, answer)

    thread = threading.Thread(target=reply)
    thread.start()
    try:
        assert terminal.ask(slave, slave) == expected
    finally:
        thread.join()
        os.close(master)
        os.close(slave)


def test_no_terminal_is_not_asked(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w+b") as file:
        assert terminal.ask(file.fileno(), file.fileno()) == Answers()


# ---- the clipboard


class Board:
    def __init__(self, text: str = "mine", *, deaf: bool = False) -> None:
        self.text, self.deaf = text, deaf

    def copy(self, text: str) -> None:
        if not self.deaf:
            self.text = text

    def paste(self) -> str:
        return self.text


def x11(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    tool = tmp_path / "xclip"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return {"DISPLAY": ":0"}


def test_copied_read_back_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env, board = x11(tmp_path, monkeypatch), Board()
    found = clipboard.copies(env, "debian", Answers(), board.copy, board.paste)
    assert found.state is State.OK
    assert board.text == "mine"


def test_a_clipboard_that_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env, board = x11(tmp_path, monkeypatch), Board(deaf=True)
    found = clipboard.copies(env, "debian", Answers(), board.copy, board.paste)
    assert found.state is State.NOTE
    assert "did not come back" in found.told


def test_a_missing_tool_is_named_for_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = clipboard.copies({"DISPLAY": ":0"}, "fedora", Answers())
    assert found.state is State.UNKNOWN
    assert found.fix == "On Fedora: sudo dnf install xclip."
    tmux = clipboard.copies({"TMUX": "x", "SSH_CONNECTION": "x"}, "debian", Answers())
    assert "tmux set -s set-clipboard on" in tmux.fix
    far = clipboard.copies({"SSH_CONNECTION": "x"}, "debian", Answers(clipboard=True))
    assert far.state is State.OK


# ---- the microphone


class Mic:
    name = "Desk"

    def __init__(self, *posted: CaptureEvent) -> None:
        self.posted = posted
        self.stopped = False

    def start(self, post: Callable[[CaptureEvent], None]) -> None:
        for event in self.posted:
            post(event)

    def stop(self) -> None:
        self.stopped = True


RUNNING = CaptureChanged(CaptureState.RUNNING, "Desk")


def blocks(value: int, seconds: float = 2.0) -> AudioBlock:
    return AudioBlock(value.to_bytes(2, "little") * int(16_000 * seconds))


def test_a_microphone_that_hears() -> None:
    mic = Mic(RUNNING, blocks(1000))
    found = sound.listen(lambda: mic)
    assert (found.state, found.told) == (State.OK, "Desk: -30 dB at its loudest in 2 s.")
    assert mic.stopped


def test_only_zeros_are_named_with_their_causes() -> None:
    found = sound.listen(lambda: Mic(RUNNING, blocks(0)))
    assert found.state is State.BROKEN
    assert "only zeros" in found.told
    assert "muted" in found.fix


def test_faint_loud_and_failed() -> None:
    assert "very quiet" in sound.listen(lambda: Mic(RUNNING, blocks(5))).fix
    assert "too loud" in sound.listen(lambda: Mic(RUNNING, blocks(32767))).fix
    failed = CaptureChanged(CaptureState.FAILED, "Desk", "It is in use.")
    assert sound.listen(lambda: Mic(failed)).told == "It is in use."
    assert sound.judge(Heard(name="Desk")).told == "Desk was opened and delivers nothing."


def test_no_sound_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> object:
        raise AudioError("There is no sound library: type sudo pacman -S portaudio.")

    monkeypatch.setattr(sound, "load_sounddevice", missing)
    found = sound.library("arch")
    assert found.state is State.BROKEN
    assert found.told == "There is no sound library."
    assert found.fix == "Type sudo pacman -S portaudio."


# ---- engine, model, files


def test_the_engine_starts_and_its_speed_is_measured() -> None:
    assert engine.program().state is State.OK
    found = engine.speed("tiny", Settings().replace("engine", name="voxtral_c"))
    assert found.facts["speed"] > 0
    assert found.told.startswith("voxtral_c: ")
    assert "× real time (cpu, bf16, " in found.told


def test_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOXTUI_ENGINE", str(tmp_path / "none"))
    found = engine.program()
    assert found.state is State.BROKEN
    assert found.fix
    bad = tmp_path / "bad"
    bad.write_text("#!/bin/sh\necho Illegal instruction >&2; exit 132\n")
    bad.chmod(0o755)
    monkeypatch.setenv("VOXTUI_ENGINE", str(bad))
    assert "Illegal instruction" in engine.program().told
    assert engine.speed("tiny", Settings()).state is State.BROKEN


def test_a_slow_machine_gets_a_remedy() -> None:
    slow = Figures("ggml", 0.5, None, 9.0, 0.9, "cpu", "bf16", "ggml", "one two")
    found = engine.judge(slow)
    assert found.state is State.NOTE
    assert found.told.startswith("Slower than you speak: ggml: 0.5× real time (cpu, bf16, ggml)")
    assert "smaller precision" in found.fix
    assert engine.judge(replace(slow, speed=1.1)).told.startswith("Just about keeps up: ggml: 1.1×")


def test_the_speed_is_that_of_the_engine_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    fake = tmp_path / "voxtral"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("VOXTUI_UPSTREAM", str(fake))
    remember("upstream", "tiny", [])
    found = engine.speed("tiny", Settings())
    assert found.state is State.BROKEN
    assert found.told.startswith("upstream: ")


def test_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    assert "voxtui model download" in files.model("auto", MACHINE).fix
    assert files.model("nonesuch", MACHINE).state is State.BROKEN
    big = tmp_path / "big.gguf"
    with big.open("wb") as file:
        file.truncate(9_000_000_000)
    assert "larger than the memory" in files.model(str(big), MACHINE).told


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path / "home"))
    assert files.folders(Settings()).state is State.OK
    (tmp_path / "file").write_text("")
    wrong = Settings().replace("output", folder=str(tmp_path / "file"))
    found = files.folders(wrong)
    assert found.state is State.BROKEN
    assert str(tmp_path / "file") in found.told


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10**7, State.BROKEN), (10**9, State.NOTE), (10**12, State.OK)):
        monkeypatch.setattr(files, "disk_free", lambda path, free=free: free)
        assert files.room(Settings()).state is state


def test_wrong_settings_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    paths.config_file().parent.mkdir(parents=True)
    paths.config_file().write_text("[audio]\ngain_db = 99\n")
    assert "line 2" in files.settings_file().told


PASSED = {"passed": True, "gpu": "Arc", "api": "Vulkan", "software": False, "reason": ""}


@pytest.mark.parametrize(
    ("report", "state", "words"),
    [
        (PASSED, State.OK, "Arc (Vulkan) passed"),
        ({**PASSED, "software": True}, State.OK, "no real graphics card"),
        ({**PASSED, "passed": False}, State.NOTE, "Arc computes wrongly"),
        ({**PASSED, "passed": False, "reason": "the GPU was lost"}, State.NOTE, "Arc gave up (the"),
        ({**PASSED, "avoided": "Arc crashed."}, State.NOTE, "processor is used: Arc crashed."),
        ({"passed": False, "reason": "No GPU is known."}, State.OK, "No GPU is known."),
        ("nonsense", State.BROKEN, "no answer"),
    ],
)
def test_the_graphics_card(
    report: object, state: State, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "voxtral"
    told = report if isinstance(report, str) else json.dumps(report)
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{told}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setattr(engine, "find_engine", lambda: program)
    found = engine.gpu(Settings().engine)
    assert (found.what, found.state) == ("gpu", state)
    assert words in found.told


def test_a_graphics_driver_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "voxtral"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(engine, "find_engine", lambda: program)
    found = engine.gpu(Settings().engine)
    assert (found.state, "SIGSEGV" in found.told) == (State.NOTE, True)
    assert "engine.backend" in found.fix


def test_all_checks_have_names_and_finish() -> None:
    every = checks(Patient(Settings(), lambda: Mic(RUNNING, blocks(1000)), "tiny", {"TERM": "x"}))
    names = [check.what for check in every]
    assert len(set(names)) == len(names)
    assert {"keys", "microphone", "clipboard", "engine", "gpu", "speed", "folders"} <= set(names)
    for check in every:
        assert check.run().what == check.what
