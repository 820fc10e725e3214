"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    NOTE = "note"  # works, and could be better
    BROKEN = "broken"  # something that is needed does not work
    UNKNOWN = "unknown"  # cannot be told from here


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `told` and `fix` are sentences; `facts` are for programs."""

    what: str
    state: State
    told: str
    fix: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        return asdict(self)


def ok(what: str, told: str, **facts: Any) -> Finding:
    """All is well."""
    return Finding(what, State.OK, told, "", facts)


def note(what: str, told: str, fix: str = "", **facts: Any) -> Finding:
    """It works, and could be better."""
    return Finding(what, State.NOTE, told, fix, facts)


def broken(what: str, told: str, fix: str = "", **facts: Any) -> Finding:
    """Something needed does not work."""
    return Finding(what, State.BROKEN, told, fix, facts)


def unknown(what: str, told: str, fix: str = "", **facts: Any) -> Finding:
    """It cannot be told from here."""
    return Finding(what, State.UNKNOWN, told, fix, facts)
