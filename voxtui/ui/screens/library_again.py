"""Transcribing a session again, with another model or delay, and its earlier transcripts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Static

from voxtui.session import versions
from voxtui.session.errors import SessionError
from voxtui.session.library import SessionInfo, has_edits
from voxtui.settings import DELAYS_MS
from voxtui.ui.again import Again, begin
from voxtui.ui.backend import CannotStartError, Choice
from voxtui.ui.panels.asking import Answer, Ask, Question
from voxtui.ui.screens.comparing import ComparingScreen
from voxtui.ui.screens.library_help import Helping
from voxtui.ui.screens.library_tidying import called
from voxtui.ui.words import clock, count, model_name

if TYPE_CHECKING:
    from voxtui.retranscription import Ended, Progress


class LibraryScreen(Helping):
    """The library with all its rooms. One session at a time is written again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,T", "again", "again", id="library.again", tooltip="Transcribe it again"),
        Binding("x,X", "cancel", "stop", id="library.cancel", tooltip="Stop transcribing again"),
        Binding(
            "v,V", "versions", "versions", id="library.versions", tooltip="Earlier words of it"
        ),
        Binding("b,B,q,Q", "leave", show=False, id="library.leave", tooltip="Back to the page"),
    ]
    FOOT = (
        ("library.read", "read", "read"),
        ("library.next", "next", "next"),
        ("library.cancel", "stop", "stop"),
        ("library.play", "play", "play"),
        ("library.copy", "copy", "copy"),
        ("library.export", "export", "export"),
        ("library.rename", "rename", "rename"),
        ("library.delete", "delete", "del"),
        ("library.again", "again", "again"),
        ("library.help", "help", "help"),
        ("library.back", "back", "back"),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.again: Again | None = None

    @property
    def busy(self) -> bool:
        """Is something being written again, or waiting to be looked at?"""
        return self.again is not None

    def on_unmount(self) -> None:
        if self.again is not None and self.again.job is not None:
            self.again.job.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not there."""
        if action == "cancel":
            return self.again is not None and self.again.running
        if action == "turn":
            return bool(self.query_) and bool(self.chosen)
        if action == "undo":
            return bool(self._undo)
        return True

    def action_leave(self) -> None:
        """Back to the page, from anywhere."""
        self.remove_class("-reading")
        self.dismiss()

    # ---- asking

    def action_again(self) -> None:
        """Ask with what; or show what came of it."""
        info, again = self.chosen, self.again
        if again is not None and again.waiting:
            self._compare(again)
            return
        if again is not None and again.running:
            self.say("One session at a time is written again: X stops this one.")
            return
        if info is None:
            return

        def work() -> None:
            try:
                edits = has_edits(info.path)
            except SessionError as error:
                self._tell(partial(self.say, str(error), warning=True))
                return
            self._tell(self._ask_again, info, self.live.backend.models(), edits)

        self.run_worker(work, thread=True, group="again", exclusive=True, exit_on_error=False)

    def _ask_again(self, info: SessionInfo, models: list[Choice], edits: bool) -> None:
        shown = self.live.preferences.shown.engine
        delays = [Choice(ms, f"{ms} ms") for ms in DELAYS_MS if ms]
        delays[-1] = Choice(delays[-1].value, delays[-1].label, "the most exact, the slowest")
        values = [choice.value for choice in models]
        at = values.index(shown.model) if shown.model in values else 0
        questions = [
            Question("model", "model", models, at),
            Question("delay", "delay", delays, len(delays) - 1),
        ]
        title = f"Write {called(info)} again. You see what differs before it counts."
        if edits:
            title += " What you changed by hand stays in the earlier version."
        self.app.push_screen(
            Ask(title, "begin", questions), lambda answer: self._begin(info, answer)
        )

    def _begin(self, info: SessionInfo, answer: Answer | None) -> None:
        if answer is None:
            return
        model, delay = answer.chosen["model"], answer.chosen["delay"]
        label = f"{model_name(str(model)) if model != 'auto' else 'the best model'}, {delay} ms"
        title = called(info)
        again = self.again = Again(info.name, title[0].upper() + title[1:], label)
        threads = self.live.preferences.shown.engine.threads

        def listener(event: Progress | Ended) -> None:
            self._tell(self._advance, again, event)

        def work() -> None:
            try:
                again.job = begin(info.path, model, delay, threads, listener)
            except CannotStartError as error:
                self._tell(self._failed, str(error))

        self.show_job()
        self.run_worker(work, thread=True, group="again", exit_on_error=False)

    # ---- while it runs

    def _failed(self, sentence: str) -> None:
        self.again = None
        self.show_job()
        self.speak(sentence, warning=True)

    def _advance(self, again: Again, event: Progress | Ended) -> None:
        from voxtui.retranscription import Progress

        if again is not self.again:
            return
        if isinstance(event, Progress):
            again.progress = event
        else:
            again.ended = event
            if event.problem:
                self._failed(event.problem)
            elif event.difference is None:
                self.again = None
                self.say("Stopped. The words are as they were.")
            elif self.is_current:
                self._compare(again)
            else:
                self.speak(f"{again.title} is written again. B, then T shows what differs.")
        self.show_job()

    def speak(self, sentence: str, *, warning: bool = False) -> None:
        """Say something where the person is looking."""
        page = self if self.is_current else self.live
        page.say(sentence, seconds=12.0, warning=warning)

    def show_job(self) -> None:
        """The line that tells how far it is."""
        self.set_class(self.again is not None, "-job")
        if self.again is not None:
            self.query_one("#library-job", Static).update(self.again.sentence())
        self.refresh_bindings()
        self.show_keys()

    def action_cancel(self) -> None:
        """No more of it."""
        if self.again is not None and self.again.job is not None:
            self.again.cancelled = True
            self.again.job.cancel()
            self.show_job()

    # ---- when it is done

    def _compare(self, again: Again) -> None:
        assert again.ended is not None
        assert again.ended.difference is not None
        screen = ComparingScreen(again.ended.difference, again.title, again.model)
        self.app.push_screen(screen, lambda new: self._decided(again, new))

    def _decided(self, again: Again, new: bool | None) -> None:
        job = again.job
        if new is None or job is None:
            return
        self.again = None
        self.show_job()

        def work() -> str:
            if not new:
                job.discard()
                return "The old words stay."
            number = job.accept()
            self.undoable(lambda: self._bring_back(again.name, number))
            return "The new words are there. The old ones are a version: U brings them back."

        self.carefully(work)

    def _bring_back(self, name: str, number: int) -> str:
        versions.bring_back(self.root / name, number)
        return f"The words of version {number} are back."

    def action_versions(self) -> None:
        """Ask which of the earlier transcripts is to come back."""
        info = self.chosen
        if info is None:
            return

        def work() -> None:
            self._tell(ask, versions.list_versions(info.path))

        def ask(found: list[versions.Version]) -> None:
            if not found:
                self.say("There are no earlier words of this session.")
                return
            choices = [
                Choice(
                    version.number,
                    f"version {version.number}",
                    f"{count(version.words, 'word')}, {model_name(version.model)},"
                    f" until {clock(version.replaced)}",
                )
                for version in found
            ]
            question = Question("number", "earlier", choices)
            title = f"Earlier words of {called(info)}; the present ones are kept too"
            self.app.push_screen(Ask(title, "bring them back", [question]), answered)

        def answered(answer: Answer | None) -> None:
            if answer is not None:
                self.carefully(lambda: self._bring_back(info.name, answer.chosen["number"]))

        self.run_worker(work, thread=True, group="versions", exit_on_error=False)
