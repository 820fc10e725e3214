"""What a search finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxtui.session.matching import Query, folded, snippet, words_of


def places(query: str, text: str) -> list[str]:
    return [text[begin:end] for begin, end in Query.parse(query).spans(text)]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("li", "Light the LIST, please", ["Light", "LIST"]),
        ("emile", "Émile est là", ["Émile"]),
        ("É", "emile Emile", ["emile", "Emile"]),
        ("strasse", "Die Straße", ["Straße"]),
        ("oresund", "Øresund", ["Øresund"]),
        ('"light off"', "light off. Light, off! light offer", ["light off", "Light, off"]),
        ('"light of', "light offer", ["light offer"]),
        ("don't", "I don’t know; don test", ["don’t", "don test"]),
        ("議室", "会議室で", ["議室"]),
        ("हिन्", "यह हिन्दी है", ["हिन्दी"]),
        ("سلام", "قال سَلام", ["سَلام"]),
        ("прив", "Привет", ["Привет"]),
        ("가", "가나 나가", ["가나"]),
        ("b a", "a b", ["a", "b"]),
        ("- ? !", "a - b", []),
        ("", "a", []),
    ],
)
def test_found(query: str, text: str, found: list[str]) -> None:
    assert places(query, text) == found


def test_all_words_somewhere_a_phrase_in_one_paragraph() -> None:
    paragraphs = [folded("The light is on."), folded("Off we go.")]
    assert Query.parse("light off").among(paragraphs)
    assert not Query.parse('"on off"').among(paragraphs)
    assert not Query.parse("light dark").among(paragraphs)


@given(st.text(max_size=80))
def test_every_word_of_a_text_finds_it_again(text: str) -> None:
    for word, begin, end in words_of(text):
        assert word
        query = Query.parse(text[begin:end])
        assert query.touches(folded(text))
        spans = query.spans(text)
        assert any(a <= begin and end <= b for a, b in spans)
        assert all(a < b for a, b in spans)


@given(st.text(max_size=300), st.text(min_size=1, max_size=3), st.integers(8, 100))
def test_a_snippet_holds_the_first_place(text: str, word: str, room: int) -> None:
    spans = Query.parse(word).spans(text)
    short, moved = snippet(text, spans, room)
    assert short.strip("…") in text
    assert len(moved) <= len(spans)
    if spans:
        (a, b), (c, d) = spans[0], moved[0]
        assert short[c:d] == text[a:b]
