"""How long the sound of sessions stays, whatever the clock says in between."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from voxtui.files import read_object
from voxtui.session.fields import as_number
from voxtui.session.folder import AUDIO, EVENTS, write_json
from voxtui.session.library import SessionInfo, list_sessions
from voxtui.session.log import is_live

DAY_S = 86_400.0
JUMP_S = 366 * DAY_S
"""Not used for longer, a person is asked whether the date is right."""
CLOCKS_UNSET = 1_704_067_200.0
"""2024: a session from before that was begun by a clock that was not set, its age is unknown."""
NOTE = ".sound.json"
"""Beside the sessions: when it was looked for old sound."""


def forget_old_sound(
    root: Path, days: int, now: float, tell: Callable[[str], None] = lambda sentence: None
) -> list[Path]:
    """Delete the sound of sessions that ended their words and are older than `days`.

    A clock may be wrong for a while: only what was as old already when this was asked before, a day
    ago or earlier, is deleted. Gives the sessions. Those with sound that is not written yet keep
    it, however old. `tell` gets a sentence when the date has moved so far that it may be wrong.
    """
    if days < 0:
        return []
    before = _noted(root)
    if before is not None and 0 <= now - before < DAY_S:
        return []
    with contextlib.suppress(OSError):
        write_json(root / NOTE, {"looked": now})
    if before is None or now < before:
        return []
    sessions = list_sessions(root)
    old = [info for info in sessions if _is_old(info, days, before)]
    if now - before > JUMP_S and any(_is_old(info, days, now) for info in sessions):
        dates = [time.strftime("%Y-%m-%d", time.localtime(at)) for at in (before, now)]
        tell(
            f"The date has moved from {dates[0]} to {dates[1]} since the last time: if it is wrong,"
            f" set it today. Sound that is older than {days} days is deleted from tomorrow on."
        )
    return [info.path for info in old if _delete(info.path / AUDIO)]


def _noted(root: Path) -> float | None:
    try:
        return as_number(read_object(root / NOTE)["looked"])
    except (ValueError, KeyError):
        return None


def _is_old(info: SessionInfo, days: int, at: float) -> bool:
    old = info.started >= CLOCKS_UNSET and at - (info.started + info.audio_s) >= days * DAY_S
    return old and info.finished and not is_live(info.path / EVENTS)


def _delete(sound: Path) -> bool:
    try:
        sound.unlink()
    except OSError:
        return False
    return True
