"""One file on its way: what is here of it, and the hash over that."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from voxtui.models import hub
from voxtui.models.hub import RemoteFile

_BLOCK = 1 << 20


class Part:
    """The beginning of a file, `have` bytes of it."""

    def __init__(self, remote: RemoteFile, path: Path) -> None:
        self.remote = remote
        self.path = path
        self.have = path.stat().st_size if path.exists() else 0
        if self.have > remote.size:
            self.throw_away()
        self._hashed = new_hash(remote)
        self._furthest = self.have

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self.remote.size - self.have

    @property
    def right(self) -> bool:
        """Is the hash the one the hub names? True also where it names none."""
        wanted = self.remote.sha256 or self.remote.git_sha1
        return not wanted or self._hashed.hexdigest() == wanted

    def advanced(self) -> bool:
        """Is there more of it than there ever was when this was asked before?"""
        further, self._furthest = self.have > self._furthest, max(self.have, self._furthest)
        return further

    def take_from_cache(self) -> bool:
        """The whole file from Hugging Face's cache, if it is there; without a second copy where
        the disk is the same."""
        found = hub.cached(self.remote)
        if found is None:
            return False
        self.path.unlink(missing_ok=True)
        try:
            os.link(found, self.path)
        except OSError:
            shutil.copyfile(found, self.path)
        self.have = self.remote.size
        return True

    def read_again(self) -> Iterator[None]:
        """Hash what is here, a block at a time."""
        if not self.have:
            return
        with self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                self._hashed.update(block)
                yield

    def open(self) -> BinaryIO:
        """The file, to write on from where it ends."""
        file = self.path.open("r+b" if self.have else "wb")
        file.seek(self.have)
        return file

    def begin_anew(self, file: BinaryIO) -> None:
        """Forget what is here."""
        file.seek(0)
        file.truncate()
        self.have = 0
        self._hashed = new_hash(self.remote)

    def write(self, file: BinaryIO, block: bytes) -> int:
        """Take the next bytes, no more than were promised. Returns how many."""
        block = block[: self.missing]
        file.write(block)
        self._hashed.update(block)
        self.have += len(block)
        return len(block)

    @staticmethod
    def sync(file: BinaryIO) -> None:
        """Onto the disk."""
        file.flush()
        os.fsync(file.fileno())

    def throw_away(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self.have = 0
        self._hashed = new_hash(self.remote)


def new_hash(remote: RemoteFile) -> hashlib._Hash:
    """The kind of hash that the hub names for this file."""
    if remote.sha256 or not remote.git_sha1:
        return hashlib.sha256()
    # Small files are kept by git, which hashes their length too.
    return hashlib.sha1(b"blob %d\0" % remote.size, usedforsecurity=False)
