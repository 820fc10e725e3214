"""What a person is told when the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from voxtui.session.session import Session, SessionError, SessionMeta


def test_a_full_disk_is_named_by_the_folder_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session.create(tmp_path, SessionMeta())
    session.append_audio(bytes(3200))

    rewrite = os.pwrite

    def full(fd: int, data: bytes, at: int) -> int:
        if at == 0:
            return rewrite(fd, data, at)  # the header has its place already
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(SessionError) as told:
        session.append_audio(bytes(3200))
    assert f"make room under {session.path};" in str(told.value)


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(self: Path, *arguments: object, **more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    session = Session.create(tmp_path / "sessions", SessionMeta())
    monkeypatch.setattr(Path, "mkdir", closed)
    with pytest.raises(SessionError, match=r"sessions cannot be written .*: choose another folder"):
        session.append_audio(bytes(3200))
