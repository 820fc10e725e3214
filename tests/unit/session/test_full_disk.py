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
