"""What differs between two transcripts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voxtui.events import Segment, SegmentKind, Word
from voxtui.session import difference as module
from voxtui.session.difference import Side, difference


def spoken(*paragraphs: str, shift_s: float = 0.0) -> list[Segment]:
    out, at_s = [], shift_s
    for paragraph in paragraphs:
        words = []
        start_s = at_s
        for word in paragraph.split():
            at_s += 0.4
            words.append(Word(f" {word}", round(at_s, 3)))
        out.append(Segment(SegmentKind.SPEECH, start_s, at_s, 0.0, tuple(words)))
        at_s += 2
    return out


def words_of(found: module.Difference, *sides: Side) -> list[str]:
    pieces = (piece for line in found.lines for piece in line.pieces)
    return [word for piece in pieces if piece.side in sides for word in piece.text.split()]


def test_a_word_for_another() -> None:
    found = difference(spoken("turn the light of", "please"), spoken("turn the lights off please"))
    assert (found.removed, found.added, found.kept) == (2, 2, 3)
    first, second = found.lines
    assert [(piece.side.value, piece.text) for piece in first.pieces] == [
        ("both", "turn the"),
        ("old", "light of"),
        ("new", "lights off"),
    ]
    assert (second.changed, second.at_s) == (False, 3.6)


def test_nothing_differs() -> None:
    found = difference(spoken("one two", "three"), spoken("one two three"))
    assert found.same
    assert [line.changed for line in found.lines] == [False, False]


def test_from_nothing_and_to_nothing() -> None:
    assert difference([], []).lines == ()
    (line,) = difference([], spoken("one")).lines
    assert line.pieces == (module.Piece(Side.NEW, "one"),)
    assert difference(spoken("one"), []).removed == 1


few = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=9).map(" ".join), max_size=6)


@given(few, few)
def test_both_can_be_read_from_it(old: list[str], new: list[str]) -> None:
    found = difference(spoken(*old), spoken(*new))
    assert words_of(found, Side.BOTH, Side.OLD) == " ".join(old).split()
    assert words_of(found, Side.BOTH, Side.NEW) == " ".join(new).split()
    assert found.kept + found.removed == len(" ".join(old).split())


def test_long_ones_are_compared_in_parts() -> None:
    words = [f"w{number % 97}x{number}" for number in range(20_000)]
    changed = list(words)
    for at in range(500, 20_000, 1000):
        changed[at] = "other"
    del changed[7000:7003]
    old = spoken(*[" ".join(words[at : at + 40]) for at in range(0, len(words), 40)])
    new = spoken(*[" ".join(changed[at : at + 40]) for at in range(0, len(changed), 40)])
    found = difference(old, new)
    assert (found.removed, found.added) == (23, 20)
    assert words_of(found, Side.BOTH, Side.NEW) == changed
