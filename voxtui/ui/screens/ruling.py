"""Rules for words: offered when something was put right, and all of them on a page."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from voxtui import paths
from voxtui.ui import messages
from voxtui.ui.screens.frame import PageFrame

OFFER_S = 15.0
"""So long a rule is offered after something was put right."""


class Ruling(PageFrame):
    """The vocabulary: one key for the rule that is offered, or for all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "w,W",
            "rules",
            "vocabulary",
            show=False,
            id="rules",
            tooltip="What is heard and what is meant",
        ),
    ]

    _offer: tuple[str, str, float] | None = None  # heard, meant, until when

    def on_corrected(self, message: messages.Corrected) -> None:
        """Offer a rule, where the words can be one."""
        from voxtui import vocabulary

        heard, meant = message.heard, message.meant
        if not vocabulary.can_be_rule(heard, meant):
            return
        self._offer = (heard, meant, self._clock() + OFFER_S)
        key = self.key_for("rules")
        self.say(f"Changed. {key} always writes “{meant}” for “{heard}”.", seconds=OFFER_S)

    def action_rules(self) -> None:
        """Keep the rule that is offered; without one, show all of them."""
        offer, self._offer = self._offer, None
        if offer is not None and self._clock() < offer[2]:
            self._keep(offer[0], offer[1])
            return
        from voxtui.ui.screens.vocabulary import VocabularyScreen

        self.app.push_screen(VocabularyScreen(paths.vocabulary_file()), self._back)

    def _keep(self, heard: str, meant: str) -> None:
        from voxtui import vocabulary

        try:
            vocabulary.add(paths.vocabulary_file(), heard, meant)
        except vocabulary.VocabularyError as error:
            self.say(str(error), seconds=12.0, warning=True)
            return
        self.backend.reread_vocabulary()
        self.say(f"From now on “{heard}” is written “{meant}”, here and in what comes.")

    def _back(self, changed: bool | None) -> None:
        if changed:
            self.backend.reread_vocabulary()
