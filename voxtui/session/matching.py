"""What a search finds: words by their beginnings, phrases in quotes, whatever case and accents.

    light off        every word begins a word of the session
    "light off"      just these words, one after the other, in one paragraph

Text is *folded* to words in small letters without accents. Scripts that put no spaces between
words (Chinese, Japanese) count each sign as a word, so that any part of a run is found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_ALONE = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_CHUNK = re.compile(r'"([^"]*)("|$)|([^\s"]+)')

SNIPPET = 90
"""Characters of a paragraph that are shown around a match."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow one another; of the last one only the beginning when `open`."""

    words: tuple[str, ...]
    open: bool

    @property
    def folded(self) -> str:
        """As it stands in folded text."""
        return " " + " ".join(self.words) + ("" if self.open else " ")


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed. `terms` is empty when it holds no letter and no digit."""

    terms: tuple[Term, ...]

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read what a person typed; a quote that is not closed yet is a phrase being typed."""
        terms: list[Term] = []
        for quoted, close, bare in _CHUNK.findall(text):
            words = tuple(word for word, _, _ in words_of(bare or quoted))
            if words:
                terms.append(Term(words, open=bool(bare) or not close))
        return cls(tuple(dict.fromkeys(terms)))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def among(self, folded: Iterable[str]) -> bool:
        """Is every term somewhere in these folded paragraphs?"""
        left = list(self.terms)
        for paragraph in folded:
            left = [term for term in left if term.folded not in paragraph]
            if not left:
                return True
        return not left

    def touches(self, folded: str) -> bool:
        """Is any term in this folded paragraph?"""
        return any(term.folded in folded for term in self.terms)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the terms stand in a text: (begin, end), in order, none over another."""
        words = list(words_of(text))
        found = sorted(span for term in self.terms for span in _places(term, words))
        out: list[tuple[int, int]] = []
        for begin, end in found:
            if out and begin <= out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]))
            else:
                out.append((begin, end))
        return tuple(out)


def _places(term: Term, words: list[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    length, last = len(term.words), term.words[-1]
    for at in range(len(words) - length + 1):
        if not words[at][0].startswith(term.words[0]):
            continue
        run = words[at : at + length]
        whole = all(word[0] == wanted for word, wanted in zip(run[:-1], term.words, strict=False))
        end = run[-1][0].startswith(last) if term.open else run[-1][0] == last
        if whole and end:
            yield run[0][1], run[-1][2]


def words_of(text: str) -> Iterator[tuple[str, int, int]]:
    """The folded words of a text with the place of each: (word, begin, end)."""
    if text.isascii():
        for match in _ASCII_WORD.finditer(text):
            yield match[0].lower(), match.start(), match.end()
        return
    for match in _word_pattern().finditer(text):
        word = fold(match[0])
        if word:
            yield word, match.start(), match.end()


def folded(text: str) -> str:
    """A text as its folded words, a space before and after each."""
    if text.isascii():
        return f" {' '.join(_ASCII_WORD.findall(text.lower()))} "
    return f" {' '.join(word for word, _, _ in words_of(text))} "


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """One word in small letters without accents."""
    apart = unicodedata.normalize("NFKD", word.casefold()).casefold()
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", apart)).translate(_PLAIN)
    return "".join(c for c in plain if c.isalnum() or unicodedata.category(c)[0] == "M")


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    marks = "".join(chr(c) for c in range(0x300, 0x3100) if unicodedata.category(chr(c))[0] == "M")
    letter = f"[^\\W_{_ALONE}]"
    return re.compile(f"[{_ALONE}]|{letter}(?:{letter}|[{marks}])*")


def snippet(
    text: str, spans: tuple[tuple[int, int], ...], room: int = SNIPPET
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The part of a paragraph around its first match, and the matches' places in it."""
    text_spans = spans or ((0, 0),)
    first, last = text_spans[0]
    if len(text) <= room:
        return text, spans
    begin = max(0, min(first - max(0, room - (last - first)) // 3, len(text) - room))
    if begin:
        space = text.find(" ", begin, first)
        begin = space + 1 if space >= 0 else begin
    end = min(len(text), max(begin + room, last))
    if end < len(text):
        space = text.rfind(" ", last, end)
        end = space if space > begin else end
    head, tail = "…" if begin else "", "…" if end < len(text) else ""
    moved = tuple(
        (a - begin + len(head), min(b, end) - begin + len(head)) for a, b in spans if a < end
    )
    return head + text[begin:end] + tail, moved
