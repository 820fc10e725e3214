"""Text that only grows, also when the engine is started again in the middle."""

from __future__ import annotations

from voxtui.events import TokenText, WordsRetracted
from voxtui.serve.deltas import Growing


def token(text: str, time_s: float) -> TokenText:
    return TokenText(text, time_s, text.startswith(" "), 0.9)


SAID = [token(" one", 0.5), token(" two", 0.9), token("fold", 0.9), token(" three", 1.4)]


def test_it_begins_without_a_space() -> None:
    growing = Growing()
    assert [growing.token(t) for t in SAID] == ["one", " two", "fold", " three"]
    assert growing.text == "one twofold three"


def test_words_that_come_again_are_told_once() -> None:
    for cut in range(len(SAID) + 1):
        growing = Growing()
        told = [growing.token(t) for t in SAID[:cut]]
        growing.retracted(WordsRetracted(0.0, "the engine is started again"))
        told += [growing.token(t) for t in SAID]
        assert "".join(told) == growing.text == "one twofold three"


def test_only_what_was_not_settled_comes_again() -> None:
    growing = Growing()
    for said in SAID[:3]:
        growing.token(said)
    growing.retracted(WordsRetracted(0.5, "the engine is started again"))
    for said in SAID[1:]:
        growing.token(said)
    assert growing.text == "one twofold three"
