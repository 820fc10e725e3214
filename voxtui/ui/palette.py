"""The command palette: how it looks, and all that a screen's keys do."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import App, SystemCommand
from textual.screen import Screen

CSS = """
CommandPalette {
    & > Vertical { max-width: 84; margin: 2 2 1 2; background: $panel; }
    & #--input, & #--input.--list-visible { border: none; padding: 1 0 0 0; }
    & SearchIcon { display: none; }
    & CommandInput, & CommandInput:focus { padding: 0; margin-left: 1; }
    & CommandList, & CommandList:focus { border: none; background: $panel; }
}
"""


def commands(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """Everything that a key does on this screen."""
    seen = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id and binding.description and binding.id not in seen:
            seen.add(binding.id)
            action = binding.action if "." in binding.action else f"screen.{binding.action}"
            yield SystemCommand(
                binding.description.capitalize(),
                binding.tooltip,
                lambda action=action: app.call_later(app.run_action, action, screen),
            )
