"""Rows against a plain reference; and what was settled never changes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.support import speech
from voxtui.events import Segment, SegmentKind, TranscriptChanged, Word
from voxtui.printable import printable
from voxtui.ui.widgets.fitting import fit, shorten
from voxtui.ui.widgets.keybar import KeyItem, fit_keys
from voxtui.ui.widgets.page import Page
from voxtui.ui.widgets.wrapping import wrap

LATIN = st.text(alphabet="abcdefghij   éß-", max_size=120)
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


def reference(text: str, width: int) -> list[str]:
    """Greedy, word by word, in the plainest way."""
    rows: list[str] = []
    row = ""
    at = 0
    while at < len(text):
        spaces = len(text) - at - len(text[at:].lstrip(" "))
        word = text[at + spaces :].split(" ", maxsplit=1)[0]
        gap = " " * spaces
        at += spaces + len(word)
        if not word:
            break
        if row and len(row) + len(gap) + len(word) <= width:
            row += gap + word
            continue
        if row:
            rows.append(row)
        while len(word) > width:
            rows.append(word[:width])
            word = word[width:]
        row = word
    return [*rows, row] if row else rows


@given(LATIN, st.integers(1, 40))
def test_rows_are_those_of_the_reference(text: str, width: int) -> None:
    assert [text[a:b] for a, b in wrap(text, width)] == reference(text, width)


@given(ANY, st.integers(2, 40))
def test_rows_of_any_script_fit_and_lose_nothing(text: str, width: int) -> None:
    text = printable(text)
    rows = wrap(text, width)
    for start, end in rows:
        assert text[start:end].strip() == text[start:end] != ""
        assert cell_len(text[start:end]) <= width or end - start == 1
    assert "".join(text[a:b] for a, b in rows).replace(" ", "") == "".join(text.split())
    assert all(not text[a[1] : b[0]].strip() for a, b in pairwise(rows))


@given(LATIN, LATIN, st.integers(1, 40))
def test_more_text_changes_no_row_but_the_last(text: str, more: str, width: int) -> None:
    assert wrap(text + more, width)[: max(0, len(wrap(text, width)) - 1)] == wrap(text, width)[:-1]


def test_clean_leaves_nothing_that_moves_the_cursor() -> None:
    assert printable("a\x1b[31mb\tc\r\nd\u2028e\x00f\x9bg\u202eh\ud800") == "a[31mb c  d efgh"


def test_scripts_without_spaces_break_anywhere_but_before_their_stops() -> None:
    text = "今日は良い天気です。"
    assert [text[a:b] for a, b in wrap(text, 9)] == ["今日は良", "い天気で", "す。"]


# ---- the page

SPOKEN = st.lists(
    st.lists(st.text(alphabet="abcde", min_size=1, max_size=9), min_size=1, max_size=25),
    min_size=1,
    max_size=6,
)


def visible(page: Page) -> list[str]:
    rows = (page.row(y) for y in range(page.row_count))
    return [page.text_of(row) for row in rows if row is not None]


def spoken(words: list[str], start_s: float) -> Segment:
    said = tuple(Word(" " + w, start_s + 0.2 * (i + 1)) for i, w in enumerate(words))
    return Segment(SegmentKind.SPEECH, start_s, said[-1].end_s, 1e9 + start_s, said)


@settings(max_examples=60)
@given(SPOKEN, st.integers(8, 40), st.data())
def test_what_was_read_never_moves(paragraphs: list[list[str]], width: int, data: st.Data) -> None:
    page = Page(width, lambda wall: "")
    at = 0.0
    for words in paragraphs:
        flows_on = data.draw(st.booleans())
        at += 0.1 if flows_on else 2.0
        for count in range(1, len(words) + 1):
            before = visible(page)
            page.change(TranscriptChanged((), spoken(words[:count], at)))
            after = visible(page)
            assert after[: max(0, len(before) - 1)] == before[:-1]
        before = visible(page)
        segment = spoken(words, at)
        page.change(TranscriptChanged((segment,)))
        assert visible(page) == before, "settling moves nothing"
        at = segment.end_s


@settings(max_examples=60)
@given(SPOKEN, st.integers(8, 40), st.integers(8, 40), st.booleans())
def test_another_width_is_as_if_written_anew(
    paragraphs: list[list[str]], width: int, other: int, with_tail: bool
) -> None:
    def write(page: Page) -> None:
        at = 0.0
        for words in paragraphs:
            segment = spoken(words, at)
            page.change(TranscriptChanged((segment,)))
            at = segment.end_s + 2
        if with_tail:
            page.change(TranscriptChanged((), spoken(["tail"] * 9, at)))

    page, fresh = Page(width, lambda wall: ""), Page(other, lambda wall: "")
    write(page)
    write(fresh)
    page.rewrap(other, 0)
    while page.unfinished:
        page.refine()
    assert visible(page) == visible(fresh)


def test_a_cut_in_the_middle_of_speech_does_not_show() -> None:
    page = Page(30, lambda wall: "")
    whole = "one two three four five six seven eight nine ten eleven twelve"
    page.change(TranscriptChanged((), speech(whole)))
    before = visible(page)
    first = speech("one two three four five six seven")
    page.change(TranscriptChanged((first,), speech("eight nine ten eleven twelve", first.end_s)))
    assert visible(page) == before
    page.change(TranscriptChanged((speech("eight nine ten eleven twelve", first.end_s),)))
    assert visible(page) == before


def test_two_utterances_are_two_paragraphs_however_quick() -> None:
    page = Page(30, lambda wall: "")
    first = speech("light on")
    page.change(TranscriptChanged((first,)))
    page.change(TranscriptChanged((), speech("light off", first.end_s + 0.1, 1_767_000_700)))
    assert visible(page) == ["light on", "", "light off"]


def test_a_long_page_is_laid_out_in_slices_and_the_reader_stays() -> None:
    page = Page(40, lambda wall: "")
    segments = tuple(speech(f"paragraph {n} " + "word " * 30, n * 60) for n in range(2000))
    page.change(TranscriptChanged(segments))
    assert page.row_count == 2000 * 6 - 1
    page.rewrap(25, 1000)
    y = page.find_row(1000)
    page.make_exact(y, 20)
    assert page.unfinished, "at first only what is around the reader"
    row = page.row(page.find_row(1000))
    assert row is not None
    assert page.text_of(row) == "paragraph 1000 word word"
    while page.unfinished:
        page.refine()
    fresh = Page(25, lambda wall: "")
    fresh.change(TranscriptChanged(segments))
    assert visible(page) == visible(fresh)
    assert page.find_row(1000) == fresh.find_row(1000)


# ---- one line


@given(st.lists(st.text(alphabet="abc ", min_size=1, max_size=20), max_size=5), st.integers(1, 60))
def test_a_fitted_line_fits(phrases: list[str], width: int) -> None:
    assert cell_len(fit(phrases, width)) <= width


@given(ANY, st.integers(0, 30))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    assert cell_len(shorten(text, width)) <= width


@given(st.integers(1, 120))
def test_keys_fit_and_help_stays(width: int) -> None:
    items = [KeyItem(k, f"{k} and more words", f"{k} word", "x") for k in ("L", "C", "M", "S", "?")]
    line = ""
    for key, words, gap in fit_keys(items, width):
        line += (gap if line else "") + key + (f" {words}" if words else "")
    assert len(line) <= width
    assert "?" in line
