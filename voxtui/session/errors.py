"""What can go wrong with a session, told in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path


class SessionError(Exception):
    """One sentence for the person: what is wrong and what to do."""


def disk_error(error: OSError, path: Path) -> SessionError:
    """The sentence for a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        folder = path if path.is_dir() else path.parent
        return SessionError(
            f"The disk is full: make room under {folder}; what was written so far is safe."
        )
    return SessionError(
        f"{path} cannot be written ({error.strerror or error}): choose another folder for sessions,"
        " in the settings under Files or with --sessions-dir."
    )
