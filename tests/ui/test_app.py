"""The application with a scripted chain: what keys ask for, what arrives, what is said."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from tests.ui.support import (
    HEARING,
    LOUD,
    READY,
    SMALL,
    FakeBackend,
    app_with,
    speech,
    stats,
    talk,
)
from voxtui.doctor import Check, Finding, State
from voxtui.events import (
    CaptureChanged,
    CaptureState,
    EngineChanged,
    EngineState,
    Level,
    ListeningChanged,
    Notice,
    SessionOpened,
    Severity,
    TranscriptChanged,
    UtteranceEnded,
)
from voxtui.settings import Settings
from voxtui.ui import messages
from voxtui.ui.app import LAST_WORDS_S, VoxtuiApp
from voxtui.ui.panels.settings import SettingsPanel
from voxtui.ui.screens.doctor import CheckLine, DoctorScreen
from voxtui.ui.screens.help import HelpScreen, Lines
from voxtui.ui.screens.leaving import LeavingScreen
from voxtui.ui.terminal.hold import KeySeen, ReleaseReported, Stroke, TalkKey
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.meter import LevelMeter, place
from voxtui.ui.widgets.status import MessageLine, StatusStrip
from voxtui.ui.widgets.talk import TalkButton, TalkMode
from voxtui.ui.widgets.topline import TopLine
from voxtui.ui.widgets.transcript import TranscriptView


@asynccontextmanager
async def running(
    backend: FakeBackend,
    size: tuple[int, int] = (80, 24),
    hook: Callable[[Message], None] | None = None,
    **more: object,
) -> AsyncIterator[Pilot[None]]:
    app = app_with(backend, **more)  # type: ignore[arg-type]
    async with app.run_test(size=size, message_hook=hook) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    """Until the relay's frame and what follows from it are over."""
    await asyncio.sleep(0.04)
    await pilot.pause()
    await pilot.pause()


async def tell(pilot: Pilot[None], *events: object) -> None:
    app = pilot.app
    assert isinstance(app, VoxtuiApp)
    backend = app.backend
    assert isinstance(backend, FakeBackend)
    backend.emit(*events)  # type: ignore[arg-type]
    await settled(pilot)
    app.live.show_state()
    await pilot.pause()


