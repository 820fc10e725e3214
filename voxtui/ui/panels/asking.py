"""A question over the page: some choices, perhaps a line of text, and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from voxtui.ui.backend import Choice
from voxtui.ui.widgets.fitting import shorten
from voxtui.ui.widgets.keybar import KeyBar, KeyItem

LABEL_WIDTH = 11


@dataclass(slots=True)
class Question:
    """One thing to choose."""

    name: str
    label: str
    choices: list[Choice]
    at: int = 0

    @property
    def choice(self) -> Choice:
        return self.choices[self.at]


class Line(NamedTuple):
    """A line of text to fill in."""

    label: str
    value: str = ""
    placeholder: str = ""


class Answer(NamedTuple):
    """What was chosen, by name, and the text."""

    chosen: dict[str, Any]
    text: str


class Questions(Widget, can_focus=True):
    """`label   ‹ value ›  what it is`, a row each; changed in place with the arrows."""

    DEFAULT_CSS = """
    Questions { height: auto; width: 1fr; }
    """

    at = reactive(0)

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__()
        self.questions = questions

    def render(self) -> Content:
        """All rows."""
        room = max(8, self.content_size.width - LABEL_WIDTH - 4)
        parts: list[Content | str | tuple[str, str]] = []
        for index, question in enumerate(self.questions):
            chosen = index == self.at and self.has_focus
            value = shorten(question.choice.label, room)
            note = shorten(question.choice.note, room - len(value) - 2)
            mark, strong = ("$accent", "bold $accent") if chosen else ("$faint", "$foreground")
            earlier = Content("‹ " if question.at else "  ")
            later = Content(" ›" if question.at < len(question.choices) - 1 else "  ")
            parts += ["\n"] * bool(parts)
            parts += [
                (f"{question.label:{LABEL_WIDTH}}", "bold" if chosen else "$muted"),
                earlier.stylize(mark).stylize(Style.from_meta({"row": index, "step": -1})),
                (value, strong),
                later.stylize(mark).stylize(Style.from_meta({"row": index, "step": 1})),
                (f"  {note}" if note else "", "$muted"),
            ]
        return Content.assemble(*parts)

    def step(self, by: int, row: int | None = None) -> None:
        """Another value."""
        self.at = self.at if row is None else row
        question = self.questions[self.at]
        question.at = min(len(question.choices) - 1, max(0, question.at + by))
        self.refresh(layout=True)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        by = event.style.meta.get("step")
        if by is not None:
            self.step(by, event.style.meta["row"])
        elif event.y < len(self.questions):
            self.at = event.y


class Ask(ModalScreen[Answer | None]):
    """Gives what was answered, or None when it was put away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "row(-1)", show=False, id="ask.up", tooltip="Row above"),
        Binding("down", "row(1)", show=False, id="ask.down", tooltip="Row below"),
        Binding("left", "step(-1)", show=False, id="ask.less", tooltip="Value before"),
        Binding("right", "step(1)", show=False, id="ask.more", tooltip="Value after"),
        Binding("enter", "go", show=False, id="ask.go", tooltip="Do it"),
        Binding("escape", "put_away", show=False, id="ask.away", tooltip="Put it away"),
    ]
    CSS = """
    Ask {
        align: center middle;
        background: $background 70%;
        & > Vertical {
            width: 74; max-width: 96%; height: auto; max-height: 96%;
            background: $panel; padding: 1 3;
        }
        & #ask-title { color: $foreground; text-style: bold; margin-bottom: 1; height: auto; }
        & #ask-line { height: 1; margin-top: 1; }
        & #ask-line Label { width: 11; color: $muted; }
        & Input { height: 1; border: none; padding: 0 1; background: $pill; margin-top: 1; }
        & Input:focus { border: none; background: $pill; background-tint: $pill 0%; }
        & .lone { margin-top: 0; }
        & KeyBar { margin-top: 1; width: 1fr; }
    }
    """

    def __init__(
        self,
        title: str,
        go: str,
        questions: Sequence[Question] = (),
        line: Line | None = None,
    ) -> None:
        super().__init__()
        self._title = title
        self._go = go
        self._questions = list(questions)
        self._line = line

    def compose(self) -> ComposeResult:
        """The title, the rows, the line, the keys."""
        with Vertical():
            yield Static(self._title, id="ask-title", markup=False)
            if self._questions:
                yield Questions(self._questions)
            if self._line is not None:
                if self._questions:
                    yield Label(self._line.label, id="ask-line")
                field = Input(self._line.value, placeholder=self._line.placeholder)
                field.cursor_blink = False
                field.set_class(not self._questions, "lone")
                yield field
            yield KeyBar()

    def on_mount(self) -> None:
        """The keys, and where they go."""
        items = [KeyItem("Enter", self._go, self._go, "screen.go")]
        if self._questions:
            items.append(KeyItem("← →", "change", "change", "screen.step(1)"))
        if self._questions and self._line is not None:
            items.append(KeyItem("Tab", "text", "text", "app.focus_next"))
        items.append(KeyItem("Esc", "back", "back", "screen.put_away"))
        self.query_one(KeyBar).items = tuple(items)
        for widget in (*self.query(Questions), *self.query(Input)):
            widget.focus()
            break

    def action_row(self, by: int) -> None:
        """Another row; after the last one the text."""
        if not self._questions:
            return
        rows = self.query_one(Questions)
        at = (rows.at if rows.has_focus else len(self._questions)) + by
        if 0 <= at < len(self._questions):
            rows.focus()
            rows.at = at
        elif self._line is not None and at >= 0:
            self.query_one(Input).focus()

    def action_step(self, by: int) -> None:
        """Another value."""
        if self._questions:
            self.query_one(Questions).step(by)

    def action_go(self) -> None:
        """Do it."""
        text = self.query_one(Input).value if self._line is not None else ""
        self.dismiss(Answer({q.name: q.choice.value for q in self._questions}, text))

    def action_put_away(self) -> None:
        """Do nothing."""
        self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_go()
