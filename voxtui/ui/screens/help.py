"""Help: the keys, the signs on the page, where the words are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from voxtui.ui.widgets.keybar import KeyBar, KeyItem
from voxtui.ui.widgets.wrapping import wrap

KEY_WIDTH = 15
SIGN_WIDTH = 9
PLACE_WIDTH = 15
FOOT = (
    KeyItem("Esc", "back", "back", "screen.dismiss"),
    KeyItem("↑ ↓", "more", "more", "screen.scroll(1)"),
)
SIGNS = (
    ("●", "you are heard; the time is what was heard in this session"),
    ("▐███", "how loud, just as the words are made from it"),
    ("│", "the loudest moment"),
    ("!", "too loud: further from the microphone, or less gain"),
    (
        "behind",
        "how much of what you said is not written yet; a second or so is usual, and nothing is"
        " lost when it is more",
    ),
)
SEARCHING = (
    "Just type: all words of all sessions are searched, by their beginnings, whatever case and"
    " accents. “Quotes” find words in a row.",
    "Enter or ↓ leaves the field; then the keys at the left do what they say. / goes back to it.",
)
PRIVACY = "Sound and words are written while you speak, and never leave this machine."

Line = tuple[str, str]
"""What is explained, and the explanation."""


def words_rows(text: str, room: int) -> list[str]:
    """Rows that end with a word."""
    return [text[row.start : row.end] for row in wrap(text, room)]


def path_rows(path: str, room: int) -> list[str]:
    """Rows of a path that end with a folder; a name too long for one is cut."""
    rows = [""]
    for part in re.findall("[^/]*/|[^/]+", path):
        if rows[-1] and cell_len(rows[-1] + part) > room:
            rows.append("")
        rows[-1] += part
    return [piece for row in rows for piece in words_rows(row, room)]


class Lines(Widget):
    """A heading, and explanations side by side with what they explain."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: auto; padding-right: 1; }
    """

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        label_width: int,
        style: str,
        *,
        paths: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._paths = paths
        self._title = title
        self._lines = lines
        self._label_width = label_width
        self._style = style

    def render(self) -> Content:
        """Wrapped so that the explanations stand below each other."""
        hang = 2 + self._label_width
        room = max(12, self.content_size.width - hang)
        parts: list[Content | tuple[str, str] | str] = []
        if self._title:
            parts.append((f"{self._title}\n", "bold $accent"))
        for label, what in self._lines:
            space = " " * max(1, self._label_width - cell_len(label)) if self._label_width else ""
            parts.append((f"  {label}{space}", self._style))
            rows = path_rows(what, room) if self._paths else words_rows(what, room)
            parts.append(f"\n{' ' * hang}".join(rows) + "\n")
        return Content.assemble(*parts).rstrip()


def page_help(keys: Sequence[Line], talk: Sequence[str], places: Sequence[Line]) -> HelpScreen:
    """The help of the live screen."""
    return HelpScreen(
        keys,
        [
            Lines("Talking", [("", line) for line in talk], 0, ""),
            Lines("On the page", SIGNS, SIGN_WIDTH, "$accent"),
            Lines("Your words", places, PLACE_WIDTH, "$muted", paths=True),
            Lines("", [("", PRIVACY)], 0, ""),
        ],
    )


def library_help(keys: Sequence[Line], places: Sequence[Line]) -> HelpScreen:
    """The help of the library."""
    return HelpScreen(
        keys,
        [
            Lines("Searching", [("", line) for line in SEARCHING], 0, ""),
            Lines("Your words", places, PLACE_WIDTH, "$muted", paths=True),
        ],
    )


class HelpScreen(ModalScreen[None]):
    """One page of text over the live screen; on a wide one two columns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "back", id="help.close", tooltip="Back"),
        Binding("up,k", "scroll(-1)", show=False, id="help.up", tooltip="Up"),
        Binding("down,j", "scroll(1)", show=False, id="help.down", tooltip="Down"),
        Binding("pageup", "scroll(-10)", show=False, id="help.page_up", tooltip="Page up"),
        Binding(
            "pagedown,space", "scroll(10)", show=False, id="help.page_down", tooltip="Page down"
        ),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (66, "-medium"), (110, "-wide")]  # noqa: RUF012
    CSS = """
    HelpScreen {
        background: $background;
        & > VerticalScroll {
            height: 1fr;
            padding: 1 3;
            scrollbar-size-vertical: 1;
        }
        & #help-keys, & #help-more { height: auto; max-width: 84; }
        & #help-more > Lines { margin-bottom: 1; }
        & #help-keys { margin-bottom: 1; }
        & > KeyBar { padding: 0 3; margin-bottom: 1; }
        & #help-all { height: auto; }
        &.-wide #help-all { layout: horizontal; }
        &.-wide #help-keys { width: 62; margin-right: 4; }
        &.-wide #help-more { width: 1fr; }
        &.-narrow > VerticalScroll, &.-narrow > KeyBar { padding: 0 1; }
        &.-narrow > KeyBar { margin-bottom: 0; }
    }
    """

    def __init__(self, keys: Sequence[Line], more: Sequence[Lines]) -> None:
        super().__init__()
        self._keys = keys
        self._more = more

    def compose(self) -> ComposeResult:
        """The keys, then all else."""
        with VerticalScroll(can_focus=False), Container(id="help-all"):
            yield Lines("Keys", self._keys, KEY_WIDTH, "bold $foreground", id="help-keys")
            with Vertical(id="help-more"):
                yield from self._more
        foot = KeyBar()
        foot.items = FOOT
        yield foot

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
