"""Help: the keys, the signs on the page, where the words are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

KEY_WIDTH = 13


class HelpScreen(ModalScreen[None]):
    """One page of text over the live screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "back", id="help.close", tooltip="Back"),
        Binding("up,k", "scroll(-1)", show=False, id="help.up", tooltip="Up"),
        Binding("down,j", "scroll(1)", show=False, id="help.down", tooltip="Down"),
        Binding("pageup", "scroll(-10)", show=False, id="help.page_up", tooltip="Page up"),
        Binding(
            "pagedown,space", "scroll(10)", show=False, id="help.page_down", tooltip="Page down"
        ),
    ]
    CSS = """
    HelpScreen {
        background: $background;
        & > VerticalScroll {
            width: 100%;
            height: 1fr;
            padding: 1 3;
            align-horizontal: center;
            scrollbar-size-vertical: 1;
        }
        & Static { height: auto; max-width: 84; }
        & #help-foot { height: 1; padding: 0 3; max-width: 100%; color: $muted; }
    }
    """

    def __init__(self, keys: Sequence[tuple[str, str]], talk: Sequence[str], places: str) -> None:
        super().__init__()
        self._keys = keys
        self._talk = talk
        self._places = places

    def compose(self) -> ComposeResult:
        """The text."""
        with VerticalScroll(can_focus=False):
            yield Static(self._text())
        yield Static("Esc back   ↑ ↓ more", id="help-foot")

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _text(self) -> Content:
        head = "bold $accent"
        parts: list[Content | tuple[str, str] | str] = [("Keys\n", head)]
        for key, what in self._keys:
            parts += [(f"  {key:{KEY_WIDTH}}", "bold $foreground"), f"{what}\n"]
        parts.append(("\nTalking\n", head))
        parts += [f"  {line}\n" for line in self._talk]
        parts += [
            ("\nOn the page\n", head),
            ("  ●", "$accent"),
            "  you are heard; the time is what was heard in this session\n",
            ("  ▐███", "$accent"),
            "  how loud, just as the words are made from it; ",
            ("│", "$accent"),
            " the loudest moment,\n         ",
            ("!", "$warning"),
            " too loud: further from the microphone, or less gain\n",
            "  behind   how much of what you said is not written yet; a second or so\n"
            "           is usual, and nothing is lost when it is more\n",
            ("\nYour words\n", head),
            self._places,
        ]
        return Content.assemble(*parts)
