"""Pressing and letting go."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from textual.message import Message

from tests.ui.running import running, settled, tell, until
from tests.ui.support import (
    FakeBackend,
)
from voxtui.events import (
    ListeningChanged,
)
from voxtui.settings import Settings
from voxtui.ui import messages
from voxtui.ui.app import VoxtuiApp
from voxtui.ui.screens.help import HelpScreen, Lines
from voxtui.ui.terminal.hold import ReleaseReported, Stroke, TalkKey
from voxtui.ui.widgets.status import MessageLine
from voxtui.ui.widgets.talk import TalkButton, TalkMode
from voxtui.ui.widgets.topline import TopLine


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
