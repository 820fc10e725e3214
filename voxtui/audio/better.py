"""While a microphone is heard that is not the best one: is a better one there again?

It is opened beside the one that is heard and taken when it has really delivered sound, so that
nothing is missed in between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voxtui.audio.devices import Device, find_device, is_default
from voxtui.audio.monitor import Patience
from voxtui.audio.recorder import Ended, Message, Opened, Refused, Samples
from voxtui.audio.source import AudioError
from voxtui.events import SYSTEM_DEFAULT

LONGEST_WAIT_S = 300.0
"""A device that cannot be used is tried again after twice the time, up to this."""


class Recorder(Protocol):
    """One attempt to record."""

    def read(self, timeout_s: float) -> Message | None:
        """The next message; None when there is none within the time."""

    def close(self) -> None:
        """End it at once, whatever state the device is in."""


RecorderFactory = Callable[[Sequence[str], bool], Recorder]
"""Called with the wanted devices, the best first, and whether no other one will do."""


@dataclass(frozen=True, slots=True)
class Better:
    """A device that delivers, and the list it was chosen from."""

    recorder: Recorder
    opened: Opened
    asked: tuple[str, ...]


class BetterDevice:
    """Looks in a thread of its own, begun when there is something to look for."""

    def __init__(
        self,
        record: RecorderFactory,
        present: Callable[[], list[Device]],
        patience: Patience,
    ) -> None:
        self._record = record
        self._present = present
        self._patience = patience
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._wanted: tuple[str, ...] = ()
        self._default = ""
        self._number = 0
        self._found: Better | None = None

    def watch(self, wanted: tuple[str, ...], default: str = "") -> None:
        """Look for these from now on; with `default`, the name of the system's default device
        that is heard, also for another default. Nothing given: look no more."""
        with self._lock:
            self._wanted, self._default = wanted, default
            self._number += 1
            old, self._found = self._found, None
            if self._thread is None and (wanted or default) and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="better-mic", daemon=True)
                self._thread.start()
        if old is not None:
            old.recorder.close()

    @property
    def ready(self) -> bool:
        """Is there one to take?"""
        return self._found is not None

    def take(self) -> Better | None:
        """The better device; whoever takes it closes it."""
        with self._lock:
            found, self._found = self._found, None
            return found

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self.watch(())

    # ---- the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        wait_s, number = self._patience.better, -1
        while not self._ended.wait(wait_s):
            with self._lock:
                wanted, default = self._wanted, self._default
                again, number = number == self._number, self._number
                busy = self._found is not None
            if busy or not (asked := self._there(wanted, default)):
                wait_s = self._patience.better
                continue
            found = self._opened(asked)
            with self._lock:
                if found is not None and self._number == number and not self._ended.is_set():
                    self._found, found = found, None
                    wait_s = self._patience.better
                else:
                    wait_s = min(LONGEST_WAIT_S, wait_s * 2) if again else self._patience.better
            if found is not None:
                found.recorder.close()

    def _there(self, wanted: tuple[str, ...], default: str) -> tuple[str, ...]:
        """What to ask for, if any of it is there."""
        if not wanted and not default:
            return ()
        try:
            devices = self._present()
        except AudioError:
            return ()
        if any(find_device(devices, name) for name in wanted if not is_default(name)):
            return wanted
        if devices and default and devices[0].name != default:
            return (*wanted, SYSTEM_DEFAULT)
        return ()

    def _opened(self, asked: tuple[str, ...]) -> Better | None:
        """Open it and wait for sound that is not just zeros."""
        try:
            recorder = self._record(asked, True)
        except OSError:
            return None
        end = time.monotonic() + self._patience.first
        opened: Opened | None = None
        while time.monotonic() < end and not self._ended.is_set():
            match recorder.read(0.1):
                case Opened() as message:
                    opened = message
                case Samples(data) if opened is not None and np.frombuffer(data, np.uint8).any():
                    return Better(recorder, opened, asked)
                case Refused() | Ended():
                    break
        recorder.close()
        return None
