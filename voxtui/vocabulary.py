"""Names and jargon the model does not know: what it writes, and what is meant.

A plain text file, one rule a line; everything before `=` becomes what is behind it:

    # a remark
    cooper netties, kubernetties = Kubernetes
    um, uh =

Whole words are compared, in any case, with their accents; punctuation around them stays. What is
behind `=` is written as it stands there; where it has no capitals it takes a capital from what was
heard. Longer rules win over shorter ones, and the upper of two equal ones over the lower.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voxtui.events import Segment, SegmentKind, Word
from voxtui.files import replace_text

HEAD = """\
# What voxtui hears, and what is meant: one rule a line.
#     heard, heard otherwise = written
"""

_EDGES = re.compile(r"^(\s*)([^\w\s]*)(.*?)([^\w\s]*)(\s*)$", re.DOTALL)


class VocabularyError(Exception):
    """One sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`heard` (one or several words) becomes `written`; "" leaves it out."""

    heard: str
    written: str


@dataclass(frozen=True, slots=True)
class _Parts:
    """A word between its spaces and its punctuation."""

    lead: str
    before: str
    core: str
    after: str
    trail: str


def _parts(text: str) -> _Parts:
    match = _EDGES.match(text)
    assert match is not None  # every text matches
    return _Parts(*match.groups())


def _key(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


class Vocabulary:
    """Rules, ready to be applied."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._by_words: dict[tuple[str, ...], str] = {}
        for rule in self.rules:
            words = tuple(_key(_parts(word).core) for word in rule.heard.split())
            if words and all(words):
                self._by_words.setdefault(words, rule.written)
        self._first = {words[0] for words in self._by_words}
        self._longest = max((len(words) for words in self._by_words), default=0)
        self._beginnings = {
            (*words[:count], words[count][:letters])
            for words in self._by_words
            for count in range(len(words))
            for letters in range(1, len(words[count]) + 1)
        }

    def __bool__(self) -> bool:
        return bool(self._by_words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.rules == other.rules

    def __hash__(self) -> int:
        return hash(self.rules)

    def applied(self, segment: Segment) -> Segment:
        """The paragraph with what is meant in place of what was heard."""
        if not self or segment.kind is not SegmentKind.SPEECH:
            return segment
        words = self.rewritten(segment.words, segment.start_s)
        return segment if words is segment.words else replace(segment, words=words)

    def still_open(self, words: Sequence[Word]) -> int:
        """How many words at the end may still become what a rule is about.

        The last one may grow, and others may follow.
        """
        keys = [_key(_parts(word.text).core) for word in words[-self._longest :]]
        for at in range(len(keys) if self else 0):
            if tuple(keys[at:]) in self._beginnings:
                return len(keys) - at
        return 0

    def rewritten(self, words: tuple[Word, ...], start_s: float = 0.0) -> tuple[Word, ...]:
        """The words with the rules applied; the same object where none fits."""
        parts = [_parts(word.text) for word in words]
        keys = [_key(part.core) for part in parts]
        made: list[Word] = []
        changed, at = False, 0
        while at < len(words):
            count = self._match(keys, parts, at) if keys[at] in self._first else 0
            if not count:
                made.append(words[at])
                at += 1
                continue
            written = self._by_words[tuple(keys[at : at + count])]
            since_s = words[at - 1].end_s if at else min(start_s, words[0].end_s)
            made += _replacement(words[at : at + count], parts[at : at + count], written, since_s)
            changed, at = True, at + count
        return tuple(made) if changed else words

    def rewritten_text(self, text: str) -> str:
        """A plain text with the rules applied; its spaces stay."""
        pieces = re.findall(r"\s*\S+\s*$|\s*\S+", text)
        made = self.rewritten(tuple(Word(piece, 0.0) for piece in pieces))
        return "".join(word.text for word in made) if pieces else text

    def _match(self, keys: Sequence[str], parts: Sequence[_Parts], at: int) -> int:
        """How many words from here on make the longest rule that fits; 0 for none."""
        for count in range(min(self._longest, len(keys) - at), 0, -1):
            if tuple(keys[at : at + count]) not in self._by_words:
                continue
            inner = (
                *(part.after for part in parts[at : at + count - 1]),
                *(part.before for part in parts[at + 1 : at + count]),
            )
            if not any(inner):  # words on both sides of a comma do not belong together
                return count
        return 0


def _replacement(
    words: Sequence[Word], parts: Sequence[_Parts], written: str, since_s: float
) -> list[Word]:
    """What is meant, as words that share the time of those it replaces."""
    first, last = parts[0], parts[-1]
    new = _like(first.core, written).split()
    if not new:
        return []
    new[0] = first.lead + first.before + new[0]
    new[1:] = [" " + word for word in new[1:]]
    new[-1] += last.after + last.trail
    until_s, sure = words[-1].end_s, min(word.probability for word in words)
    step_s = max(0.0, until_s - since_s) / len(new)
    return [
        Word(word, round(until_s - step_s * (len(new) - 1 - index), 3), sure)
        for index, word in enumerate(new)
    ]


def _like(heard: str, written: str) -> str:
    """A capital at the front where one was heard, unless the writing has capitals of its own."""
    if heard[:1].isupper() and written == written.lower():
        return written[:1].upper() + written[1:]
    return written


# ---- the file ----------------------------------------------------------------------------


def parse(text: str) -> tuple[Vocabulary, list[str]]:
    """The rules of a file, and a sentence for each line that is none."""
    rules: list[Rule] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        left, sign, written = bare.partition("=")
        heard = [" ".join(one.split()) for one in left.split(",")]
        usable = [one for one in heard if all(_parts(word).core for word in one.split()) and one]
        if not sign or not usable:
            problems.append(f"line {number}: {bare!r} should be: heard, heard otherwise = written")
            continue
        rules += [Rule(one, " ".join(written.split())) for one in usable]
    return Vocabulary(rules), problems


def load(path: Path) -> tuple[Vocabulary, list[str]]:
    """The rules of a file (none where there is no file), and a sentence for each wrong line."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return Vocabulary(), []
    except UnicodeDecodeError:
        return Vocabulary(), [f"{path} is not UTF-8 text; save it as UTF-8."]
    except OSError as error:
        return Vocabulary(), [f"Cannot read {path}: {error.strerror or error}."]
    vocabulary, problems = parse(text)
    return vocabulary, [f"{path}, {problem}" for problem in problems]


class Rules:
    """The rules of a file that may change at any time; none without a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self.vocabulary = Vocabulary()
        self.problems: list[str] = []

    def changed(self) -> bool:
        """Look at the file: does it hold other rules than when it was last looked at?"""
        if self._path is None:
            return False
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        if stamp == self._stamp:
            return False
        before, self._stamp = self.vocabulary, stamp
        self.vocabulary, self.problems = load(self._path)
        return self.vocabulary != before or bool(self.problems)


def can_be_rule(heard: str, written: str) -> bool:
    """Do these make a rule?"""
    rules, problems = parse(f"{heard} = {written}")
    plain = "," not in heard and "=" not in heard + written
    return plain and not problems and len(rules.rules) == 1


def add(path: Path, heard: str, written: str) -> bool:
    """Put a rule into the file. False when it is there already; VocabularyError when it cannot be.

    A rule for the same words is replaced: the new one is meant.
    """
    heard, written = " ".join(heard.split()), " ".join(written.split())
    line = f"{heard} = {written}".rstrip()
    if not can_be_rule(heard, written):
        raise VocabularyError(f"{line!r} is no rule: words without commas, then what they become.")
    if Rule(heard, written) in load(path)[0].rules:
        return False
    remove(path, heard)
    old = _lines(path) or HEAD.splitlines()
    _write(path, [*old, line])
    return True


def remove(path: Path, heard: str) -> bool:
    """Take the rule for these words out of the file. False when there is none."""
    key = _key(" ".join(heard.split()))
    kept: list[str] = []
    found = False
    for line in _lines(path):
        left, sign, written = line.partition("=")
        ways = [" ".join(one.split()) for one in left.split(",")]
        others = [way for way in ways if _key(way) != key]
        if line.lstrip().startswith("#") or not sign or len(others) == len(ways):
            kept.append(line)
            continue
        found = True
        if any(others):
            kept.append(f"{', '.join(others)} ={written}")
    if found:
        _write(path, kept)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise VocabularyError(f"Cannot read {path}: {error}.") from error


def _write(path: Path, lines: Sequence[str]) -> None:
    """Replace the file as a whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise VocabularyError(f"Cannot write {path}: {error.strerror or error}.") from error
