"""How the library is laid out at each size, and what it says when it is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.binding import Binding
from textual.content import Content

from voxtui.ui.keys import shown
from voxtui.ui.widgets.keybar import KeyItem

SEARCH_KEYS = [
    KeyItem("↓", "to the list", "list", "screen.go('line', 0)"),
    KeyItem("Enter", "read", "read", "screen.read"),
    KeyItem("?", "help", "help", "screen.help"),
    KeyItem("Esc", "back", "back", "screen.back"),
]
EMPTY = "Nothing here yet. Everything that you say is kept, and comes here by itself:\n\n{place}"
NOTHING = "Nothing was found.\n\nBeginnings of words are enough; “quotes” find words in a row."

CSS = """
LibraryFrame {
    background: $background;
    & > #library-top { height: 1; padding: 0 3; margin-top: 1; color: $muted; }
    & > #library-field { height: 1; padding: 0 3; margin: 1 0; }
    & #library-slash { width: 2; color: $accent; }
    & #library-field Input {
        width: 1fr; height: 1; border: none; padding: 0; background: $background;
    }
    & #library-field Input:focus {
        border: none; background: $background; background-tint: $background 0%;
    }
    & #library-places { width: auto; color: $muted; }
    & > #shelf { height: 1fr; }
    & #left { width: 48; height: 1fr; padding: 0 0 0 2; }
    & #right { width: 1fr; height: 1fr; }
    & #library-about { height: auto; max-height: 3; padding: 0 3; color: $muted; }
    & #right ReaderView { margin-top: 1; }
    & #library-blank { padding: 1 3; color: $muted; display: none; height: auto; }
    & > #library-job { height: 1; padding: 0 3; color: $accent; display: none; }
    & > KeyBar { padding: 0 3; }
    & > #library-more { margin-bottom: 1; }
    &.-blank #library-blank { display: block; }
    &.-blank SessionList, &.-blank #right { display: none; }
    &.-job > #library-job { display: block; }
    &.-reading #left { display: none; }
    &.-medium #left { width: 37; }
    &.-medium #right ReaderView { scrollbar-size-vertical: 1; }
    &.-narrow #left { width: 1fr; padding: 0; }
    &.-blank #left { width: 1fr; }
    &.-narrow #right { display: none; }
    &.-narrow.-reading #right { display: block; }
    &.-narrow > #library-top, &.-narrow > #library-field, &.-narrow > KeyBar,
    &.-narrow #library-about, &.-narrow > MessageLine, &.-narrow > #library-job {
        padding: 0 1;
    }
    &.-low > #library-top, &.-short > #library-top { margin-top: 0; }
    &.-low > #library-more, &.-short > #library-more { margin-bottom: 0; }
    &.-medium > #library-keys, &.-wide > #library-keys { display: none; }
    &.-reading > #library-field { display: none; }
    &.-reading > #shelf { margin-top: 1; }
    &.-short.-reading > #shelf, &.-search.-reading > #shelf { margin-top: 0; }
    &.-reading.-search > #library-field { display: block; }
    &.-short > #library-field { margin: 0; }
}
"""


def heading(many: str, right: str, width: int) -> Content:
    """The line at the top: how many there are, and what goes on."""
    room = max(2, width - len("voxtui  library") - len(many) - len(right) - 3)
    return Content.assemble(
        ("voxtui", "bold $foreground"),
        "  library",
        " " * room,
        many,
        (f"   {right}" if right else "", "$accent"),
    )


def foot(
    wanted: Iterable[tuple[str, str, str]], bindings: Mapping[str | None, Binding]
) -> list[KeyItem]:
    """The keys that do something now, of those that the foot has room for."""
    return [
        KeyItem(short_key(found.key), words, brief, f"screen.{found.action}", found.tooltip)
        for id_, words, brief in wanted
        if (found := bindings.get(id_)) is not None
    ]


def short_key(binding: str) -> str:
    """A key as the foot shows it."""
    name = shown(binding).replace("Escape", "Esc")
    return f"Shift+{name}" if len(binding) == 1 and binding.isupper() else name
