"""Rules for words: offered after a correction, and on a page of their own."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tests.ui.running import running, said, settled, tell
from tests.ui.support import FakeBackend, FrozenClock, speech
from tests.ui.test_reading import view_of
from voxtui import paths, vocabulary
from voxtui.events import TranscriptChanged
from voxtui.ui.screens.ruling import OFFER_S
from voxtui.ui.screens.vocabulary import VocabularyScreen
from voxtui.vocabulary import Rule


def rules() -> tuple[Rule, ...]:
    return vocabulary.load(paths.vocabulary_file())[0].rules


async def correct(pilot: Pilot[None], heard: str, meant: str) -> None:
    """Edit the last paragraph's last word."""
    view_of(pilot).move_cursor("end", -1)
    await pilot.press("e", "end", *["backspace"] * len(heard), *meant, "enter")
    await settled(pilot)


async def test_a_correction_becomes_a_rule() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await tell(pilot, TranscriptChanged((speech("we use kubernetties"),)))
        await correct(pilot, "kubernetties", "Kubernetes")
        assert "W always writes “Kubernetes” for “kubernetties”" in said(pilot)
        await pilot.press("w")
        assert rules() == (Rule("kubernetties", "Kubernetes"),)
        assert backend.calls[-1] == ("reread_vocabulary",)
        assert "From now on" in said(pilot)
        await pilot.press("w")
        assert isinstance(pilot.app.screen, VocabularyScreen), "the offer was taken"


async def test_an_offer_is_over_after_a_while() -> None:
    clock = FrozenClock()
    async with running(FakeBackend(), clock=clock) as pilot:
        await tell(pilot, TranscriptChanged((speech("we use kubernetties"),)))
        await correct(pilot, "kubernetties", "Kubernetes")
        clock.now += OFFER_S
        await pilot.press("w")
        assert isinstance(pilot.app.screen, VocabularyScreen)
        assert rules() == ()


async def test_what_can_be_no_rule_is_not_offered() -> None:
    async with running(FakeBackend()) as pilot:
        await tell(pilot, TranscriptChanged((speech("one two"),)))
        await correct(pilot, "two", "a=b")
        assert "W always" not in said(pilot)


async def test_rules_by_hand() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("w")
        page = pilot.app.screen
        assert isinstance(page, VocabularyScreen)
        await pilot.press(*"vox tree = Voxtral", "enter", *"um =", "enter")
        assert rules() == (Rule("vox tree", "Voxtral"), Rule("um", ""))
        assert page.query_one(OptionList).option_count == 2
        await pilot.press(*"nonsense", "enter")
        assert page.query_one(Input).value == "nonsense", "what is wrong stays, to be put right"
        assert rules() == (Rule("vox tree", "Voxtral"), Rule("um", ""))
        await pilot.press("down", "home", "enter")
        assert page.query_one(Input).value == "vox tree = Voxtral"
        await pilot.press("down", "home", "delete")
        assert rules() == (Rule("um", ""),)
        await pilot.press("escape")
        assert backend.calls[-1] == ("reread_vocabulary",)


async def test_nothing_changed_asks_for_nothing() -> None:
    backend = FakeBackend()
    async with running(backend) as pilot:
        await pilot.press("w", "escape")
        assert ("reread_vocabulary",) not in backend.calls


async def test_a_file_that_cannot_be_written_is_told() -> None:
    paths.vocabulary_file().parent.parent.mkdir(parents=True, exist_ok=True)
    paths.vocabulary_file().parent.write_text("a file where the folder should be")
    async with running(FakeBackend()) as pilot:
        await pilot.press("w", *"a = b", "enter")
        assert "Cannot" in str(pilot.app.screen.query_one("#told").render())
