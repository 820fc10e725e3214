"""What there is on this machine: which models, are they whole, away with them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voxtui import paths
from voxtui.engine.locate import EngineMissing, find_engine
from voxtui.engine.models import Model, ModelError, find_model, installed_models
from voxtui.files import read_object
from voxtui.models import catalog, headers, hub
from voxtui.models.catalog import WORKING_MEMORY, KnownModel, find_known
from voxtui.models.download import RECORD, forget_part, part_size

_BLOCK = 1 << 20
TIDY_S = 60.0
"""The engine reads the beginnings of its copies; a slow disk may keep it waiting."""
WEIGHTS = "consolidated.safetensors"


class StoreError(Exception):
    """It cannot be done; one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that is here, or could be."""

    name: str
    title: str
    size: int
    """Bytes on the disk."""
    known: KnownModel | None
    installed: Model | None
    part: int
    """Bytes of a download that did not end."""

    @property
    def builtin(self) -> bool:
        """Is it the small one that comes with the package?"""
        return self.installed is not None and self.installed.builtin

    @property
    def memory(self) -> int:
        """Bytes of memory that it needs."""
        if self.known is not None:
            return self.known.memory
        return self.size + (0 if self.builtin else WORKING_MEMORY)


def entries() -> list[Entry]:
    """All known models, then others that are installed, then the small one."""
    installed = {model.name: model for model in installed_models()}
    found = []
    for known in catalog.CATALOG:
        here = installed.pop(known.name, None)
        size = known.size if here is None else here.size
        found.append(Entry(known.name, known.title, size, known, here, part_size(known)))
    for name, model in installed.items():
        found.append(Entry(name, name, model.size, None, model, 0))
    with contextlib.suppress(ModelError):
        tiny = find_model("tiny")
        found.append(Entry("tiny", "Small model", tiny.size, None, tiny, 0))
    return found


def find_entry(name: str) -> Entry:
    """The entry of this name (a known one's short name will do). Raises StoreError."""
    known = find_known(name)
    wanted = known.name if known is not None else name
    for entry in entries():
        if entry.name == wanted:
            return entry
    names = ", ".join(
        entry.known.short if entry.known is not None else entry.name for entry in entries()
    )
    raise StoreError(f"There is no model {name!r}: there are {names}.")


def remove(entry: Entry) -> list[Path]:
    """Delete an installed model and what is left of its download. Returns what was deleted.

    Only what lies in the models' folder is touched, of a link only the link; and the engine
    removes its own copies of what is gone. Raises StoreError.
    """
    if entry.builtin:
        raise StoreError("The small model is a part of voxtui and stays.")
    gone = []
    try:
        if entry.known is not None and forget_part(entry.known):
            gone.append(paths.models_dir() / ".partial" / entry.name)
        if entry.installed is not None:
            gone.append(_remove_path(entry.installed.path))
            gone += _tidy_copies()
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be removed: {error.strerror}.") from error
    if not gone:
        raise StoreError(f"{entry.title} is not installed, so there is nothing to remove.")
    return gone


def _tidy_copies() -> list[Path]:
    """The engine keeps copies of models, quantised or arranged as it reads them: which went."""
    try:
        command = [str(find_engine()), "--tidy-cache"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIDY_S, check=False
        )
    except (EngineMissing, OSError, subprocess.TimeoutExpired):
        return []  # it does so itself before it makes another
    return [Path(os.fsdecode(line)) for line in done.stdout.splitlines()]


def _remove_path(path: Path) -> Path:
    root = paths.models_dir()
    top = root / path.relative_to(root).parts[0]
    if top.is_symlink():
        top.unlink()
        return top
    if top.is_dir() and (path == top or _holds_only(top, path)):
        shutil.rmtree(top)
        return top
    path.unlink()
    return path


def _holds_only(folder: Path, file: Path) -> bool:
    return {each.name for each in folder.iterdir()} <= {file.name, RECORD}


# ---- verifying -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one file's check."""

    file: str
    problem: str
    """ "" when it is as it should be."""
    by_hash: bool
    """Was every byte checked, or the table of contents alone?"""


Heard = Callable[[int, int], None]
"""Bytes read so far, and of how many."""


def verify(
    model: Model,
    heard: Heard = lambda done, total: None,
    *,
    ask: bool = True,
    by_hash: bool = True,
) -> list[Finding]:
    """Check every file of an installed model.

    By the hashes that were noted when it was fetched; else, for a known model and with `ask`, by
    those that the hub names now; else, and without `by_hash`, by the weights' own table of
    contents.
    """
    folder = model.path if model.path.is_dir() else model.path.parent
    hashes = (_recorded(folder) or (_asked(model.name) if ask else {})) if by_hash else {}
    names = _files(model)
    total = sum((folder / name).stat().st_size for name in names if name in hashes)
    done = 0
    findings = []
    for name in names:
        path = folder / name
        problem = headers.problem(path) if path.suffix in (".gguf", ".safetensors") else ""
        wanted = hashes.get(name)
        if not problem and wanted:
            actual, done = _hash(path, wanted, done, total, heard)
            if actual != wanted:
                problem = "its bytes are not those that were published"
        findings.append(Finding(name, problem, by_hash=bool(wanted)))
    return findings


def _files(model: Model) -> list[str]:
    if model.path.is_file():
        return [model.path.name]
    return ["params.json", "tekken.json", WEIGHTS]


def _recorded(folder: Path) -> dict[str, str]:
    try:
        record = read_object(folder / RECORD)
        return {
            file["name"]: file["sha256"] or file.get("git_sha1", "") for file in record["files"]
        }
    except (KeyError, TypeError):
        return {}


def _asked(name: str) -> dict[str, str]:
    known = find_known(name)
    found: dict[str, str] = {}
    try:
        for file in known.files if known is not None else ():
            remote = hub.look_up(known.repo, file.name)  # type: ignore[union-attr]
            found[file.name] = remote.sha256 or remote.git_sha1
    except hub.HubError:
        return {}
    return found


def _hash(path: Path, wanted: str, done: int, total: int, heard: Heard) -> tuple[str, int]:
    git = len(wanted) == 40
    hashed = hashlib.sha1(usedforsecurity=False) if git else hashlib.sha256()
    if git:
        hashed.update(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hashed.update(block)
            done += len(block)
            heard(done, total)
    return hashed.hexdigest(), done


def record_of(file: Path, made_from: str) -> str:
    """What is noted beside weights that were made here, so that they can be checked later."""
    digest, _ = _hash(file, "", 0, 0, lambda done, total: None)
    size = os.stat(file).st_size
    about = {"name": file.name, "size": size, "sha256": digest}
    return json.dumps({"made_from": made_from, "files": [about]}, indent=1) + "\n"
