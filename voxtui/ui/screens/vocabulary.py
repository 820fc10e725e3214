"""The vocabulary: all rules, a line to add one, a key to take one away."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from voxtui import vocabulary
from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.wording import place
from voxtui.vocabulary import Rule, VocabularyError

NONE_YET = "No rules yet. A rule says what is heard, and what is meant: cooper netties = Kubernetes"
LEFT_OUT = "(left out)"
KEYS = (
    KeyItem("Enter", "keep", "keep", "screen.keep"),
    KeyItem("↑ ↓", "choose", "choose", "screen.list"),
    KeyItem("Del", "forget", "forget", "screen.remove"),
    KeyItem("Esc", "back", "back", "screen.back"),
)


class VocabularyScreen(ModalScreen[bool]):
    """Gives True when the rules were changed here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="vocabulary.back", tooltip="Back to the page"),
        Binding("down", "list", show=False, id="vocabulary.down", tooltip="Into the list"),
        Binding("delete,ctrl+d", "remove", "remove", id="vocabulary.remove", tooltip="Forget it"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (66, "-medium")]  # noqa: RUF012
    CSS = """
    VocabularyScreen {
        background: $background;
        padding: 1 3;
        & > * { max-width: 100; }
        &.-narrow { padding: 0 1; }
        & .head { height: auto; text-style: bold; }
        & #about { height: auto; color: $muted; margin-bottom: 1; }
        & Input { height: 1; border: none; padding: 0; background: $panel; }
        & Input:focus { border: none; }
        & #told { height: auto; min-height: 1; color: $warning; }
        & OptionList {
            height: 1fr; border: none; padding: 0; background: $background;
            scrollbar-size-vertical: 1; margin-bottom: 1;
            &:focus { border: none; background-tint: $background 0%; }
            & > .option-list--option-highlighted { background: $background; }
            &:focus > .option-list--option-highlighted { background: $panel; color: $accent; }
        }
    }
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._rules: tuple[Rule, ...] = ()
        self._changed = False

    def compose(self) -> ComposeResult:
        """The line to type in, and the rules below it."""
        yield Static("Vocabulary", classes="head")
        yield Static(
            f"What is heard = what is meant. Also by hand, in {place(str(self._path))}",
            id="about",
            markup=False,
        )
        field = Input(placeholder="heard = meant (nothing behind = leaves it out)")
        field.cursor_blink = False  # the page stays still
        yield field
        yield Static("", id="told", markup=False)
        yield OptionList()
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(KeyBar).items = KEYS
        self._show()
        self.query_one(Input).focus()

    def _show(self, told: str = "") -> None:
        known, problems = vocabulary.load(self._path)
        self._rules = known.rules
        width = max((len(rule.heard) for rule in self._rules), default=0)
        options = self.query_one(OptionList)
        options.clear_options()
        if not self._rules:
            options.add_option(Option(NONE_YET, disabled=True))
        for rule in self._rules:
            meant = rule.written or LEFT_OUT
            options.add_option(
                Content.assemble(f"{rule.heard:{width}}", ("  =  ", "$muted"), (meant, "bold"))
            )
        self.query_one("#told", Static).update(" ".join([told, *problems]).strip())

    def on_input_submitted(self) -> None:
        self.action_keep()

    def action_keep(self) -> None:
        """Keep the rule that was typed."""
        field = self.query_one(Input)
        heard, sign, meant = field.value.partition("=")
        if not field.value.strip():
            return
        if not sign:
            self._show("A rule needs a =, with what is meant behind it.")
            return
        try:
            self._changed |= vocabulary.add(self._path, heard, meant)
        except VocabularyError as error:
            self._show(str(error))
            return
        field.value = ""
        self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Into the line, to change it."""
        rule = self._rules[event.option_index]
        field = self.query_one(Input)
        field.value = f"{rule.heard} = {rule.written}"
        field.focus()

    def action_list(self) -> None:
        """From the line into the list."""
        self.query_one(OptionList).focus()

    def action_remove(self) -> None:
        """Forget the rule that is chosen."""
        chosen = self.query_one(OptionList).highlighted
        if chosen is None or chosen >= len(self._rules):
            return
        try:
            self._changed |= vocabulary.remove(self._path, self._rules[chosen].heard)
        except VocabularyError as error:
            self._show(str(error))
            return
        self._show()
        if self._rules:
            self.query_one(OptionList).highlighted = min(chosen, len(self._rules) - 1)

    def action_back(self) -> None:
        """To the page."""
        self.dismiss(self._changed)
