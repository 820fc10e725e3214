"""What a person does with sessions that are over: a title, the trash, a file to take along."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtui.files import read_object
from voxtui.printable import printable
from voxtui.session.errors import SessionError, disk_error
from voxtui.session.exports import export
from voxtui.session.fields import as_number
from voxtui.session.folder import EVENTS, SUMMARY, write_json
from voxtui.session.library import (
    LoadedSession,
    SessionInfo,
    load_session,
    session_folders,
    session_info,
)
from voxtui.session.log import FORMAT, is_live
from voxtui.session.meta import SessionMeta

TRASH = ".trash"
"""The folder of what was deleted, beside the sessions: moving there is one step of the disk."""
NOTE = ".deleted.json"
LONGEST_TITLE = 200


def rename(path: Path, title: str) -> str:
    """Give a session a title; its folder keeps its name. Gives the title it had."""
    fields = summary_fields(path)
    before = fields.get("title")
    fields["title"] = " ".join(printable(title).split())[:LONGEST_TITLE]
    _write(path / SUMMARY, fields)
    return before if isinstance(before, str) else ""


def summary_fields(path: Path) -> dict[str, Any]:
    """What session.json holds; the least of it when it is damaged or missing."""
    return read_object(path / SUMMARY) or {"format": FORMAT, "finished": False}


def _write(path: Path, fields: dict[str, Any]) -> None:
    try:
        write_json(path, fields)
    except OSError as error:
        raise disk_error(error, path) from error


# ---- the trash ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deleted:
    """A session in the trash, since when (POSIX seconds)."""

    info: SessionInfo
    at: float


def delete(path: Path, clock: float | None = None) -> Path:
    """Move a session to the trash; gives its place there. SessionError while it is written."""
    if is_live(path / EVENTS):
        raise SessionError(f"{path.name} is being written now: stop that first, then delete it.")
    trash = path.parent / TRASH
    try:
        trash.mkdir(mode=0o700, exist_ok=True)
        _write(path / NOTE, {"at": time.time() if clock is None else clock})
        return _moved(path, trash, path.name)
    except OSError as error:
        raise disk_error(error, trash) from error


def restore(root: Path, name: str) -> Path:
    """Bring a session back from the trash; gives its folder."""
    place = find_deleted(root, name)
    try:
        back = _moved(place, root, place.name)
        (back / NOTE).unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error, root) from error
    return back


def deleted_sessions(root: Path) -> list[Deleted]:
    """What is in the trash, the last deleted first."""
    found = [Deleted(session_info(f), _deleted_at(f)) for f in session_folders(root / TRASH)]
    return sorted(found, key=lambda deleted: (deleted.at, deleted.info.name), reverse=True)


def find_deleted(root: Path, name: str) -> Path:
    """A session in the trash by its name, by the beginning of it, or `last`."""
    found = deleted_sessions(root)
    if not found:
        raise SessionError("The trash is empty.")
    if name == "last":
        return found[0].info.path
    matching = [deleted.info.path for deleted in found if deleted.info.name.startswith(name)]
    exact = [path for path in matching if path.name == name]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    if matching:
        raise SessionError(f"Several sessions in the trash begin with {name}: give more of it.")
    raise SessionError(f"There is no {name} in the trash: voxtui sessions trash shows what is.")


def empty_trash(root: Path, names: list[str] | None = None) -> int:
    """Delete what is in the trash (or these) for good; tells how many sessions that were."""
    count = 0
    for deleted in deleted_sessions(root):
        if names is None or deleted.info.name in names:
            try:
                shutil.rmtree(deleted.info.path)
            except OSError as error:
                raise disk_error(error, deleted.info.path) from error
            count += 1
    return count


def _deleted_at(folder: Path) -> float:
    try:
        return as_number(read_object(folder / NOTE)["at"])
    except (ValueError, KeyError):
        return 0.0


def _moved(path: Path, folder: Path, name: str) -> Path:
    """Move to a name in a folder that is free; two programs may do so at once."""
    for number in range(1, 1000):
        to = folder / (name if number == 1 else f"{name}-{number}")
        if to.exists():
            continue
        try:
            path.rename(to)
        except OSError:
            if to.exists():
                continue
            raise
        return to
    raise SessionError(f"There are too many sessions called {name} in {folder}.")


# ---- files to take along -----------------------------------------------------------------


def export_file(loaded: LoadedSession, fmt: str, folder: Path) -> Path:
    """Write a session in one of the formats into a folder, over no other file; gives its path."""
    folder = folder.expanduser()
    if not folder.is_dir():
        raise SessionError(f"There is no folder {folder}.")
    text = export(loaded.segments, fmt, loaded.meta)
    stem = _file_name(loaded.meta, loaded.name)
    for number in range(1, 1000):
        path = folder / (f"{stem}.{fmt}" if number == 1 else f"{stem}-{number}.{fmt}")
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
        except OSError as error:
            raise disk_error(error, folder) from error
        try:
            with os.fdopen(fd, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise disk_error(error, folder) from error
        return path
    raise SessionError(f"There are too many files called {stem}.{fmt} in {folder}.")


def _file_name(meta: SessionMeta, name: str) -> str:
    """The session's name, with its title where it has one, as a name for any file system."""
    title = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', " ", meta.title)
    title = " ".join(title.split())[:80].strip(" .")
    return f"{name} {title}" if title else name


def exported(path: Path, fmt: str, folder: Path) -> Path:
    """`export_file` of the session in a folder."""
    return export_file(load_session(path), fmt, folder)
