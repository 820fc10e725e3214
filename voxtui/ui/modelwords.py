"""What the page of models says: of this machine, of each model, of a download. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from voxtui.models.catalog import LANGUAGES, LICENCE
from voxtui.models.estimate import fits
from voxtui.models.progress import Phase, Progress
from voxtui.models.store import Entry, Finding
from voxtui.models.words import duration, size, times_real_time
from voxtui.ui.shelf import Look

FOLDER_LINES = (
    "A folder with consolidated.safetensors, params.json and tekken.json as Mistral AI publishes"
    " them, or a GGUF file. It stays where it is."
)
SMALL_LINES = (
    "It came with voxtui and knows some forty English words (numbers, light, music, open, stop …):"
    " enough to try everything, not for dictation."
)
USUAL_LINE_BITS = 100_000_000
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve", "thirteen")  # fmt: skip


def found(
    look: Look, tells_releases: bool, brief: bool, key: str
) -> list[tuple[str, Sequence[str]]]:
    """What was found: a label and phrases, the most important first. Two lines when `brief`.

    `key` is the talk key.
    """
    machine, clipboard = look.hardware, look.clipboard
    cores = f"{machine.cores} core{'' if machine.cores == 1 else 's'}"
    processor = [machine.processor or machine.architecture, cores]
    room = f"{size(look.disk_free)} of disk free"
    hears = _heard(look.microphones)
    copies = "by the terminal (OSC 52)" if clipboard.way == "terminal" else f"by {clipboard.way}"
    if brief:
        memory = [f"{size(machine.memory)} of memory"] if machine.memory else []
        around = [hears[0], f"copies {copies}", _terminal(look)]
        return [("machine", [*processor, *memory, room]), ("hears", around)]
    memory = [size(machine.memory) if machine.memory else "unknown"]
    if machine.memory_available:
        memory.append(f"{size(machine.memory_available)} free")
    told = tells_releases or bool(look.terminal.tells_releases)
    keys = f"{key} can be held" if told else f"{key} is tapped: this terminal reports no release"
    return [
        ("processor", [*processor, *machine.instructions]),
        ("memory", [*memory, room, *([machine.gpu] if machine.gpu else [])]),
        ("hears", hears),
        ("copies", [copies, clipboard.advice] if clipboard.advice else [copies]),
        ("terminal", [_terminal(look), keys]),
    ]


def _terminal(look: Look) -> str:
    terminal = look.terminal
    names = [terminal.multiplexer, terminal.name, "over SSH" if terminal.over_ssh else ""]
    return " ".join(name for name in names if name) or "an unknown terminal"


def _heard(microphones: tuple[str, ...] | None) -> list[str]:
    if microphones is None:
        return ["looking for microphones"]
    if not microphones:
        return ["no microphone: plug one in, and it is used"]
    more = len(microphones) - 1
    return [microphones[0], *([f"and {more} more"] if more else [])]


def row(entry: Entry, look: Look, in_use: bool, progress: Progress | None) -> list[str]:
    """What stands behind a model's name and size, the most important first."""
    if progress is not None:
        return progress_phrases(progress)
    state = []
    if in_use:
        state.append("in use")
    elif entry.installed is not None:
        state.append("comes with voxtui" if entry.builtin else "installed")
    elif entry.part:
        state.append(f"{size(entry.part)} of it here")
    if entry.name == look.advised and entry.installed is None:
        state.append("recommended")
    speed = look.speeds.get(entry.name)
    if entry.known is not None and not fits(entry.known, look.hardware):
        state.append("too large for this memory")
    elif speed is not None:
        state.append(f"about {times_real_time(speed)} real time")
    return state


def details(entry: Entry, look: Look) -> list[str]:
    """Sentences on one model: what it is, what it needs."""
    if entry.builtin:
        return [SMALL_LINES]
    known = entry.known
    if known is None:
        where = entry.installed.path if entry.installed is not None else ""
        return [f"In {where}.", f"Needs about {size(entry.memory)} of memory."]
    memory = f" ({size(look.hardware.memory)} here)" if look.hardware.memory else ""
    copy = ", a faster copy included" if known.disk > known.size else ""
    lines = [
        f"{known.about} {known.errors:.1f} words of 100 wrong in read English;"
        f" {NUMBERS[LANGUAGES]} languages. {LICENCE}.",
        *_pace(entry, look),
        f"Needs {size(known.memory)} of memory{memory} and {size(known.disk)} on the disk{copy}.",
    ]
    if entry.installed is None:
        seconds = 8 * (known.size - entry.part) / USUAL_LINE_BITS
        lines.append(f"Getting it takes {duration(seconds)} at 100 Mbit/s.")
    return [lines[0], " ".join(lines[1:])]


def _pace(entry: Entry, look: Look) -> list[str]:
    speed = look.speeds.get(entry.name)
    if entry.known is not None and not fits(entry.known, look.hardware):
        return ["There is too little memory for it: it would be very slow."]
    if speed is None:
        return []
    guess = f"About {times_real_time(speed)} real time here (a guess)"
    if round(speed, 1) < 1:
        return [f"{guess}: words come late, none is lost."]
    return [f"{guess}."]


def progress_phrases(progress: Progress) -> list[str]:
    """How far a download is, the most important first."""
    match progress.phase:
        case Phase.ASKING:
            return ["asking the server"]
        case Phase.WAITING:
            return [_percent(progress), "waiting", progress.note]
        case Phase.CHECKING:
            return ["checking what is here", size(progress.done)]
        case Phase.DONE:
            return ["installed"]
    phrases = [_percent(progress)]
    if progress.left_s is not None:
        phrases.append(f"{duration(progress.left_s)} left")
    if progress.rate:
        phrases.append(f"{size(progress.rate)}/s")
    phrases.append(f"{size(progress.done)} of {size(progress.total)}")
    return phrases


def _percent(progress: Progress) -> str:
    return f"{int(progress.share * 100)} %"


def bar(share: float, width: int) -> tuple[str, str]:
    """The done and the missing part of a bar."""
    done = round(min(1.0, max(0.0, share)) * width)
    return "━" * done, "─" * (width - done)


def verdict(title: str, findings: Sequence[Finding]) -> tuple[str, bool]:
    """What a check came to, and is it a warning?"""
    for finding in findings:
        if finding.problem:
            return (
                f"{finding.file} is damaged: {finding.problem}. Delete it and get it again.",
                True,
            )
    if all(finding.by_hash for finding in findings):
        return f"{title} is whole: every byte is as it was published.", False
    return f"{title} is complete; no hash is known to compare every byte with.", False
