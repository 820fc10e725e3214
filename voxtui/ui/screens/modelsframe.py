"""How the page of models looks: what was found, the list, what there is to know of one, keys."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from voxtui.models.store import Entry
from voxtui.models.words import size
from voxtui.ui import modelwords
from voxtui.ui.desk import Desk
from voxtui.ui.shelf import Look
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


class ModelsFrame(ModalScreen[Outcome]):
    """Shows what a look around found, and the state of the desk; changes nothing."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (66, "-medium")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-low"), (ROOMY, "-tall")]  # noqa: RUF012
    SCOPED_CSS = False  # a screen's rules are scoped to its own name, not to its base's
    CSS = """
    ModelsFrame {
        background: $background;
        & > VerticalScroll { height: 1fr; padding: 1 3 0 3; scrollbar-size-vertical: 1; }
        & VerticalScroll > Static, & ModelList { height: auto; max-width: 100; }
        & #models-found { margin-bottom: 1; }
        & #models-details { margin-top: 1; color: $muted; max-width: 84; }
        & PathLine { margin-top: 1; }
        & > KeyBar { padding: 0 3; margin-bottom: 1; }
        & #models-head { margin-bottom: 1; }
        &.-low > VerticalScroll { padding: 1 3 0 3; }
        &.-short > VerticalScroll { padding: 0 3; }
        &.-short > KeyBar { margin: 0; }
        &.-short #models-head, &.-short #models-found { margin-bottom: 0; }
        &.-narrow > VerticalScroll, &.-narrow > KeyBar, &.-narrow > MessageLine { padding: 0 1; }
    }
    """

    def __init__(self, desk: Desk, *, first_run: bool = False, told_releases: bool = False) -> None:
        super().__init__()
        self._desk = desk
        self._first_run = first_run
        self._told_releases = told_releases
        self.look: Look | None = None
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
        known, shelf = self.look, self._desk.shelf
        look = shelf.look()
        if known is not None and known.microphones is not None:
            self.app.call_from_thread(self._take, look.like(known))
        else:
            self.app.call_from_thread(self._take, look)
            self.app.call_from_thread(self._take, shelf.look_closer(look))

    def _take(self, look: Look) -> None:
        self.look = look
        self.call_later(self.show)

    # ---- showing

    async def show(self) -> None:
        """Bring everything up to date."""
        look = self.look
        if look is None or not self.is_mounted:
            return
        models = self.query_one(ModelList)
        if not self._moved:
            models.choose(self._first_choice(look))
        await models.show([*(self._line(entry, look) for entry in look.entries), self._folder()])
        self.query_one("#models-found", Static).update(self._found(look))
        self._show_chosen()

    def _show_chosen(self) -> None:
        look = self.look
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
        brief, key = self.size.height < ROOMY, self._desk.talk_key
        for label, phrases in modelwords.found(look, self._told_releases, brief, key):
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
        entries = self.look.entries if self.look is not None else ()
        return next((entry for entry in entries if entry.name == name), None)

    def _fetches(self, entry: Entry) -> bool:
        return self._desk.model is not None and self._desk.model.name == entry.name

    def _in_use(self, entry: Entry) -> bool:
        wanted = self._desk.wanted
        auto = self.look.auto if self.look is not None else ""
        if wanted == "auto":
            return entry.name == auto
        path = str(entry.installed.path) if entry.installed is not None else entry.name
        return wanted in (entry.name, path)

    def say(self, text: str, *, warning: bool = False) -> None:
        """A sentence on this page."""
        line = self.query_one(MessageLine)
        line.say(text, seconds=30.0 if warning else 10.0, warning=warning)
