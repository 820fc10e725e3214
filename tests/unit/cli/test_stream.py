"""Words on a stream: whatever is taken back and comes again is written once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.cli.stream import TextStream
from voxtui.events import Segment, SegmentKind, TokenText, TranscriptChanged, Word
from voxtui.session.transcript import Transcript
from voxtui.vocabulary import Rule, Vocabulary


def said(*texts: str) -> Segment:
    words = tuple(Word(text, float(n)) for n, text in enumerate(texts))
    return Segment(SegmentKind.SPEECH, 0.0, 1.0, 0.0, words)


class Paper:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.stream = TextStream(self.pieces.append)

    def tail(self, *texts: str) -> None:
        self.stream.change(TranscriptChanged((), said(*texts) if texts else None))

    def settle(self, *texts: str, tail: tuple[str, ...] = ()) -> None:
        self.stream.change(TranscriptChanged((said(*texts),), said(*tail) if tail else None))


def test_words_are_written_as_they_come() -> None:
    paper = Paper()
    paper.tail(" one")
    paper.tail(" one", " kit")
    paper.tail(" one", " kitchen")
    paper.settle(" one", " kitchen")
    paper.tail(" two")
    paper.stream.finish()
    paper.stream.finish()
    assert paper.pieces == ["one", " kit", "chen", "\n", "two", "\n"]


def test_a_paragraph_cut_out_of_running_speech_stays_on_its_line() -> None:
    paper = Paper()
    paper.tail(" a", " b", " c")
    paper.settle(" a", " b", tail=(" c", " d"))
    paper.settle(" c", " d")
    assert "".join(paper.pieces) == "a b c d\n"


def test_words_that_a_rule_may_be_about_wait() -> None:
    pieces: list[str] = []
    stream = TextStream(pieces.append, Vocabulary([Rule("cooper netties", "Kubernetes")]))
    for text in (("use", " coop"), ("use", " cooper"), ("use", " cooper", " netties")):
        stream.change(TranscriptChanged((), said(*text)))
    assert pieces == ["use"]
    stream.change(TranscriptChanged((), said("use", " Kubernetes", " co")))
    stream.change(TranscriptChanged((said("use", " Kubernetes", " cold"),)))
    assert "".join(pieces) == "use Kubernetes cold\n"


def test_what_is_taken_back_and_comes_again_is_written_once() -> None:
    paper = Paper()
    paper.tail(" a", " b")
    paper.tail()
    paper.tail(" a")
    paper.tail(" a", " b", " c")
    paper.stream.finish()
    assert "".join(paper.pieces) == "a b c\n"


def test_other_words_than_before_are_on_a_new_line() -> None:
    paper = Paper()
    paper.tail(" a", " b")
    paper.tail(" a", " x")
    paper.stream.finish()
    assert "".join(paper.pieces) == "a b\na x\n"


def test_notes_and_gaps_are_no_words() -> None:
    paper = Paper()
    paper.stream.change(TranscriptChanged((Segment(SegmentKind.NOTE, 0, 0, 0, note="n"),)))
    assert paper.pieces == []


@given(st.lists(st.tuples(st.sampled_from([1, 3, 5, 20]), st.integers(0, 30)), max_size=150))
@settings(max_examples=60, deadline=None)
def test_all_words_once_and_in_order(steps: list[tuple[int, int]]) -> None:
    transcript, paper = Transcript(), Paper()
    tokens, number, at = [], 0, 0
    for step, what in steps:
        at += step
        tokens.append(TokenText(f" w{number}", at * 0.08, True, 1.0))
        number += 1
        replay = tokens[-1:]
        if what == 0:
            transcript.retract(transcript.settled_s)
            replay = [t for t in tokens if t.time_s > transcript.settled_s]
            paper.stream.change(TranscriptChanged((), transcript.tail))
        for token in replay:
            transcript.token(token)
            paper.stream.change(TranscriptChanged(transcript.take_settled(), transcript.tail))
    transcript.finish()
    paper.stream.change(TranscriptChanged(transcript.take_settled(), None))
    paper.stream.finish()
    written = "".join(paper.pieces)
    assert written.split() == [f"w{n}" for n in range(number)]
