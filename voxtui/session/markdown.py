"""transcript.md: the session for people, in any editor, growing as the words come."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from voxtui.events import Segment, SegmentKind
from voxtui.session.meta import SessionMeta

_MARKUP = re.compile(r"([\\`*_\[\]<])")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def escaped(text: str) -> str:
    """Spoken text as Markdown: on one line, none of its characters read as markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def day(posix: float) -> str:
    """`22 November 2026`, in any locale."""
    local = time.localtime(posix)
    return f"{local.tm_mday} {_MONTHS[local.tm_mon - 1]} {local.tm_year}"


def clock(posix: float) -> str:
    """`09:31`."""
    return time.strftime("%H:%M", time.localtime(posix))


def position(seconds: float) -> str:
    """`4:31` or `1:04:31`: a place in a recording."""
    whole = int(seconds)
    minutes = f"{whole // 60 % 60:02}" if whole >= 3600 else f"{whole // 60}"
    return (
        f"{whole // 3600}:{minutes}:{whole % 60:02}"
        if whole >= 3600
        else f"{minutes}:{whole % 60:02}"
    )


def title(meta: SessionMeta) -> str:
    """The head of the page: when, and from where; for a recording, which."""
    if not meta.started:
        head, parts = escaped(meta.source) or "Transcript", [meta.model]
    else:
        head, parts = f"{day(meta.started)}, {clock(meta.started)}", [meta.source, meta.model]
    if meta.title:
        head, parts = escaped(meta.title), [*([head] if meta.started else []), *parts]
    about = " · ".join(escaped(part) for part in parts if part)
    return f"# {head}\n" + (f"\n{about}\n" if about else "")


def paragraph(segment: Segment) -> str:
    """One segment, without blank lines around; its time is the clock's, else its position."""
    if segment.kind is SegmentKind.SPEECH:
        at = clock(segment.wall_time) if segment.wall_time else position(segment.start_s)
        return f"**{at}** {escaped(segment.text)}"
    if segment.kind is SegmentKind.NOTE:
        return f"> ▸ mark: {escaped(segment.note)}"
    return f"*[{escaped(segment.note)}]*"


class Page:
    """Writes paragraphs one below the other, with a heading where a new day begins."""

    def __init__(self, meta: SessionMeta) -> None:
        self._day = day(meta.started)
        self._clock = bool(meta.started)

    def block(self, segment: Segment, *, last: bool = True) -> str:
        """The text to append for a segment; `last` False to look without turning the page."""
        heading = ""
        today = day(segment.wall_time) if segment.wall_time else self._day
        if self._clock and today != self._day:
            heading = f"\n## {today}\n"
            if last:
                self._day = today
        return f"{heading}\n{paragraph(segment)}\n"


def render(segments: Iterable[Segment], meta: SessionMeta) -> str:
    """The whole page."""
    page = Page(meta)
    return title(meta) + "".join(page.block(segment) for segment in segments)


class MarkdownFile:
    """The page on disk. Settled text stays where it is; only the tail is ever rewritten.

    A change keeps the longest common beginning: words that were written and stay are never
    taken off the disk, not even for a moment.
    """

    def __init__(self, path: Path, meta: SessionMeta) -> None:
        """Make the file with its title; it must not exist."""
        self._page = Page(meta)
        self._settled = title(meta).encode()  # what is to be on disk and stays, not yet dropped
        self._base = 0  # bytes on disk before `_settled`
        self._tail = b""
        self._on_disk = b""  # what follows `_base`
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._write()

    def update(self, settled: Iterable[Segment], tail: Segment | None) -> None:
        """New settled segments and the present tail. OSError: the next update tries again."""
        for segment in settled:
            self._settled += self._page.block(segment).encode("utf-8", "replace")
        block = self._page.block(tail, last=False) if tail else ""
        self._tail = block.rstrip("\n").encode("utf-8", "replace")
        self._write()

    def close(self) -> None:
        """No more text; harmless when repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self) -> None:
        wanted = self._settled + self._tail
        same = _common(self._on_disk, wanted)
        if same < len(self._on_disk):
            os.ftruncate(self._fd, self._base + same)
            self._on_disk = self._on_disk[:same]
        while len(self._on_disk) < len(wanted):
            at = len(self._on_disk)
            written = os.pwrite(self._fd, wanted[at:], self._base + at)
            self._on_disk += wanted[at : at + written]
        self._base += len(self._settled)
        self._settled = b""
        self._on_disk = self._tail


def _common(left: bytes, right: bytes) -> int:
    """How many bytes two texts share at their beginning, in whole characters."""
    if right.startswith(left):  # nearly always: a word more
        return len(left)
    pairs = zip(left, right, strict=False)
    same = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))
    while same and any(
        text[same : same + 1] and text[same] & 0xC0 == 0x80 for text in (left, right)
    ):
        same -= 1
    return same
