"""What is known about a session beside its words."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voxtui.session.fields import as_count, as_number, as_text

READ: dict[type, Callable[[object], Any]] = {str: as_text, int: as_count, float: as_number}


@dataclass(frozen=True, slots=True)
class SessionMeta:
    """Where the words of a session come from. `started` is POSIX seconds, 0 for now."""

    engine: str = ""
    model: str = ""
    precision: str = ""
    delay_ms: int = 0
    source: str = ""
    started: float = 0.0
    version: str = ""
    title: str = ""  # given by the person

    def updated(self, fields: Mapping[str, Any]) -> SessionMeta:
        """With those of the fields that are its own and can be what they should."""
        known: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            read = READ[type(getattr(self, field.name))]
            with contextlib.suppress(KeyError, ValueError):
                known[field.name] = read(fields[field.name])
        return dataclasses.replace(self, **known)


def session_name(started: float) -> str:
    """The name of a session's folder: its local time."""
    return time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(started))


def iso_time(posix: float) -> str:
    """Local time with its zone, for files that programs read."""
    zone = time.strftime("%z", time.localtime(posix))
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(posix)) + zone[:3] + ":" + zone[3:]
