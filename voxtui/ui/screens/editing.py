"""Changing what was written: paragraphs in place, other words, taking away, undo."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from voxtui.events import Edit, SegmentKind
from voxtui.ui import messages
from voxtui.ui.correcting import corrected, corrections, removal
from voxtui.ui.history import History
from voxtui.ui.screens.taking import Taking
from voxtui.ui.widgets.cursor import Place, word_at
from voxtui.ui.widgets.editor import ParagraphEditor
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.widgets.otherwords import OtherWords
from voxtui.ui.widgets.page import MARKS, Block
from voxtui.ui.widgets.talk import TalkMode
from voxtui.ui.widgets.transcript import TranscriptView

EDITOR_KEYS = (
    KeyItem("Enter", "keep it", "keep", "screen.end_edit(True)", "A click beside it keeps it, too"),
    KeyItem("Esc", "leave it as it was", "leave", "screen.end_edit(False)"),
    KeyItem("Ctrl+Z", "undo typing", "undo", ""),
)


class Editing(Taking):
    """Asks for edits; the page shows them when they come back as changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e,E", "edit", "edit", id="edit", tooltip="Rewrite the paragraph"),
        Binding("o,O", "other_words", "other words", id="words", tooltip="What else it could be"),
        Binding(
            "x,X",
            "remove",
            "remove",
            id="remove",
            tooltip="Take the paragraph away; without a cursor what was said last",
        ),
        Binding("u,U,ctrl+z", "undo", "undo", id="undo", tooltip="Take the last change back"),
        Binding("ctrl+r,ctrl+y", "redo", "redo", id="redo", tooltip="Do it again"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.history = History()
        self._edited: int | None = None  # the block in the editor
        self._followed = False

    def on_session_arrived(self, message: messages.SessionArrived) -> None:
        self.history.clear()
        self._close_editor()

    # ---- a paragraph in place

    async def action_edit(self) -> None:
        """The paragraph under the cursor becomes a field."""
        view = self.query_one(TranscriptView)
        place = view.place_cursor()
        if place is None or self._edited is not None or not self._may_change(place.block):
            return
        self._followed, view.following = view.following, False
        self._edited = place.block
        view.show_row(view.page.find_row(place.block, 0), margin=1)
        editor = ParagraphEditor(view.page.block(place.block).text, place.at)
        await self.query_one("#sheet", Vertical).mount(editor)
        self.set_focus(editor)  # at once: the next key is for it
        self.hush()  # what was said may take a row
        self.query_one(KeyBar).items = EDITOR_KEYS
        self._place_editor()
        self.call_after_refresh(self._place_editor)

    async def action_latch(self) -> None:
        """Enter: what is held stays on; when nothing is, the paragraph is edited."""
        if self.talking.mode is TalkMode.LET_GO:
            self.talking.latch()
        else:
            await self.action_edit()

    async def on_transcript_view_edit_wanted(self) -> None:
        await self.action_edit()

    def _may_change(self, index: int) -> bool:
        block = self.query_one(TranscriptView).page.block(index)
        if block.kind is SegmentKind.GAP:
            self.say("What is missing cannot be edited.", seconds=4.0)
            return False
        if block.settled < len(block.text):
            self.say("One moment: this is still being spoken.", seconds=4.0)
            return False
        return True

    def _place_editor(self) -> None:
        """Put the field where the paragraph is."""
        editors = self.query(ParagraphEditor)
        if not editors or self._edited is None:
            return
        editor, view = editors.first(), self.query_one(TranscriptView)
        mark = len(MARKS[view.page.block(self._edited).kind])
        x = view.gutter_width + mark
        y = view.page.find_row(self._edited, 0) - view.scroll_offset.y
        width = view.page.width - mark + 1
        rows, most = editor.rows(width), view.size.height
        height = min(max(rows, min(rows + 1, most - y)), most)  # a row to spare, where there is one
        editor.styles.width, editor.styles.height = width, height
        editor.styles.offset = (x, max(0, min(y, most - height)))

    def on_text_area_changed(self) -> None:
        self._place_editor()

    def on_resize(self) -> None:
        self.call_after_refresh(self._keep_in_sight)

    def _keep_in_sight(self) -> None:
        if self._edited is not None:
            view = self.query_one(TranscriptView)
            view.show_row(view.page.find_row(self._edited, 0), margin=1)
            self._place_editor()

    def on_mouse_scroll_down(self) -> None:
        self.call_after_refresh(self._place_editor)

    def on_mouse_scroll_up(self) -> None:
        self.call_after_refresh(self._place_editor)

    def on_paragraph_editor_kept(self, message: ParagraphEditor.Kept) -> None:
        index = self._edited
        self._close_editor()
        if index is not None:
            self._rewrite(self.query_one(TranscriptView).page.block(index), message.text)

    def on_click(self, event: events.Click) -> None:
        """A click beside the field keeps the text; beside the list it changes nothing."""
        editors = self.query(ParagraphEditor)
        if editors and event.widget is not editors.first():
            editors.first().action_keep()
        elif not isinstance(event.widget, OtherWords):
            self._close_menu()

    def on_paragraph_editor_cancelled(self) -> None:
        self._close_editor()

    def action_end_edit(self, keep: bool) -> None:
        """The foot's keys, clicked."""
        for editor in self.query(ParagraphEditor):
            if keep:
                editor.action_keep()
            else:
                editor.action_cancel()

    def _close_editor(self) -> None:
        if self._edited is None:
            return
        self._edited = None
        self.query(ParagraphEditor).remove()
        if self._followed:
            self.query_one(TranscriptView).return_to_end()
        self.call_after_refresh(self._show_keys)

    def _rewrite(self, block: Block, text: str) -> None:
        edits = corrections(block, text)
        if not edits:
            return
        self._change_words(edits, "Changed. U takes it back.")
        words = corrected(block.text, text)
        if words is not None:
            self.post_message(messages.Corrected(*words))

    def _change_words(self, edits: tuple[Edit, ...], told: str) -> None:
        self.history.did(edits)
        self.backend.edit(edits)
        self.say(told)

    # ---- other words

    async def action_other_words(self) -> None:
        """A list of what else the word under the cursor could be."""
        view = self.query_one(TranscriptView)
        place = view.place_cursor()
        if place is None or self._edited is not None or not self._may_change(place.block):
            return
        span = word_at(view.page, place)
        if span is None or span.word is None or not span.word.alternatives:
            self.say("Nothing else came near. Enter rewrites the paragraph.", seconds=4.0)
            return
        menu = OtherWords(span.word.alternatives)
        self.query(OtherWords).remove()
        await self.query_one("#sheet", Vertical).mount(menu)
        width, height = menu.wanted_size
        row = view.page.find_row(*place)
        shown = view.page.row(row)
        x = view.gutter_width + span.start - (shown.start if shown is not None else 0) - 4
        y = row - view.scroll_offset.y + 1
        if y + height > view.size.height:
            y = max(0, y - 1 - height)
        menu.styles.offset = (max(view.gutter_width - 1, min(x, view.size.width - width)), y)
        menu.styles.width, menu.styles.height = width, height
        self.set_focus(menu)

    async def on_other_words_chosen(self, message: OtherWords.Chosen) -> None:
        self._close_menu()
        view = self.query_one(TranscriptView)
        place = view.cursor
        span = word_at(view.page, place) if place is not None else None
        if place is None or span is None:
            return
        block = view.page.block(place.block)
        head, tail = block.text[: span.start] + message.text, block.text[span.end :]
        if message.whole:
            self._rewrite(block, head + tail)
            return
        await self.action_edit()
        if message.text:  # how it begins: the rest is to be typed
            editor = self.query_one(ParagraphEditor)
            editor.text = head + tail
            editor.move_cursor((0, len(head)))

    def on_other_words_cancelled(self) -> None:
        self._close_menu()

    def _close_menu(self) -> None:
        self.query(OtherWords).remove()

    # ---- taking away, and back

    def action_remove(self) -> None:
        """Take the paragraph under the cursor away; without one, what was said last."""
        view = self.query_one(TranscriptView)
        if self._edited is not None:
            return
        if view.cursor is None:
            edits = self._last_said()
        elif self._may_change(view.cursor.block):
            edits = removal(view.page.block(view.cursor.block))
        else:
            return
        if edits:
            self._change_words(edits, "Taken away. U brings it back.")

    def _last_said(self) -> tuple[Edit, ...]:
        if self.copybook.tail is not None:
            self.say("One moment: the last words are still being written.", seconds=4.0)
            return ()
        said = self.copybook.last_said()
        return tuple(Edit(number, segment.text, "") for number, segment in said)

    def action_undo(self) -> None:
        """Take the last change back."""
        self._step(self.history.undo(), "Taken back.", "Nothing to take back.")

    def action_redo(self) -> None:
        """Do again what was taken back."""
        self._step(self.history.redo(), "Done again.", "Nothing to do again.")

    def _step(self, edits: tuple[Edit, ...], told: str, nothing: str) -> None:
        if edits:
            self.backend.edit(edits)
            view = self.query_one(TranscriptView)
            home = view.page.part_of(edits[0].segment)
            if home is not None and view.cursor is not None:
                same = _same(edits[0].was, edits[0].text)
                view.cursor = Place(home[0], home[1].start + same)
        self.say(told if edits else nothing, seconds=3.0)


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
