"""Words on a stream that cannot take anything back."""

from __future__ import annotations

from collections.abc import Callable

from voxtui.events import SegmentKind, TranscriptChanged
from voxtui.vocabulary import Vocabulary


class TextStream:
    """Writes words as they come and a newline where a paragraph settles.

    Words that were taken back and come again are not written again. Where speech goes on without
    a pause its paragraphs are one line. Words that a rule of the vocabulary may still be about
    wait until that is clear.
    """

    def __init__(self, write: Callable[[str], None], vocabulary: Vocabulary | None = None) -> None:
        self._write = write
        self._vocabulary = vocabulary or Vocabulary()
        self._line = ""

    def change(self, change: TranscriptChanged) -> None:
        """Write what is new."""
        for segment in change.settled:
            if segment.kind is SegmentKind.SPEECH:
                self._show(segment.text)
                self._settle(segment.text)
        if change.tail is not None:
            words = change.tail.words
            firm = words[: len(words) - self._vocabulary.still_open(words)]
            self._show("".join(word.text for word in firm))

    def finish(self) -> None:
        """End an open line."""
        if self._line:
            self._write("\n")
            self._line = ""

    def _show(self, text: str) -> None:
        text = " ".join(text.split())
        if self._line.startswith(text):
            return  # written already
        if not text.startswith(self._line):
            self.finish()  # other words than before: on a new line
        self._write(text[len(self._line) :])
        self._line = text

    def _settle(self, text: str) -> None:
        text = " ".join(text.split())
        rest = self._line[len(text) :].lstrip()
        if rest:
            self._line = rest  # the next paragraph's words are on this line already
        else:
            self.finish()
