"""How numbers and names are said on the page."""

from __future__ import annotations

import re
import time

TITLE = "voxtui"
MIDDLE = " · "


def elapsed(seconds: float) -> str:
    """ "04:12", or "1:04:12" from an hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes:02}:{secs:02}"


def seconds(value: float) -> str:
    """ "0.2 s", "12 s", "3 min"."""
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 119.5:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min"


def span(value: float) -> str:
    """ "45 seconds", "1 minute", "30 minutes", "2 hours"."""
    if value < 60:
        return count(round(value), "second")
    if value < 7200:
        return count(round(value / 60), "minute")
    return count(round(value / 3600), "hour")


def count(number: int, noun: str) -> str:
    """ "1 word", "2 words"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(posix: float) -> str:
    """The time of day of a moment, as on the wall."""
    return time.strftime("%H:%M", time.localtime(posix))


def broke_off(started: float, pending_s: float) -> str:
    """An earlier session was not written to its end."""
    return (
        f"The session of {clock(started)} broke off: the words of its last {span(pending_s)} are"
        " not written. Its sound is kept; in the library T writes it again."
    )


def model_name(model: str) -> str:
    """A model's folder or file name, as people say it."""
    name = re.split(r"[\\/]", model.rstrip("\\/"))[-1]
    name = re.sub(r"\.(gguf|safetensors)$", "", name, flags=re.IGNORECASE)
    if not name:
        return ""
    if name.lower() == "tiny":
        return "small model"
    if re.match(r"voxtral-mini-4b", name, re.IGNORECASE):
        return "Voxtral 4B"
    return name


def precision_name(precision: str) -> str:
    """ "q8" for "Q8_0", "q4" for "q4_k_m"."""
    return re.sub(r"^(q\d)_.*$", r"\1", precision.lower())


_KEY_NAMES = {"pgup": "PgUp", "pgdn": "PgDn"}


def key_name(shown: str) -> str:
    """A key as it stands on the keyboard."""
    return _KEY_NAMES.get(shown) or (shown[:1].upper() + shown[1:])
