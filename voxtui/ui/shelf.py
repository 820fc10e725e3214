"""What the page of models asks for: what was found here, which models there are, getting them.

Pages know only `Shelf`; tests give their own. `LocalShelf` is the real one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voxtui.machine.hardware import Hardware
    from voxtui.machine.terminal import Clipboard, Terminal
    from voxtui.models.catalog import KnownModel
    from voxtui.models.progress import Progress
    from voxtui.models.store import Entry, Finding

HIDDEN = ("bf16",)
"""The same weights as the official folder: offered only by name."""


class ShelfError(Exception):
    """It cannot be done; one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is. What takes a moment to find out is None or empty at first."""

    hardware: Hardware
    terminal: Terminal
    clipboard: Clipboard
    entries: tuple[Entry, ...]
    disk_free: int
    auto: str
    """The name of the model that "auto" means now."""
    microphones: tuple[str, ...] | None = None
    speeds: Mapping[str, float] = field(default_factory=dict)
    """Times real time, a guess, by the model's name."""
    advised: str = ""
    """The name of the model that fits best."""

    def like(self, earlier: Look) -> Look:
        """With what took a moment to find out the last time."""
        return replace(
            self,
            microphones=earlier.microphones,
            speeds=earlier.speeds,
            advised=earlier.advised,
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A download is over. `problem` is one sentence, "" when the model is installed."""

    problem: str
    stopped: bool = False
    """Somebody wished it to end."""


Told = Callable[["Progress | Ended"], object]


class Shelf(Protocol):
    """Calls may take a moment, unless said otherwise: for a thread of their own."""

    def look(self) -> Look: ...
    def look_closer(self, look: Look) -> Look:
        """With microphones and speeds."""
        ...

    def auto_name(self) -> str:
        """The name of the model that "auto" means now."""
        ...

    def check(self, path: str) -> str:
        """The full path of a folder or file that is a model. Raises ShelfError."""
        ...

    def verify(self, entry: Entry, heard: Callable[[int, int], None]) -> list[Finding]:
        """Raises ShelfError."""
        ...

    def remove(self, entry: Entry) -> None:
        """Raises ShelfError."""
        ...

    def fetch(self, model: KnownModel, told: Told) -> Callable[[], None]:
        """Begin a download; returns at once, with what stops it. `told` hears from its thread."""
        ...


class LocalShelf:
    """This machine."""

    def look(self) -> Look:
        """What can be told at once."""
        from voxtui import paths
        from voxtui.machine.hardware import disk_free, hardware
        from voxtui.machine.terminal import clipboard, terminal
        from voxtui.models.store import entries

        shown = [
            entry
            for entry in entries()
            if entry.installed
            or entry.part
            or entry.known is None
            or entry.known.short not in HIDDEN
        ]
        return Look(
            hardware=hardware(),
            terminal=terminal(os.environ),
            clipboard=clipboard(os.environ),
            entries=tuple(shown),
            disk_free=disk_free(paths.models_dir()),
            auto=self.auto_name(),
        )

    def look_closer(self, look: Look) -> Look:
        """Listens around for microphones, and measures the memory."""
        from voxtui.models import estimate
        from voxtui.models.catalog import CATALOG

        machine = look.hardware
        bandwidth = estimate.memory_bandwidth(machine.cores)
        return replace(
            look,
            microphones=_microphones(),
            speeds={
                model.name: estimate.expected_speed(model, machine, bandwidth) for model in CATALOG
            },
            advised=estimate.recommended(machine, bandwidth).name,
        )

    def auto_name(self) -> str:
        """The smallest of the installed ones, or the small one."""
        from voxtui.engine.models import find_model

        return find_model("auto").name

    def check(self, path: str) -> str:
        """Is there a model, and is it whole as far as its own table of contents tells?"""
        from voxtui.engine.models import ModelError, find_model
        from voxtui.models.store import verify

        full = str(Path(path).expanduser().absolute())
        try:
            model = find_model(full)
            wrong = [found for found in verify(model, by_hash=False) if found.problem]
        except ModelError as error:
            raise ShelfError(str(error)) from error
        except OSError as error:
            raise ShelfError(f"{full} cannot be read: {error.strerror or error}.") from error
        if wrong:
            raise ShelfError(f"{wrong[0].file} is not whole: {wrong[0].problem}.")
        return full

    def verify(self, entry: Entry, heard: Callable[[int, int], None]) -> list[Finding]:
        """Every byte."""
        from voxtui.models.store import verify

        assert entry.installed is not None
        try:
            return verify(entry.installed, heard)
        except OSError as error:
            raise ShelfError(f"{entry.title} cannot be read: {error.strerror or error}.") from error

    def remove(self, entry: Entry) -> None:
        """Delete it, or what is here of its download."""
        from voxtui.models.download import DownloadError
        from voxtui.models.store import StoreError, remove

        try:
            remove(entry)
        except (StoreError, DownloadError) as error:
            raise ShelfError(str(error)) from error

    def fetch(self, model: KnownModel, told: Told) -> Callable[[], None]:
        """In a thread of its own; leaving the application ends it, and the part is kept."""
        from voxtui.models.download import Cancelled, Download, DownloadError

        download = Download(model, told)

        def run() -> None:
            try:
                download.run()
            except Cancelled as error:
                told(Ended(str(error), stopped=True))
            except DownloadError as error:
                told(Ended(str(error)))
            else:
                told(Ended(""))

        threading.Thread(target=run, name="download", daemon=True).start()
        return download.cancel


def _microphones() -> tuple[str, ...]:
    from voxtui.audio.devices import list_devices
    from voxtui.audio.source import AudioError

    try:
        return tuple(dict.fromkeys(device.name for device in list_devices()))
    except AudioError:
        return ()
