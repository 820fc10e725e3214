"""Models while the application runs: the one download, and which model is used.

Lives as long as the application; the pages show its state and are told when it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from voxtui.models.progress import Phase, Progress
from voxtui.ui.backend import Backend, CannotStartError
from voxtui.ui.keys import shown, talk_key
from voxtui.ui.preferences import Preferences
from voxtui.ui.shelf import Ended, Shelf

if TYPE_CHECKING:
    from voxtui.models.catalog import KnownModel


class FetchTold(Message):
    """A download went on, or ended."""

    def __init__(self, told: Progress | Ended) -> None:
        super().__init__()
        self.told = told


class Desk:
    """Belongs to the event loop's thread; `post` is called from any."""

    def __init__(
        self,
        shelf: Shelf,
        backend: Backend,
        preferences: Preferences,
        post: Callable[[FetchTold], object],
    ) -> None:
        self.shelf = shelf
        self._backend = backend
        self._preferences = preferences
        self._post = post
        self._stop: Callable[[], None] | None = None
        self.model: KnownModel | None = None
        """What is being fetched."""
        self.progress = Progress(Phase.ASKING)

    @property
    def wanted(self) -> str:
        """The model that the settings name."""
        return self._preferences.shown.engine.model

    @property
    def talk_key(self) -> str:
        """The key to talk with, as people call it."""
        return shown(talk_key(self._preferences.shown.keys))

    def fetch(self, model: KnownModel) -> None:
        """Begin a download; one at a time."""
        if self.model is None:
            self.model = model
            self.progress = Progress(Phase.ASKING, total=model.size)
            self._stop = self.shelf.fetch(model, lambda told: self._post(FetchTold(told)))

    def stop(self) -> None:
        """Stop the download; what is here of it is kept."""
        if self._stop is not None:
            self._stop()

    def hear(self, told: Progress | Ended) -> tuple[str, bool]:
        """Take what a download says. Returns a sentence for the person, and is it a warning?"""
        model = self.model
        if model is None:
            return "", False
        if isinstance(told, Progress):
            self.progress = told
            return "", False
        self.model, self._stop = None, None
        if told.stopped:
            return told.problem, False
        if told.problem:
            return told.problem, True
        return self.use(model.name, model.title)

    def use(self, name: str, title: str) -> tuple[str, bool]:
        """Go on with this model, and keep the choice. Returns what to say, and is it a warning?"""
        spec = "auto" if name == self.shelf.auto_name() else name
        try:
            self._backend.use_model(spec)
        except CannotStartError as error:
            return str(error), True
        problem = self._preferences.set("engine", "model", spec)
        return problem or f"{title} writes from now on.", bool(problem)
