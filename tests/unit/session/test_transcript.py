"""The reducer: whatever comes, settled words stay and no word is lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.events import Alternative, Segment, SegmentKind, TokenText, Word
from voxtui.session.transcript import (
    LONGEST_S,
    Step,
    Transcript,
    best_cut,
    rounded,
)
from voxtui.session.words import add_token, word_start_s


def token(text: str, time_s: float, start: bool = True, probability: float = 0.9) -> TokenText:
    return TokenText(text, time_s, start, probability)


def joined(segments: list[Segment] | tuple[Segment, ...]) -> str:
    return "".join(word.text for segment in segments for word in segment.words)


def whole(transcript: Transcript) -> str:
    tail = transcript.tail
    return joined([*transcript.segments, *([tail] if tail else [])])


# ---- one rule after the other ------------------------------------------------------------


def test_pieces_of_a_word_become_one_word() -> None:
    transcript = Transcript()
    transcript.token(token(" kit", 1.0))
    transcript.token(token("chen", 1.08, start=False, probability=0.5))
    transcript.token(token(".", 1.08, start=False))
    assert transcript.tail is not None
    assert transcript.tail.words == (Word(" kitchen.", 1.08, 0.5),)
    assert transcript.words == 1


def test_alternatives_of_a_later_piece_are_whole_words() -> None:
    words: list[Word] = []
    add_token(words, token(" kit", 1.0), 0.0)
    other = (Alternative("ten", 0.3),)
    add_token(words, TokenText("chen", 1.0, False, 0.6, other), 0.0)
    assert words[0].alternatives == (Alternative(" kitten", 0.3),)


def test_alternatives_of_an_earlier_piece_are_only_beginnings() -> None:
    words: list[Word] = []
    others = (Alternative(" chick", 0.3), Alternative(" cat", 0.1))
    add_token(words, TokenText(" kit", 1.0, True, 0.5, others), 0.0)
    assert all(other.whole for other in words[0].alternatives)
    add_token(words, token("chen", 1.0, start=False), 0.0)
    add_token(words, token(".", 1.0, start=False), 0.0)
    assert words[0].alternatives == (
        Alternative(" chick.", 0.3, whole=False),
        Alternative(" cat.", 0.1, whole=False),
    )


def test_a_word_that_could_have_been_over_is_an_alternative() -> None:
    words: list[Word] = []
    add_token(words, token(" light", 1.0), 0.0)
    others = (Alternative(" of", 0.3), Alternative(" on", 0.2), Alternative("s", 0.1))
    add_token(words, TokenText("er", 1.0, False, 0.4, others), 0.0)
    assert [other.text for other in words[0].alternatives] == [" light", " lights"]


def test_a_pause_settles() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    assert transcript.progress(2.1) == Step()
    step = transcript.progress(2.2)
    assert [segment.text for segment in step.settled] == ["one"]
    assert transcript.tail is None
    assert transcript.settled_s == 1.4


def test_a_pause_between_two_words_settles_without_any_progress() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    step = transcript.token(token(" two", 2.2))
    assert joined(step.settled) == " one"
    assert transcript.tail is not None
    assert transcript.tail.text == "two"


def test_a_slow_word_is_no_pause() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    step = transcript.token(token(" responsibility", 1.95))
    assert not step.settled


def test_late_punctuation_is_no_paragraph() -> None:
    transcript = Transcript()
    transcript.token(token(".", 1.0, start=False))
    assert transcript.progress(20.0) == Step()
    assert transcript.utterance_ended(20.0).settled[0].text == "."


def test_the_end_of_an_utterance_settles() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    assert joined(transcript.utterance_ended(1.5).settled) == " one"
    assert transcript.settled_s == 1.5
    assert transcript.utterance_ended(1.5) == Step()


def test_speech_without_a_pause_is_cut_at_a_sentence() -> None:
    transcript = Transcript()
    settled: list[Segment] = []
    for number in range(100):
        text = " end." if number == 50 else f" w{number}"
        settled += transcript.token(token(text, 0.4 + 0.4 * number)).settled
    assert settled[0].words[-1].text == " end."
    assert transcript.settled_s == settled[0].end_s
    assert transcript.tail is not None
    assert transcript.tail.end_s - transcript.tail.start_s <= LONGEST_S


def test_best_cut_without_sentences_takes_the_longest_silence() -> None:
    words = [Word(f" w{n}", n + (0.5 if n >= 20 else 0.0)) for n in range(31)]
    assert best_cut(words, 0.0) == 20
    assert best_cut([Word(" a", 1.0), Word(" b", 1.0)], 0.0) == 1


def test_words_of_no_duration_do_not_pile_up() -> None:
    transcript = Transcript()
    for _ in range(1000):
        transcript.token(token(" la", 1.0))
    assert len(transcript.tail.words if transcript.tail else ()) <= 401
    assert whole(transcript) == " la" * 1000


def test_a_stop_belongs_to_the_other_words_too() -> None:
    transcript = Transcript()
    other = (Alternative(" late", 0.2),)
    transcript.token(TokenText(" light", 1.0, True, 0.6, other))
    transcript.token(TokenText(".", 1.1, False, 0.99))
    assert transcript.tail is not None
    (word,) = transcript.tail.words
    assert (word.text, word.probability) == (" light.", 0.6)
    assert word.alternatives == (Alternative(" late.", 0.2),)


def spoken(*words: tuple[str, float]) -> Transcript:
    transcript = Transcript()
    for text, time_s in words:
        transcript.token(token(text, time_s))
    return transcript


def test_a_mark_waits_for_the_end_of_the_phrase() -> None:
    transcript = spoken((" turn", 1.0))
    step = transcript.insert(SegmentKind.NOTE, "here", 1.6, 99.0)
    assert (step.moved, step.settled) == (True, ())
    assert [segment.text for segment in transcript.waiting] == ["here"]
    transcript.token(token(" the", 1.5))
    transcript.token(token(" light", 1.9))
    assert transcript.progress(2.2).settled == (), "the phrase may go on"
    transcript.token(token(" on", 2.2))
    step = transcript.progress(3.1)
    assert [segment.text for segment in step.settled] == ["turn the light on", "here"]
    assert transcript.waiting == []
    assert transcript.tail is None


def test_a_mark_at_the_beginning_of_a_phrase_goes_before_it() -> None:
    transcript = spoken((" turn", 1.0), (" the", 1.3), (" light", 1.7), (" on", 2.0))
    step = transcript.insert(SegmentKind.NOTE, "here", 1.1, 99.0)
    assert [segment.text for segment in step.settled] == ["here"]
    assert step.settled[0].start_s <= 1.0 - 0.06 * 4 + 0.001, "not later than what follows it"
    assert transcript.tail is not None
    assert transcript.tail.text == "turn the light on"


def test_a_mark_goes_between_sentences_and_into_short_pauses() -> None:
    for second, time_s in ((" it", 2.0), (" it", 1.4)):
        transcript = spoken((" done.", 1.0), (second, time_s), (" works", time_s + 0.4))
        step = transcript.insert(SegmentKind.NOTE, "here", 1.1, 99.0)
        assert [segment.text for segment in step.settled] == ["done.", "here"]
    transcript = spoken((" well", 1.0), (" it", 1.7), (" works", 2.1))
    step = transcript.insert(SegmentKind.NOTE, "here", 1.3, 99.0)
    assert [segment.text for segment in step.settled] == ["well", "here"]


def test_marks_keep_their_order_at_a_cut() -> None:
    """Speech without a pause: the cut is where both marks of the first part may go."""
    transcript = Transcript()
    settled: list[Segment] = []
    for number in range(100):
        text = " end." if number == 50 else f" w{number}"
        settled += transcript.token(token(text, 0.4 + 0.4 * number)).settled
        if number in (30, 40):
            settled += transcript.insert(SegmentKind.NOTE, str(number), 0.4 * number, 9.0).settled
    assert [segment.text[-4:] for segment in settled] == ["end.", "30", "40"]


def test_missing_sound_ends_a_phrase() -> None:
    transcript = spoken((" turn", 1.0), (" the", 1.3), (" light", 1.7))
    transcript.insert(SegmentKind.NOTE, "mark", 1.5, 99.0)
    transcript.insert(SegmentKind.GAP, "gap", 1.8, 99.0)
    step = transcript.progress(2.2)
    assert [segment.text for segment in step.settled] == ["turn the light", "mark", "gap"]


def test_a_note_of_now_comes_at_once_when_all_words_are_out() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    transcript.utterance_ended(2.0)
    step = transcript.insert(SegmentKind.NOTE, "here", 2.0, 99.0)
    assert [segment.text for segment in step.settled] == ["here"]


def test_missing_sound_in_the_words_so_far_leaves_a_last_word_that_may_grow() -> None:
    transcript = spoken((" one", 1.0), (" kit", 1.5))
    transcript.progress(1.55)
    step = transcript.insert(SegmentKind.GAP, "here", 1.55, 99.0)
    assert [segment.text for segment in step.settled] == ["one", "here"]
    transcript.token(token("chen", 1.7, start=False))
    assert transcript.tail is not None
    assert transcript.tail.text == "kitchen"


def test_what_waits_has_its_place_at_the_end_of_all() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    transcript.insert(SegmentKind.NOTE, "here", 5.0, 99.0)
    step = transcript.finish()
    assert [segment.text for segment in step.settled] == ["one", "here"]


def test_retraction_takes_the_tail_back_and_nothing_else() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    transcript.utterance_ended(1.5)
    transcript.token(token(" two", 2.0))
    transcript.token(token(" three", 2.5))
    step, kept = transcript.retract(2.2)
    assert (step.moved, kept, whole(transcript)) == (True, 1, " one two")
    step, kept = transcript.retract(1.5)
    assert (step.moved, kept, whole(transcript)) == (True, 0, " one")
    assert transcript.retract(1.5)[0] == Step()


def test_a_replay_from_before_the_settled_part_doubles_nothing() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    transcript.utterance_ended(1.5)
    transcript.retract(0.0)
    assert transcript.token(token(" o", 0.96)) == Step()
    assert transcript.token(token("ne", 1.0, start=False)) == Step()
    assert transcript.utterance_ended(1.5) == Step()
    transcript.token(token(" two", 2.0))
    assert whole(transcript) == " one two"


def test_wall_clock_of_two_utterances() -> None:
    transcript = Transcript()
    assert transcript.wall_time(3.0) == 0.0
    transcript.begin_utterance(0.0, 1000.0)
    transcript.begin_utterance(10.0, 5000.0)
    assert transcript.wall_time(4.0) == 1004.0
    assert transcript.wall_time(11.0) == 5001.0
    transcript.token(token(" late", 10.1))
    assert transcript.tail is not None
    assert transcript.tail.start_s == 10.0  # not before its utterance
    assert transcript.tail.wall_time == 5000.0


def test_done_s() -> None:
    transcript = Transcript()
    transcript.token(token(" one", 1.0))
    assert transcript.done_s == 1.0
    transcript.progress(1.7)
    assert transcript.done_s == 1.7
    transcript.retract(0.0)
    assert transcript.done_s == 0.0


def test_word_start_is_never_before_the_word_before() -> None:
    assert word_start_s(Word(" extraordinarily", 2.0), 1.9) == 1.9
    assert word_start_s(Word(" a", 2.0), 0.0) == 1.94
    assert word_start_s(Word(" a", 2.0), 3.0) == 2.0


# ---- any stream --------------------------------------------------------------------------

texts = st.text(st.sampled_from("abc .,é漢🙂\n"), min_size=1, max_size=6)


@dataclass(frozen=True)
class Speech:
    """Tokens as an engine would give them: times are steps, words are apart."""

    tokens: tuple[TokenText, ...]
    ends: tuple[float, ...]  # where utterances end
    length_s: float


@st.composite
def speeches(draw: st.DrawFn) -> Speech:
    tokens: list[TokenText] = []
    ends: list[float] = []
    at = 0
    for _ in range(draw(st.integers(0, 40))):
        at += draw(st.sampled_from([1, 2, 3, 5, 12, 20, 40, 400]))
        start = draw(st.booleans())
        tokens.append(rounded(TokenText(draw(texts), at * 0.08, start, 0.9)))
        if draw(st.integers(0, 9)) == 0:
            at += 10
            ends.append(at * 0.08)
    return Speech(tuple(tokens), tuple(ends), at * 0.08 + 1.0)


def play(
    transcript: Transcript, speech: Speech, from_s: float, to_s: float, notes: list[float]
) -> None:
    """Everything between two times, as the engine tells it; what is settled stays."""
    happenings = [(t.time_s, 0, t) for t in speech.tokens] + [(e, 1, e) for e in speech.ends]
    for at_s, _, what in sorted(happenings, key=lambda item: item[:2]):
        if not from_s < at_s <= to_s:
            continue
        before = list(transcript.segments)
        if isinstance(what, TokenText):
            step = transcript.token(what)
            step = Step(step.settled + transcript.progress(at_s).settled)
        else:
            step = transcript.utterance_ended(what)
        if notes and notes[0] < at_s:
            step = Step(
                step.settled
                + transcript.insert(SegmentKind.NOTE, "note", notes.pop(0), 0.0).settled
            )
        assert transcript.segments == before + list(step.settled)


def check(transcript: Transcript) -> None:
    tail = transcript.tail
    for segment in [*transcript.segments, *([tail] if tail else [])]:
        assert segment.start_s <= segment.end_s
    ends = [w.end_s for s in transcript.segments for w in s.words]
    assert ends == sorted(ends)


@given(
    st.lists(
        st.one_of(
            st.builds(
                TokenText, texts, st.floats(0, 100), st.booleans(), st.floats(0, 1), st.just(())
            ).map(rounded),
            st.floats(0, 100),
        )
    )
)
@settings(max_examples=100, deadline=None)
def test_any_tokens_in_any_order_are_all_there(events: list[TokenText | float]) -> None:
    transcript = Transcript()
    expected = ""
    for event in events:
        before = list(transcript.segments)
        if isinstance(event, TokenText):
            expected += event.text
            step = transcript.token(event)
        else:
            step = transcript.progress(event)
        assert transcript.segments == before + list(step.settled)
    assert whole(transcript) == expected
    transcript.finish()
    assert joined(transcript.segments) == expected
    assert transcript.tail is None
    check(transcript)


@given(
    speeches(),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), max_size=4),
    st.lists(st.floats(0, 100), max_size=3),
)
@settings(max_examples=120, deadline=None)
def test_crashes_change_nothing(
    speech: Speech, crashes: list[tuple[float, int]], notes: list[float]
) -> None:
    """An engine that dies and starts again at the settled point, or at one told it earlier."""
    transcript = Transcript()
    notes = sorted(notes)
    at_s, told = -1.0, [0.0]
    for part, staleness in sorted(crashes):
        to_s = part * speech.length_s
        if to_s < at_s:
            continue
        play(transcript, speech, at_s, to_s, notes)
        told.append(transcript.settled_s)
        at_s = told[max(0, len(told) - 1 - staleness)]
        transcript.retract(at_s)
    play(transcript, speech, at_s, speech.length_s, notes)
    transcript.utterance_ended(speech.length_s)
    assert joined(transcript.segments) == "".join(t.text for t in speech.tokens)
    check(transcript)
