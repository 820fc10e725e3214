"""Tokens become words, words become paragraphs. Pure: no files, no clock, no threads.

The text is in two parts. *Settled* segments stay; only a person edits them, and no replay of the
engine undoes that. The *tail* is the
paragraph being spoken: it grows, and it is what a crash of the engine takes back. It settles

- at a pause (`PAUSE_S` without a word),
- when its utterance ends,
- in speech without a pause after about `LONGEST_S`, at the best boundary,
- when something that is not speech (a mark, a gap) has its place after it; a mark does not cut
  a phrase in two, it goes before or behind it.

`settled_s` is the audio time from which an engine has to start to give the tail again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voxtui.events import Alternative, Edit, Segment, SegmentKind, TokenText, Word
from voxtui.session.edits import edited
from voxtui.session.phrases import place_of_mark
from voxtui.session.words import (
    SECONDS_PER_CHARACTER,
    SENTENCE_ENDS,
    WORD_ROOM_S,
    add_token,
    word_start_s,
)

PAUSE_S = 0.8
"""So much silence between two words begins a new paragraph."""

ROUNDING_S = 0.05
"""Two times nearer than this are one."""

LONGEST_S = 30.0
LONGEST_WORDS = 400
SHORTEST_CUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did. `moved` tells that the tail or the settled segments changed."""

    settled: tuple[Segment, ...] = ()
    moved: bool = False


UNMOVED = Step()


def best_cut(words: Sequence[Word], start_s: float) -> int:
    """How many words make a paragraph of a tail that grew too long; at least the last stays.

    The last end of a sentence wins, then the longest silence between two words.
    """
    places = [at for at in range(1, len(words)) if words[at - 1].end_s - start_s >= SHORTEST_CUT_S]
    sentences = [at for at in places if words[at - 1].text.rstrip().endswith(SENTENCE_ENDS)]
    if sentences:
        return sentences[-1]
    if places:
        return max(
            places,
            key=lambda at: (word_start_s(words[at], words[at - 1].end_s) - words[at - 1].end_s, at),
        )
    return len(words) - 1


