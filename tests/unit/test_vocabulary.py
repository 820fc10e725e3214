"""What the model writes becomes what is meant."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtui import vocabulary
from voxtui.events import Segment, SegmentKind, Word
from voxtui.vocabulary import Rule, Vocabulary, VocabularyError


def words(text: str, step_s: float = 1.0) -> tuple[Word, ...]:
    """` one two`: words that end a second apart."""
    return tuple(
        Word(" " + word, step_s * number, 0.5 + number / 100)
        for number, word in enumerate(text.split(), 1)
    )


def segment(text: str) -> Segment:
    return Segment(SegmentKind.SPEECH, 0.5, 9.0, 0.0, words(text))


def rewrite(rules: str, text: str) -> str:
    known, problems = vocabulary.parse(rules)
    assert problems == []
    return known.applied(segment(text)).text


@pytest.mark.parametrize(
    ("rules", "heard", "written"),
    [
        (
            "cooper netties, kubernetties = Kubernetes",
            "use cooper netties now",
            "use Kubernetes now",
        ),
        ("cooper netties, kubernetties = Kubernetes", "Kubernetties, please", "Kubernetes, please"),
        ("vox tree = vox three", "Vox tree is here", "Vox three is here"),
        ("i phone = iPhone", "I phone, you phone", "iPhone, you phone"),
        ("um, uh =", "well um I uh, know", "well I know"),
        ("new york = NYC", "in (new york).", "in (NYC)."),
        ("new york = NYC", "something new, york ham", "something new, york ham"),
        ("new = old\nnew york = NYC", "new york and new shoes", "NYC and old shoes"),
        ("a b = x\nA B = y", "a b", "x"),
        ("straße = street", "STRASSE Straße", "Street Street"),
        ("cafe = coffee", "café cafe", "café coffee"),
        ("e-mail = email", "an E-mail!", "an Email!"),
        ("don't = do not", "I don't.", "I do not."),
        ("per cent = %", "5 per cent?", "5 %?"),
    ],
)
def test_rules(rules: str, heard: str, written: str) -> None:
    assert rewrite(rules, heard) == written


def test_what_fits_no_rule_is_the_very_same() -> None:
    known = Vocabulary([Rule("a", "b")])
    before = segment("nothing of that")
    assert known.applied(before) is before
    note = Segment(SegmentKind.NOTE, 0, 0, 0, note="a")
    assert known.applied(note) is note


def test_the_new_words_have_the_time_of_the_old_ones() -> None:
    known = Vocabulary([Rule("b c", "x y z")])
    after = known.applied(segment("a b c d"))
    assert [w.text for w in after.words] == [" a", " x", " y", " z", " d"]
    assert [w.end_s for w in after.words] == [1.0, 1.667, 2.333, 3.0, 4.0]
    assert after.words[1].probability == pytest.approx(0.52)


@given(st.lists(st.text("ab ,.", max_size=4)), st.text("ab ,.", max_size=30))
def test_times_never_run_backwards(written: list[str], heard: str) -> None:
    known = Vocabulary([Rule(h, w) for h, w in zip(("a", "b a", "ab"), written, strict=False)])
    made = known.rewritten(words(heard))
    assert all(a.end_s <= b.end_s for a, b in pairwise(made))
    assert not made or made[-1].end_s <= len(heard.split())


# ---- the file ----------------------------------------------------------------------------


def test_a_wrong_line_is_named_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_text("\ufeff# remark\nvox tree = Voxtral\njust words\n, = x\n", "utf-8")
    known, problems = vocabulary.load(path)
    assert known.rules == (Rule("vox tree", "Voxtral"),)
    assert [p.split(": ")[0] for p in problems] == [f"{path}, line 3", f"{path}, line 4"]


def test_no_file_is_no_rules(tmp_path: Path) -> None:
    assert vocabulary.load(tmp_path / "none") == (Vocabulary(), [])


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(b"a = \xff\xfe")
    known, problems = vocabulary.load(path)
    assert not known
    assert "UTF-8" in problems[0]


def test_adding_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "vocabulary.txt"
    assert vocabulary.add(path, "vox tree", "Voxtral")
    assert not vocabulary.add(path, "vox  tree", "Voxtral")
    path.write_text(path.read_text() + "# mine\na, b = c\n")
    assert vocabulary.add(path, "B", "d")
    lines = path.read_text().splitlines()
    assert lines[-4:] == ["vox tree = Voxtral", "# mine", "a = c", "B = d"]
    assert vocabulary.remove(path, "A")
    assert not vocabulary.remove(path, "A")
    assert vocabulary.load(path)[0].rules == (Rule("vox tree", "Voxtral"), Rule("B", "d"))
    assert path.read_text().startswith("# What voxtui hears")


@pytest.mark.parametrize(
    ("heard", "written"), [("", "x"), ("a, b", "x"), ("...", "x"), ("# a", "b")]
)
def test_what_is_no_rule_is_refused(tmp_path: Path, heard: str, written: str) -> None:
    with pytest.raises(VocabularyError):
        vocabulary.add(tmp_path / "vocabulary.txt", heard, written)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VocabularyError, match="Cannot"):
        vocabulary.add(tmp_path / "file" / "vocabulary.txt", "a", "b")
