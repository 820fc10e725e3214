"""The vocabulary applied to a session that is over."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from voxtui.events import Segment
from voxtui.files import replace_text
from voxtui.session.aside import follow
from voxtui.session.edits import edited
from voxtui.session.errors import SessionError, disk_error
from voxtui.session.folder import EVENTS, MARKDOWN, SUMMARY, first_words, write_json
from voxtui.session.keeping import summary_fields
from voxtui.session.library import load_session, read_log
from voxtui.session.lines import Line, edit_line
from voxtui.session.log import encode_line
from voxtui.session.markdown import render
from voxtui.vocabulary import Vocabulary


def understand(path: Path, vocabulary: Vocabulary) -> int:
    """Bring a session's text in line with the rules; gives how many paragraphs changed.

    What a person edited by hand stays; the log keeps what was heard. SessionError while the
    session is being written, or when the disk does not take it.
    """
    reader = read_log(path)
    segments, lines = list(reader.segments), list[Line]()
    for index, heard in enumerate(reader.heard):
        meant = vocabulary.applied(heard).text
        if index in reader.by_hand or meant == segments[index].text:
            continue
        segments[index] = edited(heard, meant)
        lines.append(edit_line(index, segments[index], by_vocabulary=True))
    if lines:
        try:
            _append(path / EVENTS, lines)
            _rewrite(path, segments)
        except OSError as error:
            raise disk_error(error, path) from error
        follow(path, reader.segments)
    return len(lines)


def _append(path: Path, lines: Sequence[Line]) -> None:
    """All lines in one write, behind a line that broke off if there is one."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SessionError(
                f"{path.parent.name} is being written now: wait until that is over."
            ) from None
        size = os.fstat(fd).st_size
        whole = size == 0 or os.pread(fd, 1, size - 1) == b"\n"
        data = (b"" if whole else b"\n") + b"".join(map(encode_line, lines))
        if os.write(fd, data) != len(data):
            os.ftruncate(fd, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    finally:
        os.close(fd)


def _rewrite(path: Path, segments: Sequence[Segment]) -> None:
    meta = replace(load_session(path).meta, title="")
    replace_text(path / MARKDOWN, render(segments, meta))
    fields = summary_fields(path)
    fields["words"] = sum(len(segment.words) for segment in segments)
    fields["first_words"] = first_words(list(segments))
    write_json(path / SUMMARY, fields)
