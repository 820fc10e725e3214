"""Fetching a model: a part of it survives every fault, and only what was verified is installed.

models/.partial/NAME/FILE          what is here so far, and state.json: which version it is
models/NAME/                       appears at once, when every file is whole and its hash right
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from voxtui import paths
from voxtui.files import read_object
from voxtui.machine.hardware import disk_free
from voxtui.models import hub
from voxtui.models.catalog import MB, KnownFile, KnownModel
from voxtui.models.hub import HubError, PassingError, RemoteFile
from voxtui.models.part import Part
from voxtui.models.progress import Phase, Progress
from voxtui.models.words import size

PARTIAL = ".partial"
RECORD = "source.json"
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Before each new attempt that follows one without a byte; after the last one it gives up."""
MARGIN = 300 * MB
"""Free space that is left to others."""
REPORT_EVERY_S = 0.2
RATE_OVER_S = 8.0


class DownloadError(Exception):
    """It could not be fetched; one sentence. What is here so far is kept."""


class Cancelled(DownloadError):  # noqa: N818 - somebody wished it
    """It was stopped; the part is kept."""


Report = Callable[[Progress], object]
Answer = TypeVar("Answer")


class Download:
    """One model on its way. `run` does it, in any one thread; `cancel` may come from others."""

    def __init__(
        self,
        model: KnownModel,
        report: Report = lambda progress: None,
        *,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self._report = report
        self._root = folder or paths.models_dir()
        self._partial = self._root / PARTIAL / model.name
        self._clock = clock
        self._stop = threading.Event()
        self._stream: hub.Stream | None = None
        self._progress = Progress(Phase.ASKING, total=model.size)
        self._told_at = -1.0
        self._rates: deque[tuple[float, int]] = deque()

    def cancel(self) -> None:
        """Stop soon; `run` raises Cancelled."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            stream.cut()

    def run(self) -> Path:
        """Fetch, verify, install. Returns the model's folder. Raises DownloadError."""
        target = self._root / self.model.name
        if target.exists():
            raise DownloadError(
                f"{target} is there already: check it with `voxtui model verify"
                f" {self.model.name}`, or remove it first."
            )
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
            with only_one(self._root / PARTIAL):
                self._fetch_all()
                os.replace(self._partial, target)
                _sync_folder(self._root)
        except HubError as error:
            raise DownloadError(str(error)) from error
        except OSError as error:
            raise DownloadError(self._disk_sentence(error)) from error
        self._tell(replace(self._progress, phase=Phase.DONE, left_s=0.0, note=""))
        return target

    # ---- all files

    def _fetch_all(self) -> None:
        self._tell(Progress(Phase.ASKING, total=self.model.size))
        remotes = [
            self._patiently(partial(self._look_up, file), BACK_OFF_S[:3])
            for file in self.model.files
        ]
        self._forget_other_versions(remotes)
        here = sum(Part(remote, self._partial / remote.name).have for remote in remotes)
        total = sum(remote.size for remote in remotes)
        self._progress = Progress(Phase.LOADING, done=here, total=total)
        self._check_room(total - self._progress.done)
        for remote in remotes:
            self._fetch(remote)
        record = {"model": self.model.name, "files": [asdict(remote) for remote in remotes]}
        _write_json(self._partial / RECORD, record)
        (self._partial / "state.json").unlink(missing_ok=True)

    def _look_up(self, file: KnownFile) -> RemoteFile:
        remote = hub.look_up(self.model.repo, file.name)
        if file.sha256 and remote.sha256 and remote.sha256 != file.sha256:
            raise HubError(
                f"{file.name} at {hub.endpoint()} is not the file that voxtui knows (another"
                " hash): use another mirror, or a newer voxtui."
            )
        return replace(remote, sha256=file.sha256 or remote.sha256)

    def _forget_other_versions(self, remotes: list[RemoteFile]) -> None:
        """A part of another version of a file is of no use."""
        state = self._partial / "state.json"
        known = read_object(state)
        wanted = {
            remote.name: [remote.size, remote.sha256 or remote.git_sha1] for remote in remotes
        }
        for remote in remotes:
            if known.get(remote.name, wanted[remote.name]) != wanted[remote.name]:
                (self._partial / remote.name).unlink(missing_ok=True)
        _write_json(state, wanted)

    def _check_room(self, missing: int) -> None:
        free = disk_free(self._root)
        if free and missing + MARGIN > free:
            raise DownloadError(
                f"{self.model.title} needs {size(missing + MARGIN)} more on the disk of"
                f" {self._root}, and {size(free)} are free: make room"
                f" for {size(missing + MARGIN - free)}, or take a smaller model."
            )

    # ---- one file

    def _fetch(self, remote: RemoteFile) -> None:
        part = Part(remote, self._partial / remote.name)
        begun = part.have
        if part.missing and part.take_from_cache():
            self._gained(part.have - begun)
            self._rates.clear()  # the line was not that fast
        self._read_again(part)
        if not part.missing and not part.right and begun < remote.size:
            part.throw_away()  # the cache holds a damaged one
            self._gained(-remote.size)
        while part.missing:
            self._patiently(lambda: self._load(part))
        if not part.right:
            part.throw_away()
            raise DownloadError(
                f"{remote.name} arrived damaged (its hash is not the one the server names) and was"
                " thrown away: download it again; if that happens twice, use another mirror or"
                " network."
            )

    def _read_again(self, part: Part) -> None:
        """The hash goes over what is here already, too."""
        if part.have:
            self._tell(replace(self._progress, phase=Phase.CHECKING, left_s=None, note=""))
        for _ in part.read_again():
            self._stop_if_asked()

    def _load(self, part: Part) -> None:
        """One connection. Raises PassingError when it brought nothing."""
        with part.open() as file, hub.open_stream(part.remote, part.have) as stream:
            if stream.offset != part.have:  # the server cannot begin in the middle
                self._gained(-part.have)
                part.begin_anew(file)
            self._stream = stream
            try:
                for block in stream:
                    self._stop_if_asked()
                    if not part.have and block.lstrip()[:1] == b"<":
                        raise HubError(hub.no_hub(part.remote.url))
                    self._gained(part.write(file, block))
                    self._loaded()
                    if not part.missing:
                        break
            except PassingError as error:
                if not part.advanced():
                    raise
                self._wait(BACK_OFF_S[0], str(error))
                return
            finally:
                self._stream = None
                part.sync(file)
        if not part.advanced():
            raise PassingError("The server closed the connection.")

    # ---- patience

    def _patiently(
        self, attempt: Callable[[], Answer], pauses: Sequence[float] | None = None
    ) -> Answer:
        """Try, and try again after a while; raises HubError when it makes no sense any more."""
        for pause in BACK_OFF_S if pauses is None else pauses:
            self._stop_if_asked()
            try:
                return attempt()
            except PassingError as error:
                self._stop_if_asked()
                self._wait(max(pause, error.after_s or 0.0), str(error))
        self._stop_if_asked()
        return attempt()

    def _wait(self, seconds: float, why: str) -> None:
        self._rates.clear()
        self._tell(
            replace(
                self._progress,
                phase=Phase.WAITING,
                rate=0.0,
                left_s=None,
                note=f"{why} Trying again in {seconds:.0f} s.",
            )
        )
        self._stop.wait(seconds)

    def _stop_if_asked(self) -> None:
        if self._stop.is_set():
            raise Cancelled("Stopped. What is here so far is kept and goes on from there.")

    # ---- telling

    def _gained(self, count: int) -> None:
        now = self._clock()
        self._rates.append((now, max(0, count)))
        while now - self._rates[0][0] > RATE_OVER_S:
            self._rates.popleft()
        self._progress = replace(self._progress, done=self._progress.done + count)

    def _loaded(self) -> None:
        progress = replace(self._progress, phase=Phase.LOADING, note="")
        now = self._clock()
        if progress.phase is not self._progress.phase or now - self._told_at >= REPORT_EVERY_S:
            span = now - self._rates[0][0]
            came = sum(count for _, count in self._rates) - self._rates[0][1]
            rate = came / span if span > 0 else 0.0
            left = (progress.total - progress.done) / rate if rate else None
            self._tell(replace(progress, rate=rate, left_s=left))

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        self._told_at = self._clock()
        self._report(progress)

    def _disk_sentence(self, error: OSError) -> str:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                f"The disk of {self._root} is full: make room and start again; what is here so"
                " far is kept."
            )
        return f"{error.filename or self._root} cannot be written: {error.strerror or error}."


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """One download at a time, also of other processes."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DownloadError(
                "Another download is running already: wait for its end, or stop it."
            ) from error
        yield


def forget_part(model: KnownModel, folder: Path | None = None) -> bool:
    """Remove what was loaded of it. False when there was nothing. Raises DownloadError."""
    root = (folder or paths.models_dir()) / PARTIAL
    if not (root / model.name).exists():
        return False
    with only_one(root):
        shutil.rmtree(root / model.name)
    return True


def part_size(model: KnownModel, folder: Path | None = None) -> int:
    """Bytes that are here of a download that did not end."""
    partial = (folder or paths.models_dir()) / PARTIAL / model.name
    with contextlib.suppress(OSError):
        return sum(
            (partial / file.name).stat().st_size
            for file in model.files
            if (partial / file.name).exists()
        )
    return 0


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
