"""What is done with a session in the library: named, deleted, taken along, heard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from voxtui.audio.player import Player
from voxtui.audio.source import AudioError
from voxtui.session import keeping
from voxtui.session.errors import SessionError
from voxtui.session.exports import FORMATS
from voxtui.session.library import SessionInfo
from voxtui.ui import wording
from voxtui.ui.backend import Choice
from voxtui.ui.panels.asking import Answer, Ask, Line, Question
from voxtui.ui.screens.library import LibraryFrame
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.words import clock, count, seconds

FORMAT_NOTES = {
    "txt": "plain text",
    "md": "Markdown with times and marks",
    "srt": "subtitles",
    "vtt": "subtitles for the web",
    "json": "words with their times, for programs",
}
AUDIO = "audio.wav"


def called(info: SessionInfo) -> str:
    """A session as a sentence calls it."""
    return info.title or (f"the session of {clock(info.started)}" if info.started else info.name)


class Tidying(LibraryFrame):
    """Every change can be undone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,R", "rename", "rename", id="library.rename", tooltip="Give it a title"),
        Binding("d,D", "delete", "delete", id="library.delete", tooltip="To the trash"),
        Binding("delete", "delete", show=False, id="library.del", tooltip="To the trash"),
        Binding("z,Z", "trash", "trash", id="library.trash", tooltip="Bring back from the trash"),
        Binding("u,U,ctrl+z", "undo", "undo", id="library.undo", tooltip="Undo the last change"),
        Binding("e,E", "export", "export", id="library.export", tooltip="Write it to a file"),
        Binding("c,C", "copy", "copy", id="library.copy", tooltip="Copy all its words"),
        Binding("p,P", "play", "play", id="library.play", tooltip="Hear this paragraph, or stop"),
        Binding("left", "paragraph(-1)", show=False, id="library.left", tooltip="Paragraph before"),
        Binding("right", "paragraph(1)", show=False, id="library.right", tooltip="Next paragraph"),
    ]

    def __init__(self, *args: Any, player: Player | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.player = player or Player()
        self._undo: list[Callable[[], str]] = []
        self._folder = ""

    def on_unmount(self) -> None:
        self.player.stop()

    async def on_click(self, event: events.Click) -> None:
        """The line at the top opens the list of all commands, as on the page."""
        if event.widget is not None and event.widget.id == "library-top":
            await self.run_action("app.command_palette")

    def carefully(self, work: Callable[[], str]) -> None:
        """Change something on the disk, in a thread; tell what came of it."""

        def change() -> None:
            try:
                said, warning = work(), False
            except SessionError as error:
                said, warning = str(error), True
            self._tell(done, said, warning)

        def done(said: str, warning: bool) -> None:
            self.say(said, warning=warning)
            self.look()
            self.choose()

        self.run_worker(change, thread=True, group="change", exit_on_error=False)

    def undoable(self, undo: Callable[[], str]) -> None:
        """What the next undo does; it gives a sentence."""
        self._undo.append(undo)

    def action_undo(self) -> None:
        """Take the last change back."""
        if self._undo:
            self.carefully(self._undo.pop())
        else:
            self.say("There is nothing to undo.")

    # ---- title, trash

    def action_rename(self) -> None:
        """Ask for a title."""
        info = self.chosen
        if info is None:
            return

        def answered(answer: Answer | None) -> None:
            if answer is None or answer.text.strip() == info.title:
                return

            def work() -> str:
                before = keeping.rename(info.path, answer.text)

                def back() -> str:
                    keeping.rename(info.path, before)
                    return "The title is as it was."

                self.undoable(back)
                return "U undoes the new title." if answer.text.strip() else "The title is gone."

            self.carefully(work)

        line = Line("title", info.title, "a title; empty takes it away")
        self.app.push_screen(Ask(f"A title for {called(info)}", "keep it", line=line), answered)

    def action_delete(self) -> None:
        """To the trash."""
        info = self.chosen
        if info is None:
            return

        def work() -> str:
            place = keeping.delete(info.path)

            def back() -> str:
                keeping.restore(self.root, place.name)
                return f"Back: {called(info)}."

            self.undoable(back)
            return f"In the trash: {called(info)}. U brings it back."

        self.carefully(work)

    def action_trash(self) -> None:
        """Ask what is to come back from the trash."""

        def work() -> None:
            found = keeping.deleted_sessions(self.root)
            self._tell(ask, found)

        def ask(found: list[keeping.Deleted]) -> None:
            if not found:
                self.say("The trash is empty.")
                return
            choices = [
                Choice(deleted.info.name, deleted.info.name, deleted.info.first_words)
                for deleted in found
            ]
            title = f"{count(len(found), 'session')} in the trash"
            question = Question("name", "bring back", choices)
            self.app.push_screen(Ask(title, "bring it back", [question]), answered)

        def answered(answer: Answer | None) -> None:
            if answer is not None:
                name = answer.chosen["name"]
                self.carefully(lambda: f"Back: {keeping.restore(self.root, name).name}.")

        self.run_worker(work, thread=True, group="trash", exit_on_error=False)

    # ---- taking along

    def action_copy(self) -> None:
        """All its words to the clipboard."""
        shown = self.shown
        if shown is None or not shown.text:
            self.say("There are no words to copy.")
            return

        def work() -> None:
            copied = self.copier(shown.text.replace("\n", "\n\n"))
            words = count(sum(len(s.words) for s in shown.segments), "word")
            self._tell(self.say, f"{words} {copied.where}.")

        self.run_worker(work, thread=True, group="copy", exit_on_error=False)

    def action_export(self) -> None:
        """Ask for a format and a folder."""
        info = self.chosen
        if info is None:
            return
        formats = [Choice(fmt, fmt, FORMAT_NOTES.get(fmt, "")) for fmt in FORMATS]
        question = Question("format", "format", formats, FORMATS.index("md"))
        line = Line("folder", self._folder or wording.place(info.path), "the folder to write into")

        def answered(answer: Answer | None) -> None:
            if answer is None:
                return
            folder = Path(answer.text.strip() or info.path).expanduser()
            if folder != info.path:
                self._folder = answer.text.strip()
            fmt = answer.chosen["format"]

            def work() -> str:
                return f"Written: {wording.place(keeping.exported(info.path, fmt, folder))}"

            self.carefully(work)

        self.app.push_screen(Ask(f"Export {called(info)}", "export", [question], line), answered)

    # ---- hearing

    def action_paragraph(self, by: int) -> None:
        """The cursor on the next paragraph, or the one before."""
        self.query_one(ReaderView).move_cursor("paragraph", by)

    def on_transcript_view_edit_wanted(self) -> None:
        """A paragraph was clicked twice."""
        self.action_play(again=True)

    def action_play(self, again: bool = False) -> None:
        """Hear the paragraph, or stop."""
        if self.player.playing and not again:
            self.player.stop()
            self.say("Stopped.", seconds=2.0)
            return
        info, segment = self.chosen, self.query_one(ReaderView).paragraph()
        if info is None or segment is None:
            return

        def ended(problem: str) -> None:
            if problem:
                self._tell(lambda: self.say(problem, warning=True))

        def work() -> None:
            try:
                self.player.play(info.path / AUDIO, segment.start_s, segment.end_s, ended)
            except AudioError as error:
                ended(str(error))
                return
            length = seconds(segment.end_s - segment.start_s)
            hears = " The microphone hears it too." if self.live.state.listening else ""
            self._tell(lambda: self.say(f"Playing {length} of it; P stops.{hears}"))

        self.run_worker(work, thread=True, group="play", exclusive=True, exit_on_error=False)
