"""What the pages ask of the chain of sound and words.

Pages know only `Backend`; tests give their own. `voxtui.ui.local` has the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from voxtui.events import Edit, Event
from voxtui.settings import Settings
from voxtui.ui.shelf import Shelf

Listener = Callable[[Event], None]

ADVISED_DELAY_MS = 480


class CannotStartError(Exception):
    """Something that was asked for cannot be done; one sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values: what is kept, how it is called, what there is to know."""

    value: Any
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What there is to choose of an engine; `lacks` names the settings that are nothing to it."""

    precisions: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()


class Backend(Protocol):
    """All that a page can ask for. Calls return at once unless said otherwise."""

    hears_file: bool
    source_name: str
    small_model: bool
    """Is the small model in use?"""
    shelf: Shelf
    """What the page of models asks."""

    @property
    def sessions_dir(self) -> Path:
        """Where the sessions are kept."""
        ...

    def start(self, listener: Listener) -> None:
        """`listener` hears all that happens. Comes first, and does nothing that takes long."""
        ...

    def open(self) -> None:
        """Open the sound, load the model; at the latest when something is asked for."""
        ...

    def listen(self, on: bool) -> None: ...
    def hands_free(self, on: bool) -> None:
        """Nothing is held while listening: quiet may be left out, as the settings say."""
        ...

    def note(self, text: str, at_s: float | None, wall_time: float) -> None: ...
    def edit(self, edits: Sequence[Edit]) -> None: ...
    def reread_vocabulary(self) -> None: ...
    def new_session(self) -> None: ...
    def use_microphone(self, devices: Sequence[str], gain_db: float) -> None: ...
    def use_model(self, spec: str) -> None: ...
    def use_delay(self, delay_ms: int) -> None: ...
    def use_interval(self, interval_s: float) -> None: ...
    def use_engine(self, settings: Settings) -> None:
        """Go on with the engine of these settings, started as they say."""
        ...

    def use(self, settings: Settings) -> None:
        """What is heard and what is kept, as these settings say."""
        ...

    def microphones(self) -> list[Choice]:
        """What can be heard. May take a moment: for a thread of its own."""
        ...

    def models(self) -> list[Choice]:
        """The models on this machine. May take a moment."""
        ...

    def engines(self) -> list[Choice]:
        """What can write the words, and how to get what is not here. May take a moment."""
        ...

    def abilities(self) -> Abilities:
        """What can be chosen of the engine in use. May take a moment."""
        ...

    def close(self, timeout_s: float) -> None:
        """Wait for the last words and close the files."""
        ...
