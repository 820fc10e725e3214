"""What the microphone, the engine and the session tell, as it is shown."""

from __future__ import annotations

import html
import re

import pytest

from tests.ui.running import running, said, settled, tell, until
from tests.ui.support import (
    HEARING,
    LOUD,
    READY,
    FakeBackend,
    speech,
    stats,
    talk,
)
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
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.widgets.blank import BlankPage
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.meter import LevelMeter, place
from voxtui.ui.widgets.status import StatusStrip
from voxtui.ui.widgets.talk import TalkButton, TalkMode
from voxtui.ui.widgets.topline import TopLine
from voxtui.ui.widgets.transcript import TranscriptView


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
        assert said(pilot) == (
            "Words cannot be written. Out of memory. Talk again to try once more, or choose another"
            " model (S)."
        )
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


async def test_seconds_are_counted_while_sound_comes_in() -> None:
    backend, now = FakeBackend(), [100.0]
    async with running(backend, clock=lambda: now[0]) as pilot:
        top = pilot.app.screen.query_one(TopLine)
        await tell(pilot, CaptureChanged(CaptureState.PREPARING, "Mic"), ListeningChanged(True))
        now[0] += 5
        await tell(pilot, HEARING)
        assert top.elapsed_s == 0
        now[0] += 10
        await tell(pilot, CaptureChanged(CaptureState.LOST, "Mic"))
        now[0] += 60
        await tell(pilot, HEARING)
        assert top.elapsed_s == 10
        now[0] += 7
        await tell(pilot, ListeningChanged(False))
        now[0] += 30
        await tell(pilot)
        assert top.elapsed_s == 17


async def test_an_engine_that_hangs_is_named_until_it_goes_on() -> None:
    backend, now = FakeBackend(), [100.0]
    async with running(backend, clock=lambda: now[0]) as pilot:
        strip = pilot.app.screen.query_one(StatusStrip)
        await tell(pilot, ListeningChanged(True))
        await tell(pilot, stats(2, 2.5))
        for heard_s in (12, 22, 32):
            now[0] += 10
            await tell(pilot, stats(2, heard_s))
        assert strip.health.phrases == ("30 s behind", "no words come")
        assert said(pilot).startswith("No words have come for 30 seconds.")
        await tell(pilot, stats(12, 33))
        assert "no words come" not in strip.health.phrases


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
