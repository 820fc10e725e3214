"""The application around the page: first run, help, the way out, the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette

from tests.ui.running import running, said, settled, tell, until
from tests.ui.support import (
    HEARING,
    SMALL,
    FakeBackend,
    stats,
)
from voxtui.doctor import Check, Finding, State
from voxtui.events import (
    Level,
    UtteranceEnded,
)
from voxtui.ui.app import LAST_WORDS_S
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.doctor import CheckLine, DoctorScreen
from voxtui.ui.screens.help import HelpScreen, Lines
from voxtui.ui.screens.leaving import LeavingScreen
from voxtui.ui.terminal.hold import KeySeen
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.topline import TopLine

# ---- first run


async def test_the_small_model_is_named_on_the_page(tmp_path: Path) -> None:
    async with running(
        FakeBackend((HEARING, SMALL), small_model=True), settings_file=tmp_path / "voxtui.toml"
    ) as pilot:
        await pilot.press("escape")  # the page of models
        note = pilot.app.screen.query_one(BlankPage).small_model_note
        assert "forty English words" in note
        assert pilot.app.screen.query_one(TopLine).model == "small model"


async def test_no_note_with_the_real_model_or_in_the_demo() -> None:
    async with running(FakeBackend()) as pilot:
        assert not pilot.app.screen.query_one(BlankPage).small_model_note
    async with running(FakeBackend(small_model=True, source_name="demo"), demo=True) as pilot:
        assert not pilot.app.screen.query_one(BlankPage).small_model_note


# ---- settings and help


async def test_help_lists_every_key() -> None:
    async with running(FakeBackend()) as pilot:
        await pilot.press("question_mark")
        screen = pilot.app.screen
        assert isinstance(screen, HelpScreen)
        text = "\n".join(str(lines.render()) for lines in screen.query(Lines))
        for key in ("Space", "L ", "C ", "M ", "N ", "S ", "Q ", "End", "Ctrl+C"):
            assert key in text
        assert text.count("Begin a new session") == 1
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, HelpScreen)


async def test_every_binding_has_an_id_and_a_tooltip() -> None:
    async with running(FakeBackend()) as pilot:
        for node in (pilot.app.screen, pilot.app.screen.query_one(SettingsPanel), HelpScreen):
            for binding in node.BINDINGS:
                assert binding.id, binding
                assert binding.tooltip, binding


async def test_the_palette_offers_what_the_keys_do() -> None:
    async with running(FakeBackend()) as pilot:
        app = pilot.app
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert titles[:3] == ["Talk", "Live", "Copy"]
        assert {"Mark", "Search", "Edit", "Undo", "Copy all", "Times", "Quit"} <= {*titles}
        assert {"Vocabulary", "Models", "Library", "Doctor", "Settings", "New"} <= {*titles}
        assert {"Copy the last words", "Help", "Colours"} <= {*titles}


# ---- leaving


async def test_leaving_waits_for_the_last_words() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("q")
        await until(lambda: pilot.app._exit)
    assert backend.calls[-1] == ("close",)


async def test_ctrl_c_stops_listening_first() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert backend.calls[-1] == ("listen", False)
        assert "Ctrl+C once more" in said(pilot)
        await pilot.press("ctrl+c")
        await until(lambda: pilot.app._exit)
    assert backend.calls[-1] == ("close",)


async def test_leaving_with_a_backlog_says_how_long_and_asks() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("l")
        for done in range(1, 8):
            await tell(pilot, stats(done, 60, 0.5))
        await pilot.press("q")
        await settled(pilot)
        assert backend.calls[-1] == ("listen", False)
        screen = pilot.app.screen
        assert isinstance(screen, LeavingScreen)
        what = str(screen.query_one("#leaving-what").render())
        assert what.startswith("The words of the last 53 seconds are not written yet; they take")
        assert "about 2 minutes" in what
        now = str(screen.query_one("#leaving-now").render())
        assert "voxtui sessions retranscribe 2025-12-29_09-31" in now
        await pilot.press("escape")
        await pilot.press("q")
        await tell(pilot, stats(59.8, 60, 0.5), UtteranceEnded(60))
        await until(lambda: pilot.app._exit)
    assert backend.calls[-1] == ("close",)
    assert backend.close_s == LAST_WORDS_S


async def test_leaving_now_keeps_the_rest_for_later() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("l")
        await tell(pilot, stats(2, 60, 0.5))
        await pilot.press("q", "q")
        await until(lambda: pilot.app._exit)
    assert backend.close_s == 0.0


async def test_the_name_opens_all_commands_for_the_mouse() -> None:
    async with running(FakeBackend()) as pilot:
        await pilot.click(TopLine, offset=(5, 0))
        await pilot.pause()
        assert isinstance(pilot.app.screen, CommandPalette)
        await pilot.press("escape")
        await pilot.click(TopLine, offset=(40, 0))
        await pilot.pause()
        assert pilot.app.screen is pilot.app.live  # type: ignore[attr-defined]


# ---- the doctor


async def test_the_doctor_shows_findings_keys_and_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY", "ZELLIJ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    found = [
        Check("keys", lambda: Finding("keys", State.UNKNOWN, "Who knows?")),
        Check("engine", lambda: Finding("engine", State.OK, "It runs.")),
        Check("disk", lambda: Finding("disk", State.BROKEN, "Full.", "Make room.")),
    ]
    monkeypatch.setattr("voxtui.doctor.checks", lambda patient: found)
    monkeypatch.setattr("voxtui.ui.screens.doctor.LISTEN_S", 1.0)
    backend = FakeBackend()
    async with running(backend, size=(100, 30)) as pilot:
        await pilot.press("h")
        screen = pilot.app.screen
        assert isinstance(screen, DoctorScreen)
        await pilot.press("x", "x", "f2")
        strokes = str(screen.query_one("#doctor-strokes").render())
        assert strokes == "X pressed ×2  ·  F2 pressed"
        pilot.app.post_message(KeySeen("space", "down"))
        pilot.app.post_message(KeySeen("space", "repeat"))
        pilot.app.post_message(KeySeen("space", "repeat"))
        pilot.app.post_message(KeySeen("space", "up"))
        await settled(pilot)
        strokes = str(screen.query_one("#doctor-strokes").render())
        assert strokes.endswith("Space down  ·  Space repeat ×2  ·  Space up")
        lines = list(screen.query(CheckLine))

        def told() -> list[str]:
            return [str(line.query_one(".check-told").render()) for line in lines]

        await pilot.press("f5")

        def heard() -> bool:
            backend.emit(Level(-30.0, -20.0))
            return "dB" in told()[3]

        await until(heard)
        assert "tells when a key is let go: hold to talk" in told()[0], "it was seen"
        assert told()[1:3] == ["It runs.", "Full.\n→ Make room."]
        assert told()[3].startswith("MacBook Microphone: -30 dB at its loudest")
        assert ("listen", True) not in backend.calls, "no key talks here"
        await pilot.press("escape")
        assert pilot.app.screen is not screen
        await pilot.press("h", *"zzzz")
        await until(
            lambda: (
                "does not tell"
                in str(pilot.app.screen.query_one("#check-keys .check-told").render())
            )
        )
