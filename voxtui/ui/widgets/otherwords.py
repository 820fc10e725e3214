"""A short list of what else a word could be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList

from voxtui.events import Alternative

OWN_WORDS = "write it yourself"
BEGINNING = "…"
"""Behind what is known only as the beginning of a word."""


class OtherWords(OptionList):
    """Arrows and Enter, a digit, or the mouse chooses; Esc does not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False, id="words.cancel", tooltip="Leave the word"),
    ]
    DEFAULT_CSS = """
    OtherWords {
        position: absolute;
        layer: over;
        width: auto;
        height: auto;
        border: none;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        &:focus { border: none; }
        & > .option-list--option-highlighted, &:focus > .option-list--option-highlighted {
            background: $accent;
            color: $on-accent;
            text-style: bold;
        }
    }
    """

    class Chosen(Message):
        """Another word was chosen, or how it begins (not `whole`); "" to write it oneself."""

        def __init__(self, text: str, whole: bool) -> None:
            super().__init__()
            self.text = text
            self.whole = whole

    class Cancelled(Message):
        """The word stays."""

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        self._words = [(other.text.strip(), other.whole) for other in alternatives]
        listed = [word if whole else word + BEGINNING for word, whole in self._words]
        width = max(len(word) for word in (*listed, OWN_WORDS))
        shown = [
            f"{number}  {word:{width}}  {_percent(other.probability)}"
            for number, (word, other) in enumerate(zip(listed, alternatives, strict=True), 1)
        ]
        shown.append(f"{len(shown) + 1}  {OWN_WORDS:{width}}      ")
        super().__init__(*(Content(line) for line in shown), compact=True)
        self.wanted_size = (max(map(len, shown)) + 2, len(shown))

    def action_cancel(self) -> None:
        """Leave the word."""
        self.post_message(self.Cancelled())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and event.character in "123456789":
            number = int(event.character) - 1
            if number < self.option_count:
                event.stop()
                self._choose(number)

    def on_blur(self) -> None:
        self.post_message(self.Cancelled())

    def _choose(self, index: int) -> None:
        own = index >= len(self._words)
        self.post_message(self.Chosen(*(("", False) if own else self._words[index])))


def _percent(probability: float) -> str:
    return f"{probability * 100:3.0f} %" if probability >= 0.01 else " <1 %"
