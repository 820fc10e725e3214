"""Changing what was written: in place, by other words, taking away, undo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import TextArea

from tests.ui.running import running, said, settled, tell
from tests.ui.support import NINE_THIRTY, TALK, FakeBackend, gap, speech, words
from tests.ui.test_reading import doubtful, view_of, word
from voxtui.events import Alternative, Edit, Segment, SegmentKind, SessionOpened, TranscriptChanged
from voxtui.session.edits import edited
from voxtui.settings import Settings
from voxtui.ui import messages
from voxtui.ui.correcting import corrected, corrections, removal
from voxtui.ui.history import History
from voxtui.ui.widgets.editor import ParagraphEditor
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.otherwords import OtherWords
from voxtui.ui.widgets.page import Block, Part
from voxtui.ui.widgets.talk import TalkButton
from voxtui.ui.widgets.transcript import TranscriptView


def texts(pilot: Pilot[None]) -> list[str]:
    return [block.text for block in view_of(pilot).page.blocks]


# ---- in place


async def test_a_paragraph_is_edited_in_place_and_undone() -> None:
    backend = FakeBackend()
    heard: list[messages.Corrected] = []

    def hook(message: object) -> None:
        if isinstance(message, messages.Corrected) and message not in heard:
            heard.append(message)

    async with running(backend, hook=hook) as pilot:
        await tell(pilot, TranscriptChanged((speech("turn the lite on"), speech("so", 70))))
        await pilot.press("home")
        view_of(pilot).cursor = None
        view_of(pilot).move_cursor("end", -1)
        await pilot.press("left", "left", "left", "home", "right", "right", "enter")
        editor = pilot.app.screen.query_one(ParagraphEditor)
        assert editor.has_focus
        assert editor.region.y == view_of(pilot).region.y, "over the paragraph itself"
        assert editor.cursor_location == (0, len("turn the "))
        await pilot.press(*["delete"] * 4, *"light")
        await tell(pilot, TranscriptChanged((), speech("words go on", 200)))
        assert editor.text == "turn the light on", "a letter is a letter here"
        await pilot.press("enter")
        await settled(pilot)
        assert backend.calls[-1] == ("edit", Edit(0, "turn the lite on", "turn the light on"))
        assert texts(pilot) == ["turn the light on", "so"]
        assert not pilot.app.screen.query(ParagraphEditor)
        assert [(m.heard, m.meant) for m in heard] == [("lite", "light")]
        await pilot.press("u")
        await settled(pilot)
        assert texts(pilot)[0] == "turn the lite on"
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert texts(pilot)[0] == "turn the light on"
        await pilot.press("ctrl+r")
        assert said(pilot) == "Nothing to do again."


async def test_escape_leaves_a_paragraph_as_it_was() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        await pilot.press("e", *"nonsense", "escape")
        assert not pilot.app.screen.query(ParagraphEditor)
        assert backend.calls == [("start",)]
        assert view_of(pilot).following, "as before"


async def test_two_clicks_edit_and_the_mouse_brings_the_rest() -> None:
    backend = FakeBackend()
    async with running(backend, size=(120, 40)) as pilot:
        await tell(pilot, TranscriptChanged(TALK))
        view = view_of(pilot)
        row = view.page.find_row(2)
        await pilot.click(TranscriptView, offset=(view.gutter_width + 4, row), times=2)
        editor = pilot.app.screen.query_one(ParagraphEditor)
        assert editor.text == "decide about the delay"
        editor.text = ""
        await pilot.click(TranscriptView, offset=(2, view.size.height - 1))
        await settled(pilot)
        assert backend.calls[-1] == ("edit", Edit(2, "decide about the delay", ""))
        assert view.page.block(2).text == ""


async def test_what_is_being_spoken_or_missing_is_not_edited() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged((gap("2 s missing", 1),), speech("still on", 3)))
        await pilot.press("left", "enter")
        assert said(pilot).startswith("One moment")
        await pilot.press("home", "enter")
        assert said(pilot) == "What is missing cannot be edited."
        assert not pilot.app.screen.query(TextArea)


async def test_a_long_paragraph_is_edited_on_a_small_screen() -> None:
    async with running(FakeBackend(), size=(60, 20)) as pilot:
        await tell(pilot, TranscriptChanged((speech("many words " * 150),)))
        await pilot.press("enter")
        await settled(pilot)
        editor, view = pilot.app.screen.query_one(ParagraphEditor), view_of(pilot)
        assert editor.region.height <= view.size.height
        assert view.region.contains_region(editor.region)
        await pilot.resize_terminal(100, 30)
        await settled(pilot)
        assert view.region.contains_region(editor.region)


# ---- other words


async def test_another_word_is_chosen_from_what_else_was_heard() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, TranscriptChanged((doubtful(),)))
        await pilot.press("left", "o")
        assert said(pilot).startswith("Nothing else came near")
        await pilot.press("left", "o")
        assert word(pilot) == "lite"
        menu = pilot.app.screen.query_one(OtherWords)
        await pilot.pause()
        lines = [menu.render_line(y).text.strip() for y in range(menu.size.height)]
        assert lines == [
            "1  light               29 %",
            "2  late                <1 %",
            "3  write it yourself",
        ]
        await pilot.press("enter")
        await settled(pilot)
        assert texts(pilot) == ["turn the light on."]
        assert not pilot.app.screen.query(OtherWords)
        await pilot.press("u")
        await settled(pilot)
        await pilot.press("o", "2")
        await settled(pilot)
        assert texts(pilot) == ["turn the late on."]


async def test_other_words_with_the_mouse_or_written_oneself() -> None:
    async with running(FakeBackend(), size=(100, 30)) as pilot:
        await tell(pilot, TranscriptChanged((doubtful(),)))
        view = view_of(pilot)
        await pilot.click(TranscriptView, offset=(view.gutter_width + 10, 0))
        await pilot.press("o", "escape")
        assert not pilot.app.screen.query(OtherWords)
        await pilot.press("o")
        await pilot.pause()
        await pilot.click(OtherWords, offset=(5, 2))
        await pilot.pause()
        editor = pilot.app.screen.query_one(ParagraphEditor)
        assert editor.selected_text == ""
        assert editor.cursor_location == (0, len("turn the "))


async def test_a_word_known_by_its_beginning_is_finished_by_hand() -> None:
    said_ = doubtful()
    begun = Alternative(" li", 0.2, whole=False)
    words = (*said_.words[:2], replace(said_.words[2], alternatives=(begun,)), *said_.words[3:])
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged((replace(said_, words=words),)))
        await pilot.press("left", "left", "o")
        menu = pilot.app.screen.query_one(OtherWords)
        await pilot.pause()
        assert menu.render_line(0).text.split()[:2] == ["1", "li…"]
        await pilot.press("1", *"nes", "enter")
        await settled(pilot)
        assert texts(pilot) == ["turn the lines on."]


# ---- taking away


async def test_what_was_said_last_is_taken_away_and_comes_back() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        one, two = speech("said before"), speech("said last", 70)
        three = speech("and more", two.end_s + 1)
        await tell(pilot, TranscriptChanged((one, two, three), speech("not yet", 90)))
        await pilot.press("x")
        assert said(pilot).startswith("One moment")
        await tell(pilot, TranscriptChanged())
        await pilot.press("x")
        await settled(pilot)
        assert [text for text in texts(pilot) if text] == ["said before"]
        assert said(pilot) == "Taken away. U brings it back."
        await pilot.press("ctrl+z")
        await settled(pilot)
        assert texts(pilot) == ["said before", "said last", "and more"]


async def test_the_paragraph_under_the_cursor_is_taken_away() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged(TALK))
        await pilot.press("left", "home", "x")
        await settled(pilot)
        assert texts(pilot)[0] == ""
        assert word(pilot) != "So"
        await pilot.press("u")
        await settled(pilot)
        assert texts(pilot)[0] == TALK[0].text
        assert word(pilot) == "So", "the cursor is where something happened"


async def test_another_session_has_nothing_to_take_back() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, TranscriptChanged(TALK[:2]))
        await pilot.press("x")
        await tell(pilot, SessionOpened("next", "/nowhere/next"))
        await pilot.press("u")
        assert said(pilot) == "Nothing to take back."


# ---- the parts of it, pure


def block_of(*parts: str) -> Block:
    segments = [
        Segment(SegmentKind.SPEECH, 9.0 * at, 9.0 * at + 5, NINE_THIRTY, words(text, 9.0 * at))
        for at, text in enumerate(parts)
    ]
    return Block.of("", [Part(at, segment, 0) for at, segment in enumerate(segments)])


WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five"]), min_size=1, max_size=6)


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(st.sampled_from(["one", "two", "six"])))
def test_edits_of_the_parts_give_the_paragraph(parts: list[list[str]], new: list[str]) -> None:
    block = block_of(*(" ".join(part) for part in parts))
    edits = {edit.segment: edit for edit in corrections(block, " ".join(new))}
    now = []
    for part in block.parts:
        edit = edits.get(part.number)
        assert edit is None or edit.was == part.segment.text != edit.text
        now.append(edited(part.segment, edit.text).text if edit else part.segment.text)
    assert " ".join(" ".join(now).split()) == " ".join(new)


def test_a_change_touches_only_the_segment_it_is_in() -> None:
    block = block_of("one two", "three lite", "five")
    assert corrections(block, "one two three light five") == (Edit(1, "three lite", "three light"),)
    assert corrections(block, "one two three lite five six") == (Edit(2, "five", "five six"),)
    assert corrections(block, block.text) == ()
    assert removal(block) == (
        Edit(0, "one two", ""),
        Edit(1, "three lite", ""),
        Edit(2, "five", ""),
    )


def test_one_thing_put_right_is_told_as_what_was_heard_and_meant() -> None:
    assert corrected("turn the lite on.", "turn the light on.") == ("lite", "light")
    assert corrected("ask vox trial, now", "ask Voxtral, now") == ("vox trial", "Voxtral")
    assert corrected("one two", "one two") is None
    assert corrected("one two", "one two three") is None
    assert corrected("one two three", "uno two tres") is None
    assert corrected("a b c d e f", "v w x y z f") is None


def test_steps_are_taken_back_and_done_again() -> None:
    history = History()
    assert history.undo() == history.redo() == ()
    history.did([Edit(0, "a", "b"), Edit(1, "c", "")])
    history.did([Edit(0, "b", "d")])
    assert history.undo() == (Edit(0, "d", "b"),)
    assert history.undo() == (Edit(0, "b", "a"), Edit(1, "", "c"))
    assert history.redo() == (Edit(0, "a", "b"), Edit(1, "c", ""))
    history.did([Edit(2, "x", "y")])
    assert history.redo() == ()


async def test_the_foot_shows_the_editors_keys_while_one_writes() -> None:
    def foot(pilot: Pilot[None]) -> str:
        return pilot.app.screen.query_one(KeyBar).render_line(0).text

    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, TranscriptChanged((speech("turn the lite on"),)))
        before = foot(pilot)
        await pilot.press("left", "enter")
        await settled(pilot)
        assert foot(pilot).startswith("Enter keep it   Esc leave it as it was")
        await pilot.resize_terminal(70, 22)
        await settled(pilot)
        assert "Enter keep" in foot(pilot)
        await pilot.press("x", "escape", "escape")
        await settled(pilot)
        assert foot(pilot).startswith("L live") == before.startswith("L live")
        await pilot.press("left", "enter", "x")
        await settled(pilot)
        await pilot.click(KeyBar, offset=(2, 0))
        await settled(pilot)
        assert not pilot.app.screen.query(ParagraphEditor)
        assert texts(pilot) == ["turn the lite xon"]
        assert [call[0] for call in backend.calls].count("edit") == 1


@pytest.mark.parametrize(("key", "meanwhile"), [("space", ""), ("comma", ""), ("f5", "F5")])
async def test_the_talk_button_names_no_key_that_is_written(key: str, meanwhile: str) -> None:
    settings = replace(Settings(), keys={"talk": key})
    async with running(FakeBackend(), settings=settings) as pilot:
        button = pilot.app.screen.query_one(TalkButton)
        before = button.key
        await tell(pilot, TranscriptChanged((speech("turn the lite on"),)))
        await pilot.press("left", "enter")
        await settled(pilot)
        assert button.key == meanwhile
        await pilot.press("escape")
        await settled(pilot)
        assert button.key == before != ""
        await pilot.press("slash")
        await settled(pilot)
        assert button.key == meanwhile


async def test_the_field_stays_over_its_paragraph_in_a_smaller_window() -> None:
    many = tuple(speech(f"paragraph {n} says a little", n * 70) for n in range(12))
    async with running(FakeBackend(), size=(120, 44)) as pilot:
        await tell(pilot, TranscriptChanged(many))
        await pilot.press("left", "enter")
        await settled(pilot)
        await pilot.resize_terminal(80, 20)
        await settled(pilot)
        view, editor = view_of(pilot), pilot.app.screen.query_one(ParagraphEditor)
        row = view.page.find_row(11) - view.scroll_offset.y
        assert editor.region.y == view.region.y + row
        assert editor.text == "paragraph 11 says a little"