def said(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(MessageLine).text


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


# ---- talking


async def test_space_toggles_where_releases_are_not_told() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("space")
        await settled(pilot)
        assert pilot.app.screen.query_one(TopLine).listening
        assert pilot.app.screen.query_one(TalkButton).mode is TalkMode.STOP
        await pilot.press("l")
        await settled(pilot)
        assert backend.calls[1:] == [("listen", True), ("listen", False)]


async def test_messages_of_a_hold_come_in_order() -> None:
    backend = FakeBackend()
    seen: list[str] = []

    def hook(message: Message) -> None:
        if isinstance(message, TalkKey | messages.ListeningArrived):
            name = type(message).__name__
            if not seen or seen[-1] != name:
                seen.append(name)

    async with running(backend, hook=hook) as pilot:
        pilot.app.post_message(ReleaseReported())
        await pilot.pause()
        assert pilot.app.screen.query_one(TalkButton).mode is TalkMode.HOLD
        pilot.app.post_message(TalkKey(Stroke.DOWN, time.monotonic() - 2))
        await settled(pilot)
        assert pilot.app.screen.query_one(TalkButton).mode is TalkMode.LET_GO
        pilot.app.post_message(TalkKey(Stroke.UP, time.monotonic()))
        await until(lambda: ("listen", False) in backend.calls)
        await settled(pilot)
    assert seen == ["TalkKey", "ListeningArrived", "TalkKey", "ListeningArrived"]
    assert backend.calls == [("start",), ("listen", True), ("listen", False), ("close",)][:3]


async def test_wrong_keys_in_the_settings_are_said() -> None:
    settings = replace(Settings(), keys={"tlak": "x", "live": "escape"})
    async with running(FakeBackend(), (120, 30), settings=settings) as pilot:
        await until(lambda: "no such action" in pilot.app.screen.query_one(MessageLine).text)
        said = pilot.app.screen.query_one(MessageLine).text
        assert "keys.tlak" in said
        assert "keys.live: Esc always goes back." in said


async def test_help_names_the_chosen_keys() -> None:
    settings = replace(Settings(), keys={"talk": "f9", "live": "f8"})
    async with running(FakeBackend(), (120, 60), settings=settings) as pilot:
        app = pilot.app
        assert isinstance(app, VoxtuiApp)
        for hold, sentence in ((True, "Hold F9, speak"), (False, "Press F9, speak, press F9")):
            app.live.talking.hold_possible = hold
            await pilot.press("question_mark")
            await settled(pilot)
            assert isinstance(app.screen, HelpScreen)
            text = "\n".join(str(lines.render()) for lines in app.screen.query(Lines))
            assert sentence in text
            assert ("F8 does the same hands-free" in text) == hold
            await pilot.press("escape")
            await settled(pilot)


async def test_sound_and_words_begin_behind_the_first_page() -> None:
    backend = FakeBackend()
    async with running(backend):
        await until(lambda: backend.opened)


async def test_an_old_answer_does_not_undo_a_new_press() -> None:
    backend = FakeBackend()
    backend.obeys = False
    async with running(backend) as pilot:
        await pilot.press("l")
        await tell(pilot, ListeningChanged(False), ListeningChanged(True))
        assert backend.calls == [("start",), ("listen", True)]
        assert pilot.app.screen.query_one(TalkButton).live


async def test_listening_that_ends_by_itself_is_shown() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("l")
        await settled(pilot)
        await tell(pilot, ListeningChanged(False))
        assert pilot.app.screen.query_one(TalkButton).mode is TalkMode.TAP
        await pilot.press("l")
        assert backend.calls[-1] == ("listen", True)


async def test_talk_button_held_with_the_mouse() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.mouse_down(TalkButton)
        await settled(pilot)
        assert backend.calls[-1] == ("listen", True)
        await asyncio.sleep(0.4)
        await pilot.mouse_up(TalkButton)
        await until(lambda: backend.calls[-1] == ("listen", False))


async def test_keys_at_the_foot_can_be_clicked() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.click("KeyBar", offset=(1, 0))
        await settled(pilot)
        assert backend.calls[-1] == ("listen", True)


# ---- what arrives


async def test_what_the_mouse_rests_on_says_what_it_does() -> None:
    async with running(FakeBackend(), size=(100, 30)) as pilot:
        for widget in (TalkButton, LevelMeter, StatusStrip, TopLine):
            assert str(pilot.app.screen.query_one(widget).tooltip), widget
        bar = pilot.app.screen.query_one(KeyBar)
        x = bar.render().plain.index("live")  # type: ignore[union-attr]
        await pilot.hover(KeyBar, offset=(x, 0))
        assert bar.tooltip == "Listen until pressed again"
        await pilot.hover(KeyBar, offset=(bar.size.width - 1, 0))
        assert bar.tooltip is None


async def test_words_appear_and_the_invitation_goes() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        screen = pilot.app.screen
        assert screen.query_one(BlankPage).display
        await tell(pilot, *talk())
        assert not screen.query_one(BlankPage).display
        page = screen.query_one(TranscriptView).page
        assert page.blocks[0].text.startswith("So the first thing")
        await tell(pilot, SessionOpened("next", "/nowhere/next"))
        assert page.empty
        assert screen.query_one(BlankPage).display


async def test_no_words_are_dropped_in_a_flood() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        for number in range(300):
            backend.emit(Level(-20, -10), stats(number, number + 1))
            backend.emit(TranscriptChanged((speech(f"number {number}", number * 10),)))
        await settled(pilot)
        await settled(pilot)
        page = pilot.app.screen.query_one(TranscriptView).page
        assert [block.text for block in page.blocks] == [f"number {n}" for n in range(300)]


async def test_level_moves_the_meter_only_while_listening() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        meter = pilot.app.screen.query_one(LevelMeter)
        await tell(pilot, LOUD)
        assert "dB" not in meter.render_line(0).text
        await pilot.press("l")
        await settled(pilot)
        await tell(pilot, LOUD)
        assert "-18 dB" in meter.render_line(0).text
        await tell(pilot, Level(-2, 0, clipped=True))
        assert "!" in meter.render_line(0).text


async def test_waiting_for_a_voice_is_shown() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("l")
        await tell(pilot, ListeningChanged(True, paused=True), LOUD)
        strip = pilot.app.screen.query_one(StatusStrip)
        assert strip.health.phrases == ("waiting for a voice",)
        assert pilot.app.screen.query_one(TalkButton).mode is TalkMode.STOP
        await tell(pilot, ListeningChanged(True), LOUD)
        assert strip.health.phrases[0] == "keeping up"


async def test_the_bell_tells_without_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("voxtui.ui.screens.speaking.BELL_GAP_S", 0.01)
    monkeypatch.setattr(VoxtuiApp, "bell", lambda self: rung.append("bell"))
    chosen = Settings().replace("talk", bell=True)
    async with running(FakeBackend(), settings=chosen) as pilot:
        await pilot.press("l")
        await until(lambda: len(rung) == 1)
        await pilot.press("l")
        await until(lambda: len(rung) == 3)


async def test_plain_signs_where_a_font_has_no_others() -> None:
    chosen = Settings().replace("appearance", plain_glyphs=True)
    backend = FakeBackend()
    async with running(backend, settings=chosen) as pilot:
        await pilot.press("l")
        await tell(pilot, *talk(), stats(119.8, 120.3), LOUD)
        await pilot.press("s")
        await settled(pilot)
        picture = pilot.app.export_screenshot(simplify=True)
        text = html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", picture, flags=re.DOTALL))
        assert "####" in text
        assert {c for c in text if ord(c) > 255} == set()


async def test_the_meter_shows_voice_peak_and_scale() -> None:
    backend = FakeBackend()
    async with running(backend, size=(120, 40)) as pilot:
        await pilot.press("l")
        await tell(pilot, Level(-50.0, -30.0))
        meter = pilot.app.screen.query_one(LevelMeter)
        line, scale = meter.render_line(0), meter.render_line(1).text
        cells = line.text.index("▏", 5)  # not the bar's last eighth
        assert line.text.index("╎") == int(place(-45, cells))
        assert line.text.index("│") == int(place(-30, cells))
        assert [int(n) for n in scale.split()] == [-60, -40, -20, -6, 0]
        quiet = next(iter(line)).style
        await tell(pilot, Level(-20.0, -10.0))
        assert next(iter(meter.render_line(0))).style != quiet, "a voice has the accent's colour"


async def test_states_are_said_with_what_to_do() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        strip = pilot.app.screen.query_one(StatusStrip)
        await tell(pilot, CaptureChanged(CaptureState.SILENT, "Mic", "No sound: it is muted."))
        assert strip.health.phrases[0] == "nothing heard"
        assert said(pilot) == "No sound: it is muted."
        await tell(pilot, CaptureChanged(CaptureState.LOST, "USB Mic"))
        assert said(pilot).startswith("USB Mic is gone. Plug it in again")
        await tell(pilot, HEARING, EngineChanged(EngineState.FAILED, "Out of memory."))
        assert said(pilot) == "Words cannot be written. Out of memory."
        assert pilot.app.screen.query_one(TopLine).model == "Voxtral 4B", "the name stays"
        await tell(pilot, READY)
        assert said(pilot) == ""
        await tell(pilot, Notice(Severity.WARNING, "The disk is nearly full."))
        assert said(pilot) == "The disk is nearly full."


async def test_what_ended_the_listening_stands_until_it_begins_again() -> None:
    """A sentence that passes is not read by somebody who looks at the speaker."""
    backend = FakeBackend()
    async with running(backend) as pilot:
        strip = pilot.app.screen.query_one(StatusStrip)
        await pilot.press("l")
        await tell(pilot, ListeningChanged(True))
        told = Notice(Severity.ERROR, "The disk is full: make room under /home.")
        await tell(pilot, told, ListeningChanged(False))
        live = pilot.app.live
        live.hush()
        assert said(pilot).startswith("The disk is full: make room under /home. Then talk again")
        assert strip.health.phrases == ("not listening",)
        assert live.talking.mode is not TalkMode.STOP
        await pilot.press("l")
        await tell(pilot, ListeningChanged(True))
        assert said(pilot) == ""
        assert strip.health.phrases[0] == "keeping up"


async def test_after_letting_go_words_are_due_until_they_are_out() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        strip = pilot.app.screen.query_one(StatusStrip)
        await pilot.press("l")
        await settled(pilot)
        await pilot.press("l")
        await tell(pilot, stats(2, 8))
        assert strip.health.phrases == ("writing the last words", "6.0 s left")
        await tell(pilot, UtteranceEnded(8))
        assert strip.health.phrases == ("ready",)


async def test_a_recording_is_heard_and_ends() -> None:
    backend = FakeBackend(source_name="talk.mp3")
    async with running(backend) as pilot:
        await tell(pilot, ListeningChanged(True))
        screen = pilot.app.screen
        assert screen.query_one(TopLine).source == "talk.mp3"
        assert screen.query_one(TalkButton).live
        await tell(
            pilot,
            CaptureChanged(CaptureState.FINISHED, "talk.mp3"),
            ListeningChanged(False),
            UtteranceEnded(8),
        )
        assert screen.query_one(StatusStrip).health.phrases == ("the end", "all is written")
        assert not screen.query_one(TalkButton).display
        await pilot.press("space", "l")
        assert backend.calls == [("start",)]


# ---- the page


async def test_following_stops_when_scrolled_up_and_returns_with_end() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        view = pilot.app.screen.query_one(TranscriptView)
        many = tuple(speech(f"paragraph {n} says a little", n * 70) for n in range(40))
        await tell(pilot, TranscriptChanged(many))
        assert view.scroll_offset.y == view.max_scroll_y > 0
        await tell(pilot, TranscriptChanged((), speech("a new tail of words " * 9, 3000)))
        assert view.scroll_offset.y == view.max_scroll_y
        assert view.new_words == 0

        await pilot.press("pageup")
        y = view.scroll_offset.y
        assert not view.following
        await tell(pilot, TranscriptChanged((), speech("a longer tail of words " * 20, 3000)))
        assert view.scroll_offset.y == y
        assert view.new_words == 55
        assert "55 new words" in view.render_line(view.size.height - 1).text

        await pilot.press("end")
        await pilot.pause()
        assert view.following
        assert view.new_words == 0
        assert view.scroll_offset.y == view.max_scroll_y


async def test_the_reader_stays_at_the_paragraph_when_the_window_changes() -> None:
    backend = FakeBackend()
    async with running(backend, size=(120, 40)) as pilot:
        view = pilot.app.screen.query_one(TranscriptView)
        many = tuple(speech(f"paragraph {n} " + "talks on " * 20, n * 70) for n in range(900))
        await tell(pilot, TranscriptChanged(many))
        view.scroll_to(y=view.page.row_count // 2, animate=False)
        await pilot.pause()
        top = view.page.row(view.scroll_offset.y)
        assert top is not None
        await pilot.resize_terminal(60, 20)
        await until(lambda: not view.page.unfinished)
        await pilot.pause()
        now = view.page.row(view.scroll_offset.y)
        assert now is not None
        assert now.block == top.block
        assert not view.following


async def test_selected_words_come_without_times_and_row_ends() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    async with running(backend, copied=copied) as pilot:
        await tell(pilot, *talk())
        view = pilot.app.screen.query_one(TranscriptView)
        view.text_select_all()
        await pilot.pause()
        text = pilot.app.screen.get_selected_text()
        assert text is not None
        assert text.split("\n\n")[0] == talk()[0].settled[0].text
        assert "09:3" not in text


async def test_copying_says_what_was_copied() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    async with running(backend, copied=copied) as pilot:
        await pilot.press("c")
        assert said(pilot) == "Nothing to copy yet."
        await tell(pilot, TranscriptChanged((speech("one two three"),)))
        await pilot.press("c")
        await until(lambda: said(pilot) == "3 words copied.")
        await tell(pilot, TranscriptChanged((speech("four", 9),)))
        await pilot.press("c")
        await until(lambda: said(pilot) == "1 word since the last copy copied.")
        await pilot.press("c")
        await until(lambda: said(pilot) == "The whole session, 4 words, copied.")
    assert copied == ["one two three", "four", "one two three\n\nfour"]


async def test_copy_when_you_let_go() -> None:
    backend = FakeBackend()
    copied: list[str] = []
    chosen = Settings().replace("output", copy_after_stop=True)
    async with running(backend, settings=chosen, copied=copied) as pilot:
        await pilot.press("l", "l")
        await tell(pilot, TranscriptChanged((speech("just said"),)), UtteranceEnded(2))
        await until(lambda: copied == ["just said"])
        await tell(pilot, UtteranceEnded(3))
        assert copied == ["just said"], "no words, no copy"


async def test_marks_and_notes() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("m", "o", "k", "space", "l", "enter")
        await pilot.press("m", "enter")
        await pilot.press("m", "x", "escape")
        assert backend.calls[1:] == [("note", "ok l"), ("note", "mark")]
        assert not isinstance(pilot.app.focused, Input)
        await pilot.press("l")
        assert backend.calls[-1] == ("listen", True)


async def test_a_new_session_keeps_the_old_one_and_says_where() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, *talk())
        await pilot.press("n")
        assert backend.calls[-1] == ("new_session",)
        assert "/nowhere/2025-12-29_09-31" in said(pilot)


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
    monkeypatch.setattr("voxtui.ui.screens.doctor.LISTEN_S", 0.3)
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
        for _ in range(3):
            backend.emit(Level(-30.0, -20.0))
            await settled(pilot)
        await until(lambda: "dB" in told()[3])
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
