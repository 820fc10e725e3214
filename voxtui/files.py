"""Small files, written so that nobody ever finds half of one, and read back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def replace_text(path: Path, text: str, *, errors: str = "replace") -> None:
    """Give a file another content as a whole, on the disk itself.

    A link stays one. A file that is there keeps its permissions, a new one is its owner's alone.
    `errors` as in `str.encode`. OSError when it cannot be written; then all is as before.
    """
    target = Path(os.path.realpath(path))
    handle, new = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors=errors) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(target, new)
        os.replace(new, target)
    except BaseException:
        os.unlink(new)
        raise


def read_object(path: Path) -> dict[str, Any]:
    """A small file's JSON object; an empty one when it is missing, damaged or holds another."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
