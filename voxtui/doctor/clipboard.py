"""The clipboard: really copies, reads it back, and puts back what was there."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from voxtui.doctor.finding import Finding, note, ok, unknown
from voxtui.doctor.terminal import Answers
from voxtui.machine.packages import install
from voxtui.machine.terminal import clipboard

Copy = Callable[[str], None]
Paste = Callable[[], str]


def _copy(text: str) -> None:
    import pyperclip

    pyperclip.copy(text)


def _paste() -> str:
    import pyperclip

    return str(pyperclip.paste())


def copies(
    env: Mapping[str, str],
    here: str,
    answers: Answers,
    copy: Copy = _copy,
    paste: Paste = _paste,
) -> Finding:
    """The way that words take; `here` is the system's family."""
    way = clipboard(env)
    facts = {"way": way.way}
    advice = _advice(way.advice, here)
    if way.way == "terminal":
        if answers.clipboard:
            return ok("clipboard", "The terminal takes copies (OSC 52).", **facts)
        return unknown(
            "clipboard",
            "Copies are sent to the terminal (OSC 52), which never answers;"
            " the last one is always in last-transcript.txt too.",
            advice,
            **facts,
        )
    try:
        before = _quietly(paste)
        token = f"voxtui {secrets.token_hex(4)}"
        copy(token)
        back = paste()
        if before is not None:
            copy(before)
    except Exception as error:  # pyperclip's own, and what the tool raises
        reason = " ".join(str(error).split())[:80]
        return note(
            "clipboard",
            f"{way.way} does not work: {reason}.",
            advice or "Copies go to the terminal instead, and into last-transcript.txt.",
            **facts,
        )
    if back.strip() != token:
        return note(
            "clipboard",
            f"What {way.way} copied did not come back.",
            "Another program may hold the clipboard; copies are in last-transcript.txt too.",
            **facts,
        )
    return ok("clipboard", f"Copied and read back with {way.way}.", **facts)


def _quietly(paste: Paste) -> str | None:
    try:
        return paste()
    except Exception:  # an empty clipboard is an error to some tools
        return None


def _advice(advice: str, here: str) -> str:
    head, install_word, tool = advice.rpartition("install ")
    if install_word:
        return (head + " " if head else "") + install(tool, here)
    return advice[:1].upper() + advice[1:] + "." if advice else ""
