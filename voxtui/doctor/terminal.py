"""The terminal: what it can do, asked where it can answer."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Mapping
from dataclasses import dataclass

from voxtui.doctor.finding import Finding, broken, note, ok, unknown
from voxtui.machine.terminal import Terminal, terminal

LEAST = (60, 20)
ANSWER_S = 0.4
QUESTION = b"\x1b[?u\x1b[c"
"""Which keyboard flags are set (kitty's protocol), then what it is: that, all terminals answer."""
CLIPBOARD_ATTRIBUTE = "52"
RELEASES_WHERE = "kitty, Ghostty, foot, WezTerm, Alacritty, iTerm2 and Warp do"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the terminal itself said. None: it was not asked, or did not say."""

    keyboard: bool | None = None
    clipboard: bool | None = None


def ask(fd_in: int = 0, fd_out: int = 1) -> Answers:
    """Ask the terminal; nothing is asked where there is none."""
    if not (os.isatty(fd_in) and os.isatty(fd_out)):
        return Answers()
    before = termios.tcgetattr(fd_in)
    answer = b""
    try:
        tty.setcbreak(fd_in)
        os.write(fd_out, QUESTION)
        end = time.monotonic() + ANSWER_S
        while (left := end - time.monotonic()) > 0 and not re.search(rb"\x1b\[\?[\d;]*c", answer):
            if select.select([fd_in], [], [], left)[0]:
                answer += os.read(fd_in, 256)
    except (OSError, termios.error):
        return Answers()
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(fd_in, termios.TCSAFLUSH, before)
    return read(answer)


def read(answer: bytes) -> Answers:
    """What an answer means."""
    about = re.search(rb"\x1b\[\?([\d;]*)c", answer)
    if about is None:
        return Answers()
    can_copy = CLIPBOARD_ATTRIBUTE in about[1].decode().split(";")
    return Answers(bool(re.search(rb"\x1b\[\?\d+u", answer)), True if can_copy else None)


def keys(env: Mapping[str, str], answers: Answers) -> Finding:
    """Holding a key."""
    here = terminal(env)
    can = answers.keyboard if answers.keyboard is not None else here.tells_releases
    name = here.name or "This terminal"
    facts = {"terminal": here.name, "multiplexer": here.multiplexer, "releases": can}
    if can:
        return ok("keys", f"{name} tells when a key is let go: hold to talk.", **facts)
    told = "a tap starts, a tap stops; the Talk button can be held with the mouse."
    if here.multiplexer:
        inside = here.multiplexer
        return note(
            "keys",
            f"{inside} does not tell when a key is let go: {told}",
            f"Start voxtui outside {inside} to hold a key, in a terminal that can:"
            f" {RELEASES_WHERE}.",
            **facts,
        )
    if can is None:
        return unknown(
            "keys",
            f"Whether {name} tells when a key is let go is seen in the application.",
            "Press and hold a key in the doctor's screen (H).",
            **facts,
        )
    fix = f"To hold a key use another terminal: {RELEASES_WHERE}."
    if here.name.startswith("WezTerm"):
        fix = "WezTerm does with enable_kitty_keyboard = true in its settings."
    return note("keys", f"{name} does not tell when a key is let go: {told}", fix, **facts)


def screen(env: Mapping[str, str], size: tuple[int, int], encoding: str) -> Finding:
    """Room, colours, letters."""
    here = terminal(env)
    facts = {
        "name": here.name,
        "over_ssh": here.over_ssh,
        "columns": size[0],
        "rows": size[1],
        "colours": here.colours,
        "encoding": encoding,
    }
    if here.dumb:
        return broken(
            "terminal",
            f"TERM is {env.get('TERM', '')!r}: text cannot be placed on this screen.",
            "Use voxtui listen and voxtui transcribe here; or set TERM to what the terminal is.",
            **facts,
        )
    told = f"{here.name or here.multiplexer or 'unnamed'}, {size[0]}×{size[1]}, {_colours(here)}"
    told += ", over SSH" if here.over_ssh else ""
    if "utf" not in encoding.lower():
        return note(
            "terminal",
            f"{told}; letters are {encoding}, not UTF-8.",
            "Set a UTF-8 locale: export LANG=C.UTF-8; and choose plain signs in the settings.",
            **facts,
        )
    if size[0] < LEAST[0] or size[1] < LEAST[1]:
        return note(
            "terminal", f"{told}: small.", f"{LEAST[0]}×{LEAST[1]} shows everything.", **facts
        )
    return ok("terminal", told + ".", **facts)


def _colours(here: Terminal) -> str:
    names = {0: "no colours", 16: "16 colours", 256: "256 colours"}
    return names.get(here.colours, "all colours")


def encoding() -> str:
    """How letters are written to the terminal."""
    return str(getattr(sys.__stderr__, "encoding", "") or sys.getfilesystemencoding())
