"""Exports keep to their standards, whatever was said."""

from __future__ import annotations

import html
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voxtui.events import Alternative, Segment, SegmentKind, Word
from voxtui.session.cues import LINE, LINES, LONGEST_MS, cues
from voxtui.session.exports import FORMATS, export
from voxtui.session.meta import SessionMeta

META = SessionMeta(engine="voxtral_c", model="tiny", source="Mic", started=1795340000.0)


def speech(*words: tuple[str, float], start_s: float = 0.0) -> Segment:
    made = tuple(Word(text, end_s) for text, end_s in words)
    return Segment(SegmentKind.SPEECH, start_s, made[-1].end_s, 1795340000.0 + start_s, made)


NOTE = Segment(SegmentKind.NOTE, 1.2, 1.2, 1795340001.2, note="decide --> now")
GAP = Segment(SegmentKind.GAP, 9.0, 9.0, 1795340009.0, note="2.0 s of sound missing here: overflow")
SAID = (
    speech((" One", 0.5), (" light.", 0.9)),
    GAP,
    speech((" a", 3.5), (" <b>", 3.8), (" & c", 4.0), start_s=3.2),
    NOTE,
)


def test_text_is_a_line_a_paragraph_in_the_order_of_time() -> None:
    assert export(SAID, "txt", META) == (
        "One light.\n[mark: decide --> now]\na <b> & c\n[2.0 s of sound missing here: overflow]\n"
    )


def test_markdown() -> None:
    text = export(SAID, "md", META)
    assert text.startswith("# ")
    assert "** a \\<b> & c\n" in text
    assert "> ▸ mark: decide --> now\n" in text
    assert "*[2.0 s of sound missing here: overflow]*\n" in text


def test_srt() -> None:
    assert export(SAID, "srt", META) == (
        "1\n00:00:00,320 --> 00:00:01,320\nOne light.\n\n"
        "2\n00:00:03,440 --> 00:00:04,440\na <\u2060b> & c\n\n"
    )


def test_vtt_escapes_and_keeps_notes_as_comments() -> None:
    assert export(SAID, "vtt", META) == (
        "WEBVTT\n\n"
        "00:00:00.320 --> 00:00:01.320\nOne light.\n\n"
        "NOTE [mark: decide → now]\n\n"
        "00:00:03.440 --> 00:00:04.440\na &lt;b&gt; &amp; c\n\n"
        "NOTE [2.0 s of sound missing here: overflow]\n\n"
    )


def test_hours_and_minutes() -> None:
    text = export([speech((" late", 3723.456), start_s=3723.0)], "srt", META)
    assert "01:02:03,216 --> 01:02:04,216" in text


def test_json() -> None:
    word = Word(" é", 0.5, 0.9, (Alternative(" e", 0.1),))
    text = export([Segment(SegmentKind.SPEECH, 0.1, 0.5, 5.0, (word,)), NOTE], "json", META)
    assert "é" in text
    value = json.loads(text)
    assert value["session"]["model"] == "tiny"
    assert value["segments"][0] == {
        "kind": "speech",
        "start": 0.1,
        "end": 0.5,
        "wall_time": 5.0,
        "text": "é",
        "words": [
            {
                "text": " é",
                "end": 0.5,
                "probability": 0.9,
                "alternatives": [{"text": " e", "probability": 0.1}],
            }
        ],
    }
    assert value["segments"][1]["text"] == "decide --> now"


@pytest.mark.parametrize("fmt", FORMATS)
def test_nothing_said(fmt: str) -> None:
    assert isinstance(export([], fmt, SessionMeta()), str)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="docx"):
        export([], "docx", META)


def test_a_sentence_and_a_pause_end_a_cue() -> None:
    sentence = "This sentence has more than forty characters."
    words = [(f" {text}", 0.3 * n) for n, text in enumerate(sentence.split(), 1)]
    found = cues([speech(*words, (" Next", 2.8), (" later", 4.5))])
    assert [cue.lines for cue in found] == [
        ("This sentence has more than forty", "characters."),
        ("Next",),
        ("later",),
    ]


def test_a_long_word_is_cut() -> None:
    found = cues([speech((" " + "x" * 200, 5.0))])
    assert "".join(line for cue in found for line in cue.lines) == "x" * 200


spoken = st.lists(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("abcdefgh <>&-.?🙂漢\n"), max_size=60).map(lambda t: " " + t),
            st.sampled_from([0.0, 0.08, 0.16, 0.4, 0.4, 0.9, 5.0, 20.0]),
        ),
        min_size=1,
        max_size=30,
    ),
    max_size=4,
)


@example([[(" <", 0.0)], [(" ", 0.08)], [(" <<", 0.9)]])  # a paragraph of blanks
@given(spoken)
@settings(max_examples=100, deadline=None)
def test_cues_of_anything(paragraphs: list[list[tuple[str, float]]]) -> None:
    segments, at_s = [], 0.0
    for paragraph in paragraphs:
        start_s, words = at_s, []
        for text, step in paragraph:
            at_s += step
            words.append((text, round(at_s, 3)))
        segments.append(speech(*words, start_s=round(start_s, 3)))
    found = cues(segments)
    before = 0
    for cue in found:
        assert before <= cue.start_ms < cue.end_ms <= cue.start_ms + LONGEST_MS
        before = cue.end_ms
        assert 1 <= len(cue.lines) <= LINES
        assert all(0 < len(line) <= LINE for line in cue.lines)
    shown = "".join(line for cue in found for line in cue.lines)
    said = "".join(word.text for s in segments for word in s.words)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", said)

    vtt = export(segments, "vtt", META)
    head, *blocks = vtt.removesuffix("\n\n").split("\n\n")
    assert head == "WEBVTT"
    assert len(blocks) == len(found)
    for block, cue in zip(blocks, found, strict=True):
        timing, *lines = block.split("\n")
        assert re.fullmatch(r"\d\d+:\d\d:\d\d\.\d{3} --> \d\d+:\d\d:\d\d\.\d{3}", timing)
        assert tuple(html.unescape(line) for line in lines) == cue.lines
        assert not any("-->" in line or "<" in line for line in lines)
    srt = export(segments, "srt", META)
    assert srt.count(" --> ") == len(found)
