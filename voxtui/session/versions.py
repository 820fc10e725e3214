"""Earlier transcripts of a session: what a new transcript of its sound took the place of.

    versions/1/   events.jsonl transcript.md session.json   the first transcript
    versions/2/   …                                          the one after it

The sound stays where it is. Nothing is ever removed but by changing places.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from voxtui.files import read_object
from voxtui.session.aside import DAILY, follow
from voxtui.session.errors import SessionError, disk_error
from voxtui.session.fields import as_number
from voxtui.session.folder import EVENTS, MARKDOWN, SUMMARY, kept_title, write_json
from voxtui.session.keeping import summary_fields
from voxtui.session.library import read_log
from voxtui.session.log import is_live

VERSIONS = "versions"
REPLACED = "replaced.json"


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier transcript; `replaced` is when another took its place (POSIX seconds)."""

    number: int
    path: Path
    model: str
    delay_ms: int
    words: int
    replaced: float


def list_versions(path: Path) -> list[Version]:
    """The earlier transcripts of a session, the newest first."""
    found = []
    for number in _numbers(path):
        folder = path / VERSIONS / str(number)
        fields = summary_fields(folder)
        words, delay = fields.get("words"), fields.get("delay_ms")
        found.append(
            Version(
                number,
                folder,
                str(fields.get("model", "")),
                delay if isinstance(delay, int) else 0,
                words if isinstance(words, int) else 0,
                _replaced_at(folder),
            )
        )
    return sorted(found, key=lambda version: version.number, reverse=True)


def take_place(path: Path, new: Path) -> int:
    """Make the transcript in the folder `new` the session's; gives the old one's number.

    First the old files are kept, then each new one takes its place at once: at every moment all
    words of both are on the disk, and the session has a whole log.
    """
    if is_live(path / EVENTS):
        raise SessionError(f"{path.name} is being written now: wait until that is over.")
    if not (new / EVENTS).is_file():
        raise SessionError(f"There is no transcript in {new}.")
    try:
        number = _keep_present(path)
        before, daily = read_log(path).segments, summary_fields(path).get(DAILY, "")
        title = kept_title(path)
        summary = {**summary_fields(new), "name": path.name, "title": title, DAILY: daily}
        write_json(path / SUMMARY, {**summary, "finished": False})  # in between the log counts
        for name in (EVENTS, MARKDOWN):
            with suppress(FileNotFoundError):
                (new / name).replace(path / name)
        write_json(path / SUMMARY, summary)
        shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise disk_error(error, path) from error
    follow(path, before)
    return number


def bring_back(path: Path, number: int) -> int:
    """Make an earlier transcript the session's again; gives the number of the one before."""
    folder = path / VERSIONS / str(number)
    if not (folder / EVENTS).is_file():
        known = ", ".join(map(str, _numbers(path))) or "none"
        raise SessionError(f"{path.name} has no earlier transcript {number}; there are: {known}.")
    return take_place(path, folder)


def _numbers(path: Path) -> list[int]:
    try:
        names = os.listdir(path / VERSIONS)
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _keep_present(path: Path) -> int:
    folder = path / VERSIONS
    folder.mkdir(mode=0o700, exist_ok=True)
    making = folder / f".{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    for name in (EVENTS, MARKDOWN, SUMMARY):
        with suppress(FileNotFoundError):
            shutil.copy2(path / name, making / name)
    write_json(making / REPLACED, {"at": time.time()})
    new = max([0, *_numbers(path)]) + 1
    making.rename(folder / str(new))
    return new


def _replaced_at(folder: Path) -> float:
    try:
        return as_number(read_object(folder / REPLACED)["at"])
    except (ValueError, KeyError):
        return 0.0
