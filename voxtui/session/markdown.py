"""transcript.md: the session for people, in any editor, growing as the words come."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterable
from itertools import accumulate
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


def body(segment: Segment) -> str:
    """A paragraph with the blank line above it; nothing for one that was taken away."""
    return f"\n{paragraph(segment)}\n" if segment.text else ""


class Page:
    """Writes paragraphs one below the other, with a heading where a new day begins."""

    def __init__(self, meta: SessionMeta) -> None:
        self._day = day(meta.started)
        self._clock = bool(meta.started)

    def heading(self, segment: Segment, *, last: bool = True) -> str:
        """What to write above a segment: the day, where a new one begins; `last` False to look
        without turning the page."""
        today = day(segment.wall_time) if segment.wall_time else self._day
        if not self._clock or today == self._day or not segment.text:
            return ""
        if last:
            self._day = today
        return f"\n## {today}\n"


def render(segments: Iterable[Segment], meta: SessionMeta) -> str:
    """The whole page."""
    page = Page(meta)
    return title(meta) + "".join(page.heading(s) + body(s) for s in segments)


class MarkdownFile:
    """The page on disk. Settled text stays where it is; only the tail is ever rewritten.

    A change keeps the longest common beginning: words that were written and stay are never
    taken off the disk, not even for a moment. What a person edits is written to a new file that
    takes the old one's place at once.
    """

    def __init__(self, path: Path, meta: SessionMeta) -> None:
        """Make the file with its title; it must not exist."""
        self.path = path
        self._page = Page(meta)
        self._settled = title(meta).encode()  # what is to be on disk and stays, not yet dropped
        self._sizes = [(len(self._settled), 0)]  # bytes of each heading and segment; the title's
        self._edits: dict[int, bytes] = {}  # what settled segments are to become
        self._base = 0  # bytes on disk before `_settled`
        self._tail = b""
        self._on_disk = b""  # what follows `_base`
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._write()

    def update(
        self,
        settled: Iterable[Segment],
        tail: Segment | None,
        edited: Iterable[tuple[int, Segment]] = (),
        waiting: Iterable[Segment] = (),
    ) -> None:
        """New settled segments, the present tail and what waits behind it, and the segments that
        are others now, by their number. OSError: the next update tries again."""
        for segment in settled:
            heading, text = _encoded(self._page.heading(segment)), _encoded(body(segment))
            self._settled += heading + text
            self._sizes.append((len(heading), len(text)))
        self._edits |= {index: _encoded(body(segment)) for index, segment in edited}
        blocks = "".join(
            self._page.heading(segment, last=False) + body(segment)
            for segment in (*([tail] if tail else []), *waiting)
        )
        self._tail = _encoded(blocks.rstrip("\n"))
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
        if self._edits:
            self._rewrite()

    def _rewrite(self) -> None:
        """Bring edits into a new file, which takes the old one's place."""
        places = list(accumulate((sum(size) for size in self._sizes), initial=0))
        size = self._base + len(self._on_disk)
        new = self.path.with_name(f".{self.path.name}.new")
        fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            at = 0
            for index, text in sorted(self._edits.items()):
                heading, old = self._sizes[index + 1]
                begin = places[index + 1] + heading
                _copy(self._fd, fd, at, begin)
                _write_all(fd, text)
                at = begin + old
            _copy(self._fd, fd, at, size)
            os.fsync(fd)
            new.replace(self.path)
        except OSError:
            os.close(fd)
            new.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd = fd
        for index, text in self._edits.items():
            heading, old = self._sizes[index + 1]
            self._sizes[index + 1] = (heading, len(text))
            self._base += len(text) - old
        self._edits.clear()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _copy(source: int, to: int, start: int, end: int) -> None:
    """Bytes of one file to the end of another."""
    while start < end:
        piece = os.pread(source, min(1 << 20, end - start), start)
        if not piece:
            raise OSError(errno.EIO, "the transcript became shorter")
        _write_all(to, piece)
        start += len(piece)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


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
