"""Models: what was found on this machine, and which model writes. Also the first page of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from voxtui.models.store import Entry, Finding
from voxtui.models.words import size
from voxtui.ui import modelwords
from voxtui.ui.desk import Desk
from voxtui.ui.shelf import Look, ShelfError
from voxtui.ui.widgets.fitting import fit
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.widgets.modellist import Line, ModelList
from voxtui.ui.widgets.pathline import PathLine
from voxtui.ui.widgets.status import MessageLine

FOLDER = "/"
"""The name of the line for a folder; no model has it."""
TINY = "tiny"
LABEL_WIDTH = 11
ROOMY = 28
"""Rows from which on everything that was found is listed."""
PATH_KEYS = (
    KeyItem("Enter", "take it", "take it", "screen.give_path"),
    KeyItem("Tab", "complete", "complete", "screen.complete_path"),
    KeyItem("Esc", "back", "back", "screen.close_path"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the first page came to: a sentence, and is the question answered for good?"""

    sentence: str
    settled: bool


class ModelsScreen(ModalScreen[Outcome]):
    """A list of models over the live screen."""

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
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (66, "-medium")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-low"), (ROOMY, "-tall")]  # noqa: RUF012
    CSS = """
    ModelsScreen {
        background: $background;
        & > VerticalScroll { height: 1fr; padding: 1 3 0 3; scrollbar-size-vertical: 1; }
        & VerticalScroll > Static, & ModelList { height: auto; max-width: 100; }
        & #models-found { margin-bottom: 1; }
        & #models-details { margin-top: 1; color: $muted; max-width: 84; }
        & PathLine { margin-top: 1; }
        & > KeyBar { padding: 0 3; margin-bottom: 1; }
        & #models-head { margin-bottom: 1; }
        &.-low > VerticalScroll, &.-short > VerticalScroll { padding: 0 3; }
        &.-low > KeyBar, &.-short > KeyBar { margin: 0; }
        &.-short #models-head, &.-short #models-found { margin-bottom: 0; }
        &.-narrow > VerticalScroll, &.-narrow > KeyBar, &.-narrow > MessageLine { padding: 0 1; }
    }
    """

    def __init__(self, desk: Desk, *, first_run: bool = False, told_releases: bool = False) -> None:
        super().__init__()
        self._desk = desk
        self._first_run = first_run
        self._told_releases = told_releases
        self._look: Look | None = None
        self._moved = False
        self._to_delete = ""
        """The model that a second press deletes."""
        self._checking: tuple[str, str] = ("", "")
        """The model whose bytes are read, and how far that is."""

    def compose(self) -> ComposeResult:
        """What was found, the models, what there is to know of one, the keys."""
        with VerticalScroll(can_focus=False):
            yield Static(self._head(), id="models-head")
            yield Static(id="models-found")
            yield ModelList()
            yield PathLine()
            yield Static(id="models-details")
        yield MessageLine()
        yield KeyBar()

    def on_mount(self) -> None:
        """Look around."""
        self.look_again()

    def on_resize(self) -> None:
        """Another size."""
        self.call_after_refresh(self.show)

    def look_again(self) -> None:
        """Something changed on the disk."""
        self.run_worker(self._look_around, thread=True, group="look", exit_on_error=False)

    def _look_around(self) -> None:
        known, shelf = self._look, self._desk.shelf
        look = shelf.look()
        if known is not None and known.microphones is not None:
            self.app.call_from_thread(self._take, look.like(known))
        else:
            self.app.call_from_thread(self._take, look)
            self.app.call_from_thread(self._take, shelf.look_closer(look))

    def _take(self, look: Look) -> None:
        self._look = look
        self.call_later(self.show)

    # ---- showing

    async def show(self) -> None:
        """Bring everything up to date."""
        look = self._look
        if look is None or not self.is_mounted:
            return
        models = self.query_one(ModelList)
        if not self._moved:
            models.choose(self._first_choice(look))
        await models.show([*(self._line(entry, look) for entry in look.entries), self._folder()])
        self.query_one("#models-found", Static).update(self._found(look))
        self._show_chosen()

    def _show_chosen(self) -> None:
        look = self._look
        if look is not None:
            self.query_one("#models-details", Static).update(self._details(look))
            self.query_one(KeyBar).items = tuple(self._keys())

    def _first_choice(self, look: Look) -> str:
        used = [entry.name for entry in look.entries if self._in_use(entry)]
        if self._desk.model is not None:
            return self._desk.model.name
        if self._first_run or used in ([], [TINY]):
            return look.advised or look.entries[0].name
        return used[0]

    def _head(self) -> Content:
        if self._first_run:
            return Content.assemble(
                ("What you say is written down here, on this machine alone.\n", "bold $foreground"),
                ("Choose what listens; the small model does meanwhile.", "$muted"),
            )
        return Content.styled("Models", "bold $foreground")

    def _found(self, look: Look) -> Content:
        width = self.query_one("#models-found").size.width - LABEL_WIDTH
        parts: list[tuple[str, str]] = []
        brief = self.size.height < ROOMY
        for label, phrases in modelwords.found(look, self._told_releases, brief):
            parts.append((f"{label:{LABEL_WIDTH}}", "$muted"))
            parts.append((fit(phrases, width) + "\n", "$foreground"))
        return Content.assemble(*parts).rstrip()

    def _line(self, entry: Entry, look: Look) -> Line:
        fetched = self._desk.model is not None and self._desk.model.name == entry.name
        used = self._in_use(entry)
        phrases = modelwords.row(entry, look, used, self._desk.progress if fetched else None)
        if self._checking[0] == entry.name:
            phrases = [self._checking[1]]
        return Line(entry.name, entry.title, size(entry.size), phrases, strong=fetched or used)

    def _folder(self) -> Line:
        elsewhere = "/" in self._desk.wanted
        phrases = ["in use", self._desk.wanted] if elsewhere else []
        return Line(FOLDER, "A folder or file I have …", "", phrases, strong=elsewhere)

    def _details(self, look: Look) -> str:
        entry = self._chosen
        lines = [modelwords.FOLDER_LINES] if entry is None else modelwords.details(entry, look)
        return "\n".join(lines)

    def _keys(self) -> list[KeyItem]:
        if self.query_one(PathLine).is_open:
            return [*PATH_KEYS]
        entry = self._chosen
        does = self._enter_does(entry)
        keys = [KeyItem("Enter", does, does, "screen.go")] if does else []
        if entry is not None and self._fetches(entry):
            keys.append(KeyItem("X", "stop", "stop", "screen.stop"))
        elif entry is not None and not entry.builtin:
            if entry.installed is not None:
                keys.append(KeyItem("V", "check every byte", "check", "screen.verify"))
            if entry.installed is not None or entry.part:
                keys.append(KeyItem("D", "delete", "delete", "screen.remove"))
        back = ("small model for now", "not now") if self._first_run else ("back", "back")
        return [*keys, KeyItem("↑ ↓", "choose", "choose", ""), KeyItem("Esc", *back, "screen.back")]

    def _enter_does(self, entry: Entry | None) -> str:
        if entry is None:
            return "name it"
        if self._fetches(entry):
            return "back" if self._first_run else ""
        if entry.installed is not None:
            return "" if self._in_use(entry) and not self._first_run else "use"
        return "go on loading" if entry.part else "download"

    @property
    def _chosen(self) -> Entry | None:
        """None on the line for a folder."""
        name = self.query_one(ModelList).name_chosen
        entries = self._look.entries if self._look is not None else ()
        return next((entry for entry in entries if entry.name == name), None)

    def _fetches(self, entry: Entry) -> bool:
        return self._desk.model is not None and self._desk.model.name == entry.name

    def _in_use(self, entry: Entry) -> bool:
        wanted = self._desk.wanted
        auto = self._look.auto if self._look is not None else ""
        if wanted == "auto":
            return entry.name == auto
        path = str(entry.installed.path) if entry.installed is not None else entry.name
        return wanted in (entry.name, path)

    def say(self, text: str, *, warning: bool = False) -> None:
        """A sentence on this page."""
        line = self.query_one(MessageLine)
        line.say(text, seconds=30.0 if warning else 10.0, warning=warning)

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
        if self._look is None:
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
        if entry is None or entry.installed is None or self._checking[0]:
            return

        def heard(done: int, total: int) -> None:
            share = f"checking: {done / total:.0%}".replace("%", " %")
            if share != self._checking[1] and self.is_mounted:
                self._checking = (entry.name, share)
                self.app.call_from_thread(self.call_later, self.show)

        def check() -> None:
            findings = self._desk.shelf.verify(entry, heard)
            self.app.call_from_thread(self._verified, entry, findings)

        self._checking = (entry.name, "checking")
        self.call_later(self.show)
        self.run_worker(check, thread=True, group="verify", exit_on_error=False)

    def _verified(self, entry: Entry, findings: list[Finding]) -> None:
        self._checking = ("", "")
        self.call_later(self.show)
        sentence, warning = modelwords.verdict(entry.title, findings)
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
