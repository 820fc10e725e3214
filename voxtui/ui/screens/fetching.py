"""The models: the first page, the page of models, and the line of a download."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from voxtui.ui.desk import Desk, FetchTold
from voxtui.ui.screens.frame import PageFrame
from voxtui.ui.shelf import Ended
from voxtui.ui.widgets.fetchline import FetchLine

if TYPE_CHECKING:
    from voxtui.ui.screens.models import Outcome


class Fetching(PageFrame):
    """Keeps the desk of models, as long as the application runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g,G", "models", "models", id="models", tooltip="Models: get, check, choose"),
    ]

    def on_mount(self) -> None:
        """Offer the real model where there is none."""
        self.desk = Desk(self.backend.shelf, self.backend, self.preferences, self.post_message)
        if self._first_run:
            self.call_after_refresh(self._open, first_run=True)

    @property
    def _first_run(self) -> bool:
        shown = self.preferences.shown
        asked = shown.engine.model == "auto" and not shown.appearance.dismissed_first_run
        return self.backend.small_model and asked and not self._demo and not self.backend.hears_file

    def action_models(self) -> None:
        """The page of models."""
        self._open(first_run=False)

    def _open(self, first_run: bool) -> None:
        from voxtui.ui.screens.models import ModelsScreen  # not before it is wanted

        told = self.talking.hold_possible
        self.app.push_screen(
            ModelsScreen(self.desk, first_run=first_run, told_releases=told), self._chosen
        )

    def _chosen(self, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.settled:
            self.preferences.set("appearance", "dismissed_first_run", True)
        if outcome is not None and outcome.sentence:
            self.say(outcome.sentence, seconds=8.0)
        self.show_state()

    async def on_fetch_told(self, message: FetchTold) -> None:
        """A download went on, or ended."""
        from voxtui.ui.screens.models import ModelsScreen

        sentence, warning = self.desk.hear(message.told)
        line = self.query_one(FetchLine)
        line.title = self.desk.model.title if self.desk.model is not None else ""
        line.progress = self.desk.progress if self.desk.model is not None else None
        if sentence:
            self.say(sentence, seconds=60.0 if warning else 15.0, warning=warning)
        page = self.app.screen
        if isinstance(page, ModelsScreen):
            if isinstance(message.told, Ended):
                page.say(sentence, warning=warning)
                page.look_again()
            else:
                await page.show()
