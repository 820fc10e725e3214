"""Models: get, use, check and delete them. Also the first page of all."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from voxtui.models.store import Entry
from voxtui.models.words import size
from voxtui.ui import modelwords
from voxtui.ui.screens.modelsframe import TINY, ModelsFrame, Outcome
from voxtui.ui.shelf import ShelfError
from voxtui.ui.widgets.modellist import ModelList
from voxtui.ui.widgets.pathline import PathLine

__all__ = ["ModelsScreen", "Outcome"]


class ModelsScreen(ModelsFrame):
    """What the keys and the mouse do to the chosen model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False, id="models.up", tooltip="Model above"),
        Binding("down,j", "move(1)", show=False, id="models.down", tooltip="Model below"),
        Binding("pageup", "scroll(-5)", show=False, id="models.page_up", tooltip="Page up"),
        Binding("pagedown", "scroll(5)", show=False, id="models.page_down", tooltip="Page down"),
        Binding("enter", "go", show=False, id="models.go", tooltip="Get it, or use it"),
        Binding("v,V", "verify", show=False, id="models.verify", tooltip="Check every byte"),
        Binding("d,D,delete", "remove", show=False, id="models.remove", tooltip="Delete it"),
        Binding("x,X", "stop", show=False, id="models.stop", tooltip="Stop the download"),
        Binding("escape,q,g", "back", show=False, id="models.back", tooltip="Back to the page"),
    ]

    # ---- doing

    def action_move(self, by: int) -> None:
        """Another model."""
        self.query_one(ModelList).move(by)

    def action_scroll(self, by: int) -> None:
        """Where all does not fit."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def on_model_list_moved(self, message: ModelList.Moved) -> None:
        self._moved = True
        self._to_delete = ""
        self._show_chosen()
        if message.again:
            self.action_go()

    def action_go(self) -> None:
        """What Enter does to the chosen one."""
        entry = self._chosen
        if self.look is None:
            return
        if entry is None:
            self.query_one(PathLine).open()
            self._show_chosen()
        elif self._fetches(entry):
            self.action_back()
        elif entry.installed is not None:
            self._use(entry.name, entry.title)
        elif self._desk.model is not None:
            self.say(f"{self._desk.model.title} is on its way: one at a time. X there stops it.")
        elif entry.known is not None:
            self._desk.fetch(entry.known)
            if self._first_run:
                self.dismiss(Outcome("", settled=False))
            else:
                self.call_later(self.show)

    def _use(self, name: str, title: str) -> None:
        if name == TINY and self._first_run:
            self.action_back()
            return
        sentence, warning = self._desk.use(name, title)
        if self._first_run and not warning:
            self.dismiss(Outcome(sentence, settled=True))
        else:
            self.say(sentence, warning=warning)
            self.look_again()

    def action_stop(self) -> None:
        """Stop the download."""
        self._desk.stop()

    def action_back(self) -> None:
        """To the page, with the model that is there."""
        fetching = self._desk.model is not None
        self.dismiss(Outcome("", settled=self._first_run and not fetching))

    def on_path_line_closed(self) -> None:
        """No path after all."""
        self._show_chosen()

    def action_give_path(self) -> None:
        """A click for Enter."""
        self.query_one(PathLine).give()

    def action_complete_path(self) -> None:
        """A click for Tab."""
        self.query_one(PathLine).action_complete()

    def action_close_path(self) -> None:
        """A click for Esc."""
        self.query_one(PathLine).close()

    def on_path_line_given(self, message: PathLine.Given) -> None:
        """Look into the folder, in a thread: it may be far away."""

        def look() -> None:
            try:
                path = self._desk.shelf.check(message.path)
            except ShelfError as error:
                self.app.call_from_thread(self.say, str(error), warning=True)
                return
            self.app.call_from_thread(self._take_path, path)

        self.run_worker(look, thread=True, group="path", exclusive=True, exit_on_error=False)

    def _take_path(self, path: str) -> None:
        self.query_one(PathLine).close()
        self._use(path, path.rstrip("/").rpartition("/")[2])

    def action_verify(self) -> None:
        """Read every byte, in a thread."""
        entry = self._chosen
        if entry is None or entry.builtin or entry.installed is None or self._checking[0]:
            return

        def heard(done: int, total: int) -> None:
            share = f"checking: {done / total:.0%}".replace("%", " %")
            if share != self._checking[1] and self.is_mounted:
                self._checking = (entry.name, share)
                self.app.call_from_thread(self.call_later, self.show)

        def check() -> None:
            try:
                told = modelwords.verdict(entry.title, self._desk.shelf.verify(entry, heard))
            except ShelfError as error:
                told = str(error), True
            self.app.call_from_thread(self._verified, *told)

        self._checking = (entry.name, "checking")
        self.call_later(self.show)
        self.run_worker(check, thread=True, group="verify", exit_on_error=False)

    def _verified(self, sentence: str, warning: bool) -> None:
        self._checking = ("", "")
        self.call_later(self.show)
        self.say(sentence, warning=warning)

    def action_remove(self) -> None:
        """Delete the chosen one, at the second press."""
        entry = self._chosen
        if entry is None or entry.builtin or self._fetches(entry):
            return
        count = entry.installed.size if entry.installed is not None else entry.part
        if not count:
            return
        if self._to_delete != entry.name:
            self._to_delete = entry.name
            self.say(f"D once more deletes {entry.title} ({size(count)}).", warning=True)
            return
        self._to_delete = ""
        self.run_worker(
            lambda: self._delete(entry, count), thread=True, group="delete", exit_on_error=False
        )

    def _delete(self, entry: Entry, count: int) -> None:
        used = self._in_use(entry)
        try:
            self._desk.shelf.remove(entry)
        except ShelfError as error:
            self.app.call_from_thread(self.say, str(error), warning=True)
            return
        if used:
            auto = self._desk.shelf.auto_name()
            self.app.call_from_thread(self._desk.use, auto, auto)
        self.app.call_from_thread(self.say, f"Deleted: {size(count)} are free again.")
        self.app.call_from_thread(self.look_again)