class Transcript:
    """The text of a session: `segments` are settled, `tail` is being spoken."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.settled_s = 0.0
        self.waiting: list[Segment] = []  # notes and gaps after words that are still to come
        self._originals: dict[int, Segment] = {}  # as they settled, of those that were edited
        self._taken = 0  # how many segments `take_settled` gave
        self._words: list[Word] = []
        self._floor_s = 0.0  # end of the last settled word
        self._done_s = 0.0
        self._skip_until_s: float | None = None
        self._skipping = False
        self._anchors: list[tuple[float, float]] = []  # (audio time, wall time)

    @property
    def tail(self) -> Segment | None:
        """The paragraph being spoken."""
        return self._segment(self._words) if self._words else None

    @property
    def done_s(self) -> float:
        """All words of the audio up to here are out, as far as is known."""
        return max(self._done_s, self._words[-1].end_s if self._words else 0.0)

    @property
    def words(self) -> int:
        """How many words there are, those of the tail included."""
        return sum(len(segment.words) for segment in self.segments) + len(self._words)

    def text(self) -> str:
        """All that was said so far, a line a paragraph."""
        tail = self.tail
        spoken = [*self.segments, *([tail] if tail else [])]
        return "\n".join(s.text for s in spoken if s.kind is SegmentKind.SPEECH and s.text)

    def take_settled(self) -> tuple[Segment, ...]:
        """The segments that settled since this was last asked."""
        taken = tuple(self.segments[self._taken :])
        self._taken += len(taken)
        return taken

    def begin_utterance(self, at_s: float, wall_time: float) -> None:
        """What is heard from `at_s` on is said from `wall_time` on."""
        self._anchors.append((at_s, wall_time))

    def wall_time(self, at_s: float) -> float:
        """The wall clock at an audio time; 0 when no utterance has begun."""
        if not self._anchors:
            return 0.0
        index = bisect_right(self._anchors, at_s, key=lambda anchor: anchor[0]) - 1
        anchor_s, wall = self._anchors[max(0, index)]
        return round(wall + max(0.0, at_s - anchor_s), 3)

    # ---- events --------------------------------------------------------------------------

    def token(self, token: TokenText) -> Step:
        """A piece of text. Unmoved when a replay brings what is settled already."""
        if self._is_repeated(token):
            return UNMOVED
        settled: tuple[Segment, ...] = ()
        if self._words and token.word_start and self._is_after_pause(token):
            settled = self._settle_pause()
        add_token(self._words, token, self._floor_s)
        return Step(settled + self._settle_long(), moved=True)

    def progress(self, done_s: float) -> Step:
        """All words up to `done_s` are out: the place to notice a pause."""
        self._done_s = done_s
        settled = self._place_waiting()
        if self._words and done_s - self._words[-1].end_s >= PAUSE_S + WORD_ROOM_S:
            settled += self._settle_pause()
        return Step(settled, moved=bool(settled))

    def utterance_ended(self, audio_end_s: float) -> Step:
        """All words of the audio up to here are out, and they belong together."""
        self._done_s = max(self._done_s, audio_end_s)
        if self._skip_until_s is not None and audio_end_s >= self._skip_until_s:
            self._skip_until_s = None
        settled = self._place_waiting(until_s=audio_end_s)
        settled += self._settle(len(self._words), audio_end_s)
        return Step(settled, moved=bool(settled))

    def retract(self, from_s: float) -> tuple[Step, int]:
        """Take back the tail's words later than `from_s`; also tells how many words stay.

        Settled words stay for ever: where a replay starts before the end of the settled part,
        its words up to there are skipped.
        """
        kept = [] if from_s <= self.settled_s else [w for w in self._words if w.end_s <= from_s]
        moved = len(kept) != len(self._words)
        self._words = kept
        self._done_s = min(self._done_s, from_s)
        self._skip_until_s = self.settled_s if from_s < self.settled_s else None
        self._skipping = False
        return Step(moved=moved), len(kept)

    def insert(self, kind: SegmentKind, text: str, at_s: float, wall_time: float) -> Step:
        """Something that is not speech has its place at a time of the sound.

        It waits until the words up to there are out, a mark until the phrase is.
        """
        self.waiting.append(Segment(kind, at_s, at_s, wall_time, note=text))
        return Step(self._place_waiting(), moved=True)

    def edit(self, edit: Edit) -> Segment | None:
        """What became of a settled segment; None when it does not hold what it should."""
        index = edit.segment
        if not 0 <= index < len(self.segments) or self.segments[index].text != edit.was:
            return None
        original = self._originals.setdefault(index, self.segments[index])
        self.segments[index] = edited(original, edit.text)
        return self.segments[index]

    def as_heard(self, index: int) -> Segment:
        """A settled segment as it was before any edit."""
        return self._originals.get(index, self.segments[index])

    def finish(self) -> Step:
        """No more events come: what is in the tail settles."""
        settled = self._place_waiting(until_s=float("inf"))
        settled += self._settle(len(self._words), self._words[-1].end_s if self._words else 0.0)
        return Step(settled, moved=bool(settled))

    # ---- how it is done ------------------------------------------------------------------

    def _place_waiting(self, until_s: float = 0.0, ends: int = -1) -> tuple[Segment, ...]:
        """Those whose time has come: the words before them settle, and they do.

        Words up to `until_s` are all out, so that none of them may still grow; after `ends` words
        a phrase certainly ends.
        """
        settled: tuple[Segment, ...] = ()
        while self.waiting and self._is_due(self.waiting[0], until_s):
            total = len(self._words)
            count = self._place_of(self.waiting[0], until_s, ends)
            if count is None:
                break
            segment = self.waiting.pop(0)
            if count:
                settled += self._settle(count, self._words[count - 1].end_s)
                ends -= total - len(self._words)
            if self._words:  # never later than what follows it
                start_s = max(self._floor_s, word_start_s(self._words[0], self._floor_s))
                if start_s < segment.start_s and segment.kind is SegmentKind.NOTE:
                    segment = replace(segment, start_s=round(start_s, 3), end_s=round(start_s, 3))
            self.segments.append(segment)
            settled += (segment,)
        return settled

    def _is_due(self, segment: Segment, until_s: float) -> bool:
        return segment.start_s <= max(until_s, self.done_s) + ROUNDING_S

    def _place_of(self, segment: Segment, until_s: float, ends: int) -> int | None:
        """How many words of the tail come before it; None while that cannot be told."""
        if segment.kind is not SegmentKind.NOTE:
            return self._words_before(segment, until_s)
        if ends < 0:  # where sound is missing, a phrase ends
            missing = [s for s in self.waiting if s.kind is SegmentKind.GAP]
            if missing and self._is_due(missing[0], until_s):
                ends = self._words_before(missing[0], until_s)
        return place_of_mark(
            self._words,
            segment.start_s,
            floor_s=self._floor_s,
            done_s=max(until_s, self.done_s),
            until_s=until_s,
            ends=ends,
        )

    def _words_before(self, segment: Segment, until_s: float) -> int:
        count = sum(word.end_s <= segment.start_s for word in self._words)
        may_grow = count and count == len(self._words) and segment.start_s > until_s
        if may_grow and self._done_s - self._words[-1].end_s < WORD_ROOM_S:
            count -= 1  # it stays in the tail, behind
        return count

    def _is_repeated(self, token: TokenText) -> bool:
        if self._skip_until_s is None:
            return False
        if token.word_start or not self._skipping:
            self._skipping = token.time_s <= self._skip_until_s + 0.04
        if not self._skipping:
            self._skip_until_s = None
        return self._skipping

    def _is_after_pause(self, token: TokenText) -> bool:
        room_s = max(WORD_ROOM_S, SECONDS_PER_CHARACTER * len(token.text.strip()))
        return token.time_s - self._words[-1].end_s >= PAUSE_S + room_s

    def _settle_pause(self) -> tuple[Segment, ...]:
        if not any(c.isalnum() for word in self._words for c in word.text):
            return ()  # punctuation that came late is no paragraph of its own
        return self._end_phrase(len(self._words), self._words[-1].end_s + PAUSE_S / 2)

    def _settle_long(self) -> tuple[Segment, ...]:
        start_s = word_start_s(self._words[0], self._floor_s)
        long = self._words[-1].end_s - start_s >= LONGEST_S
        if len(self._words) < 2 or not (long or len(self._words) > LONGEST_WORDS):
            return ()
        cut = best_cut(self._words, start_s)
        return self._end_phrase(cut, self._words[cut - 1].end_s)

    def _end_phrase(self, count: int, settled_s: float) -> tuple[Segment, ...]:
        """So many words settle by themselves; marks among them have their places now."""
        total = len(self._words)
        settled = self._place_waiting(ends=count)
        return settled + self._settle(max(0, count - total + len(self._words)), settled_s)

    def _settle(self, count: int, settled_s: float) -> tuple[Segment, ...]:
        self.settled_s = max(self.settled_s, settled_s)
        if not count:
            return ()
        segment = self._segment(self._words[:count])
        self.segments.append(segment)
        self._floor_s = segment.end_s
        del self._words[:count]
        return (segment,)

    def _segment(self, words: Sequence[Word]) -> Segment:
        end_s = words[0].end_s
        index = bisect_right(self._anchors, end_s, key=lambda anchor: anchor[0]) - 1
        utterance_s = self._anchors[index][0] if index >= 0 else 0.0
        start_s = round(word_start_s(words[0], max(self._floor_s, utterance_s)), 3)
        return Segment(
            SegmentKind.SPEECH, start_s, words[-1].end_s, self.wall_time(start_s), tuple(words)
        )


def rounded(token: TokenText) -> TokenText:
    """The token as it is written to disk, so that memory and disk hold the same."""
    return replace(
        token,
        time_s=round(token.time_s, 3),
        probability=round(token.probability, 4),
        alternatives=tuple(
            Alternative(other.text, round(other.probability, 4)) for other in token.alternatives
        ),
    )
