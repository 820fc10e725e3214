"""One session: its sound, its words, and the files that hold them at every moment."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

from voxtui.events import (
    AudioGap,
    Edit,
    EngineStats,
    Segment,
    SegmentKind,
    TokenText,
    TranscriptChanged,
    UtteranceEnded,
    WordsRetracted,
)
from voxtui.session.audiofile import AudioFile
from voxtui.session.errors import SessionError, disk_error
from voxtui.session.folder import (
    AUDIO,
    EVENTS,
    MARKDOWN,
    SUMMARY,
    UNHEARD_S,
    first_words,
    free_name,
    hidden_name,
    kept_title,
    moved,
    write_json,
)
from voxtui.session.lines import edit_line, retracted_line, segment_line, token_line
from voxtui.session.log import FORMAT, EventLog
from voxtui.session.markdown import MarkdownFile
from voxtui.session.meta import SessionMeta, iso_time
from voxtui.session.transcript import Step, Transcript, rounded
from voxtui.vocabulary import Vocabulary

__all__ = ["Session", "SessionError", "SessionEvent", "SessionMeta"]

SHORTEST_GAP_S = 0.25
"""A shorter loss of sound is logged but makes no place in the text."""

SYNC_EVERY_S = 1.0

SessionEvent = TokenText | UtteranceEnded | WordsRetracted | EngineStats | AudioGap


class Session:
    """Used from one thread, but for `read_audio`. The folder is made on the first sound or note.

    A failed write never loses words: they wait in memory, and `SessionError` is raised once,
    by `append_audio` or by an `apply` that changed nothing.
    """

    def __init__(self, root: Path, meta: SessionMeta, clock: Callable[[], float]) -> None:
        self._root = root
        self._clock = clock
        self.meta = meta if meta.started else replace(meta, started=clock())
        self.name = free_name(self.meta.started, lambda name: not (root / name).exists())
        self.transcript = Transcript()
        self._vocabulary = Vocabulary()
        self._by_hand: set[int] = set()  # settled segments that a person edited
        self._log = EventLog()
        self._audio: AudioFile | None = None
        self._markdown: MarkdownFile | None = None
        self._facts: dict[str, Any] = {}
        self._begun = False
        self._closed = False
        self._trouble: SessionError | None = None
        self._told = False
        self._synced = 0.0

    @classmethod
    def create(cls, root: Path, meta: SessionMeta, clock: Callable[[], float] = time.time) -> Self:
        """A new session; nothing is on disk yet."""
        return cls(root, meta, clock)

    @property
    def path(self) -> Path:
        """The session's folder."""
        return self._root / self.name

    def move(self, root: Path) -> bool:
        """Keep it below another folder; False when it is on disk already, and stays."""
        if self._audio is not None:
            return False
        self._root = root
        self.name = free_name(self.meta.started, lambda name: not (root / name).exists())
        return True

    @property
    def settled_s(self) -> float:
        """The audio time where an engine may start again without losing a word."""
        return self.transcript.settled_s

    @property
    def audio_s(self) -> float:
        """How much sound was kept."""
        return self._audio.seconds if self._audio else 0.0

    # ---- sound ---------------------------------------------------------------------------

    def append_audio(self, pcm: bytes) -> int:
        """Keep sound; gives the number of samples in the file."""
        audio = self._folder()
        if not self._begun:
            self.begin_utterance()
        total = audio.append(pcm)
        self._tell()
        return total

    def read_audio(self, start_sample: int, n: int) -> bytes:
        """Sound that was kept, from any thread; shorter at its end."""
        audio = self._audio
        return audio.read(start_sample, n) if audio else b""

    def begin_utterance(self) -> None:
        """Somebody begins to speak now."""
        at_s, wall = round(self.audio_s, 4), round(self._clock(), 3)
        self._begun = True
        self.transcript.begin_utterance(at_s, wall)
        self._write({"type": "utterance", "at": at_s, "wall": wall})

    def end_utterance(self) -> None:
        """Somebody stops speaking now; the last words are still to come."""
        self._begun = False
        self._write({"type": "listened", "at": round(self.audio_s, 4)})

    # ---- words ---------------------------------------------------------------------------

    def apply(self, event: SessionEvent) -> TranscriptChanged | None:
        """Take in what the engine or the capture told; None when the text did not change."""
        step = self._settled(self._reduce(event))
        if not step.moved:
            self._tell()
            return None
        self._show(step)
        return self.changed()

    def note(
        self, text: str, at_s: float | None = None, wall_time: float | None = None
    ) -> TranscriptChanged:
        """Something typed while talking, about what is said now or was at a time before."""
        self._folder()
        settled_s = self.transcript.segments[-1].end_s if self.transcript.segments else 0.0
        at_s = self.audio_s if at_s is None else min(self.audio_s, max(at_s, settled_s))
        wall_time = self._clock() if wall_time is None else wall_time
        step = self._insert(SegmentKind.NOTE, text, round(at_s, 3), round(wall_time, 3))
        self._show(self._settled(step))
        return self.changed()

    def edit(self, edits: Iterable[Edit]) -> TranscriptChanged | None:
        """What a person makes of settled segments; None when none of them holds what it should.

        The log keeps what was heard; an edit is a line of its own.
        """
        edited = []
        for edit in edits:
            segment = self.transcript.edit(edit)
            if segment is not None:
                edited.append((edit.segment, segment))
                self._by_hand.add(edit.segment)
                self._write(edit_line(edit.segment, segment))
        return self._edited(edited)

    def understand(self, vocabulary: Vocabulary) -> TranscriptChanged | None:
        """Other rules from now on, for the settled text too; None when it stays as it is.

        What a person edited by hand stays.
        """
        self._vocabulary = vocabulary
        return self._edited(self._meant(range(len(self.transcript.segments))))

    @property
    def tail(self) -> Segment | None:
        """The paragraph being spoken, as it is meant."""
        tail = self.transcript.tail
        if tail is None or not self._vocabulary:
            return tail
        firm = len(tail.words) - self._vocabulary.still_open(tail.words)
        words = self._vocabulary.rewritten(tail.words[:firm], tail.start_s) + tail.words[firm:]
        return replace(tail, words=words) if words else None

    def changed(self, edited: tuple[tuple[int, Segment], ...] = ()) -> TranscriptChanged:
        """What is new since this was last asked."""
        return TranscriptChanged(
            self.transcript.take_settled(),
            self.tail,
            edited,
            tuple(self.transcript.waiting),
        )

    def record(self, **fields: Any) -> None:
        """Facts about the engine, for those who look at the session later."""
        self._facts.update(fields)
        self.meta = self.meta.updated(fields)
        self._write({"type": "facts", **fields})
        self._summarize(finished=False)

    def close(self) -> None:
        """Settle the tail and close the files; harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        step = self._settled(self.transcript.finish())
        if self._audio is None or self._markdown is None:
            return
        self._show(step)
        done_s = round(self.transcript.done_s, 4)
        self._write({"type": "closed", "audio": round(self.audio_s, 4), "done": done_s})
        whole = self.audio_s - done_s <= UNHEARD_S
        self._summarize(finished=whole and self._trouble is None)
        self._sync(every_s=0.0)
        for file in (self._audio, self._log, self._markdown):
            file.close()
        self._markdown = None  # nothing is written any more
        self._tell()

    # ---- how it is done ------------------------------------------------------------------

    def _reduce(self, event: SessionEvent) -> Step:
        match event:
            case TokenText():
                token = rounded(event)
                step = self.transcript.token(token)
                if step.moved:
                    self._write(token_line(token))
            case EngineStats():
                step = self.transcript.progress(event.audio_done_s)
            case UtteranceEnded():
                step = self.transcript.utterance_ended(event.audio_end_s)
                self._write({"type": "utterance_end", "at": round(event.audio_end_s, 4)})
            case WordsRetracted():
                step, kept = self.transcript.retract(event.from_s)
                self._write(retracted_line(event, kept))
            case AudioGap():
                step = self._gap(event)
        return step

    def _gap(self, gap: AudioGap) -> Step:
        at_s = round(self.audio_s, 3)
        self._write(
            {"type": "gap", "reason": gap.reason, "seconds": round(gap.seconds, 3), "at": at_s}
        )
        if 0 < gap.seconds < SHORTEST_GAP_S:
            return Step()
        missing = f"{gap.seconds:.1f} s of sound" if gap.seconds else "some sound"
        text = f"{missing} missing here: {gap.reason}"
        last = (self.transcript.waiting or self.transcript.segments)[-1:]
        if self.transcript.tail is None and last and (last[0].kind, last[0].note) == ("gap", text):
            return Step()
        return self._insert(SegmentKind.GAP, text, at_s, round(self._clock(), 3))

    def _insert(self, kind: SegmentKind, text: str, at_s: float, wall_time: float) -> Step:
        """Into the transcript; what has to wait for words is in the log at once."""
        step = self.transcript.insert(kind, text, at_s, wall_time)
        if self.transcript.waiting:
            line = {"type": "waits", "kind": kind.value, "start": at_s, "end": at_s}
            self._write({**line, "wall": wall_time, "note": text})
        return step

    def _settled(self, step: Step) -> Step:
        """Into the log as it was heard; gives it as it is meant."""
        for segment in step.settled:
            self._write(segment_line(segment))
        segments = self.transcript.segments
        first = len(segments) - len(step.settled)
        self._meant(range(first, len(segments)))
        return replace(step, settled=tuple(segments[first:]))

    def _meant(self, indices: Iterable[int]) -> list[tuple[int, Segment]]:
        """Apply the vocabulary to settled segments; gives those that it changed."""
        changed = []
        for index in indices:
            now = self.transcript.segments[index]
            text = self._vocabulary.applied(self.transcript.as_heard(index)).text
            if text == now.text or index in self._by_hand:
                continue
            segment = self.transcript.edit(Edit(index, now.text, text))
            if segment is not None:
                changed.append((index, segment))
                self._write(edit_line(index, segment, by_vocabulary=True))
        return changed

    def _edited(self, edited: list[tuple[int, Segment]]) -> TranscriptChanged | None:
        if not edited:
            return None
        self._show(Step(), edited)
        self._sync(every_s=0.0)
        return self.changed(tuple(edited))

    def _show(self, step: Step, edited: Iterable[tuple[int, Segment]] = ()) -> None:
        if self._markdown is None:
            return
        try:
            self._markdown.update(step.settled, self.tail, edited, self.transcript.waiting)
        except OSError as error:
            self._failed(error)
        if step.settled:
            self._sync(SYNC_EVERY_S)

    def _sync(self, every_s: float) -> None:
        now = time.monotonic()
        if self._audio is None or self._markdown is None or now - self._synced < every_s:
            return
        self._synced = now
        try:
            self._log.sync()
            self._audio.sync()
        except OSError as error:
            self._failed(error)

    def _write(self, line: dict[str, Any]) -> None:
        self._log.append(line)
        if self._markdown is not None:
            self._flush()

    def _flush(self) -> None:
        try:
            self._log.flush()
        except OSError as error:
            self._failed(error)
        else:
            self._trouble, self._told = None, False

    def _failed(self, error: OSError) -> None:
        self._trouble = disk_error(error, self.path)

    def _tell(self) -> None:
        if self._trouble is not None and not self._told:
            self._told = True
            raise self._trouble

    def _summarize(self, finished: bool) -> None:
        if self._markdown is None:
            return
        words = first_words(self.transcript.segments)
        summary = {
            "format": FORMAT,
            "name": self.name,
            "began": iso_time(self.meta.started),
            "finished": finished,
            "audio_s": round(self.audio_s, 3),
            "words": self.transcript.words,
            "first_words": words,
            **self._facts,
            **asdict(self.meta),
            "title": kept_title(self.path),  # given while it was written
        }
        try:
            write_json(self.path / SUMMARY, summary)
        except OSError as error:
            self._failed(error)

    def _folder(self) -> AudioFile:
        """Make the folder with all its files in it at once, so that it is never half there."""
        if self._closed:
            raise SessionError("This session is closed.")
        if self._audio is not None:
            return self._audio
        making = self._root / hidden_name(self.name)
        try:
            os.makedirs(self._root, mode=0o700, exist_ok=True)
            audio, markdown = self._make_files(making)
            self.name = free_name(self.meta.started, lambda name: moved(making, self._root / name))
        except OSError as error:
            self._log.close()
            shutil.rmtree(making, ignore_errors=True)
            raise disk_error(error, self._root) from error
        audio.path = self.path / AUDIO  # the folder has its own name now
        markdown.path = self.path / MARKDOWN
        self._audio, self._markdown = audio, markdown
        self._flush()
        self._show(Step(tuple(self.transcript.segments), moved=True))
        return audio

    def _make_files(self, folder: Path) -> tuple[AudioFile, MarkdownFile]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        about = asdict(self.meta)
        self._log.open(folder / EVENTS, {"type": "session", "format": FORMAT, **about})
        write_json(folder / SUMMARY, {"format": FORMAT, "finished": False, **about})
        return self._make_audio(folder / AUDIO), MarkdownFile(folder / MARKDOWN, self.meta)

    def _make_audio(self, path: Path) -> AudioFile:
        return AudioFile(path)
