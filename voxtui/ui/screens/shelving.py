"""The way from the live screen to the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui.screens.frame import PageFrame

if TYPE_CHECKING:
    from voxtui.ui.screens.library_again import LibraryScreen

NAME = "library"


class Shelving(PageFrame):
    """Opens the library; what is being said goes on meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b,B", "library", "library", id="library", tooltip="All sessions, and search"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.library: LibraryScreen | None = None

    def action_library(self) -> None:
        """All sessions."""
        root = self.backend.sessions_dir
        if self.library is not None and self.library.root != root and not self.library.busy:
            self.app.uninstall_screen(NAME)
            self.library.remove()
            self.library = None
        if self.library is None:
            from voxtui.ui.screens.library_again import LibraryScreen  # not before it is wanted

            self.library = LibraryScreen(root, self, self._copier)
            self.app.install_screen(self.library, NAME)  # stays, so that its work goes on
        self.app.push_screen(NAME)
