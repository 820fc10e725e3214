"""All settings as rows in groups. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from voxtui.events import SYSTEM_DEFAULT
from voxtui.settings import DELAYS_MS, Settings
from voxtui.ui.backend import ADVISED_DELAY_MS, Abilities, Choice
from voxtui.ui.panels import helps
from voxtui.ui.panels.rows import KeyRow, Row, Tab, row, standing, typed
from voxtui.ui.theme import THEMES, TITLES

INTERVALS_S = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
GAINS_DB = (-12.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
VOICES_DBFS = (-65.0, -60.0, -55.0, -50.0, -45.0, -40.0, -35.0, -30.0)
ROLLS_S = (0.0, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
KEEP_DAYS = {-1: "for ever", 365: "a year", 90: "90 days", 30: "30 days", 7: "a week", 0: "no"}
HOLDS_S = {60: "1 minute", 300: "5 minutes", 600: "10 minutes", 1800: "30 minutes", 7200: "2 hours"}
IDLE_MIN = {0: "never", 5: "5 minutes", 15: "15 minutes", 30: "30 minutes", 120: "2 hours"}
PAUSES_S = {
    0.0: "no",
    5.0: "after 5 s",
    10.0: "after 10 s",
    30.0: "after 30 s",
    60.0: "after 1 min",
}
FORMATS = {"txt": "text", "srt": "subtitles", "vtt": "web subtitles", "json": "for programs"}
DOUBTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HOOK_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
PLACES = 3
"""So many microphones can be put in order on the page; the file takes more."""


@dataclass(frozen=True, slots=True)
class Found:
    """What this machine and the engine have to choose from."""

    microphones: Sequence[Choice]
    models: Sequence[Choice]
    engines: Sequence[Choice] = ()
    can: Abilities = field(default_factory=Abilities)
    """What can be chosen of the engine in use."""
    precision: str = ""
    backend: str = ""
    """Those that "auto" came to."""
    cores: int = 1


def tabs(settings: Settings, found: Found, keys: Sequence[KeyRow] = ()) -> list[Tab]:
    """All rows, standing at what the settings say."""
    return [
        Tab("Sound", [*_microphones(settings, found.microphones), *_sound(settings)]),
        Tab("Words", _words(settings, found)),
        Tab("Talk", _talk(settings)),
        Tab("Keys", list(keys)),
        Tab("Page", _page(settings)),
        Tab("Files", _files(settings)),
    ]


def _microphones(settings: Settings, present: Sequence[Choice]) -> list[Row | KeyRow]:
    """The order in which microphones are tried."""
    wanted = settings.audio.device or (SYSTEM_DEFAULT,)
    rows: list[Row | KeyRow] = []
    for place in range(min(PLACES, len(wanted) + 1)):
        value = wanted[place] if place < len(wanted) else ""
        others = set(wanted) - {value}
        choices = [choice for choice in present if choice.value not in others]
        if place:
            choices.insert(0, Choice("", "nothing"))
        if value and value not in [choice.value for choice in choices]:
            name = value.partition(": ")[2] or value
            choices.append(Choice(value, name, "not there now"))

        def put(before: tuple[str, ...], chosen: str, place: int = place) -> tuple[str, ...]:
            before = before or (SYSTEM_DEFAULT,)
            after = [*before[:place], chosen, *before[place + 1 :]]
            return tuple(name for name in dict.fromkeys(after) if name)

        label, tell = ("or else", helps.next_microphone) if place else ("microphone", helps.device)
        rows.append(standing("audio", "device", label, choices, value, tell, put))
    return rows


def _sound(settings: Settings) -> list[Row]:
    gains = [Choice(value, f"{value:+.0f} dB" if value else "0 dB") for value in GAINS_DB]
    voices = [Choice(value, f"{value:.0f} dB") for value in VOICES_DBFS]
    rolls = [Choice(value, f"{value:g} s") for value in ROLLS_S]
    return [
        row(settings, "audio", "gain_db", "louder by", gains, helps.gain),
        row(settings, "audio", "voice_dbfs", "voice from", voices, helps.voice),
        row(settings, "audio", "pre_roll_s", "from before", rolls, helps.pre_roll),
        row(settings, "audio", "post_roll_s", "and after", rolls, helps.post_roll),
        row(settings, "audio", "keep_audio_days", "keep sound", _named(KEEP_DAYS), helps.keep),
    ]


def _words(settings: Settings, found: Found) -> list[Row | KeyRow]:
    delays = [Choice(ms, f"{ms} ms") for ms in DELAYS_MS if ms != ADVISED_DELAY_MS]
    delays.append(Choice(0, f"{ADVISED_DELAY_MS} ms"))
    delays.sort(key=lambda choice: choice.value or ADVISED_DELAY_MS)
    steps = [Choice(value, f"{value:g} s") for value in INTERVALS_S]
    exact = _or_auto(found.can.precisions, found.precision)
    places = _or_auto(found.can.backends, found.backend)
    others = [Choice(count, f"up to {count}" if count else "none") for count in range(5)]
    cores = [Choice(count, str(count) if count else "all") for count in range(found.cores)]
    rows = [
        row(settings, "engine", "name", "engine", list(found.engines), helps.engine),
        *_where(settings),
        row(settings, "engine", "model", "model", list(found.models), helps.model),
        row(settings, "engine", "precision", "precision", exact, helps.precision),
        row(settings, "engine", "backend", "computes on", places, helps.backend),
        row(settings, "engine", "delay_ms", "delay", delays, helps.delay),
        row(settings, "engine", "interval_s", "step", steps, helps.interval),
        row(settings, "engine", "threads", "cores", cores, helps.cores),
        row(settings, "engine", "alternatives", "other words", others, helps.alternatives),
    ]
    return [each for each in rows if each.name not in found.can.lacks]


def _where(settings: Settings) -> list[Row]:
    """Where the chosen engine is, if that has to be said."""
    match settings.engine.name:
        case "upstream":
            usual = "~/voxtral.c/voxtral"
            return [typed(settings, "engine", "upstream", "program", usual, helps.UPSTREAM)]
        case "realtime":
            return [typed(settings, "remote", "url", "server", "none yet", helps.SERVER)]
    return []


def _or_auto(names: Sequence[str], came_to: str) -> list[Choice]:
    auto = f"auto ({came_to.lower()})" if came_to else "auto"
    return [Choice(n, auto if n == "auto" else n) for n in dict.fromkeys(("auto", *names))]


def _talk(settings: Settings) -> list[Row | KeyRow]:
    return [
        row(settings, "talk", "longest_hold_s", "hold at most", _named(HOLDS_S), helps.hold),
        row(settings, "talk", "idle_stop_min", "forget after", _named(IDLE_MIN), helps.idle),
        row(settings, "talk", "pause_after_s", "pause", _named(PAUSES_S), helps.pause),
        row(settings, "talk", "bell", "bell", _yes_no("rings", "silent"), helps.bell),
    ]


def _page(settings: Settings) -> list[Row | KeyRow]:
    themes = [Choice(theme.name, TITLES[theme.name]) for theme in THEMES]
    copies = [Choice(False, "when asked"), Choice(True, "when you stop")]
    likely = [Choice(value, f"{value:.0%}") for value in DOUBTS]
    signs = [Choice(False, "fine"), Choice(True, "plain")]
    sizes = [Choice(True, "large"), Choice(False, "the terminal's")]
    return [
        row(settings, "appearance", "theme", "colours", themes, helps.theme),
        row(
            settings, "appearance", "timestamps", "times", _yes_no("shown", "hidden"), helps.stamps
        ),
        row(settings, "appearance", "doubts", "doubts", _yes_no("marked", "plain"), helps.doubts),
        row(settings, "appearance", "doubt_below", "doubt below", likely, helps.doubt_below),
        row(settings, "appearance", "large_captions", "captions", sizes, helps.captions),
        row(settings, "appearance", "plain_glyphs", "signs", signs, helps.glyphs),
        row(settings, "output", "copy_after_stop", "copy", copies, helps.copy),
    ]


def _files(settings: Settings) -> list[Row | KeyRow]:
    rows: list[Row | KeyRow] = [
        typed(settings, "output", "folder", "sessions in", "the usual place", helps.FOLDER),
        typed(settings, "output", "daily_folder", "daily file in", "no folder", helps.DAILY),
    ]
    for fmt, what in FORMATS.items():

        def put(before: tuple[str, ...], chosen: bool, fmt: str = fmt) -> tuple[str, ...]:
            return tuple(f for f in FORMATS if (chosen if f == fmt else f in before))

        def told(choice: Choice, fmt: str = fmt, what: str = what) -> str:
            return f"transcript.{fmt} ({what}) beside the session when it ends."

        on = fmt in settings.output.formats
        choices = _yes_no("yes", "no")
        rows.append(standing("output", "formats", f"also {fmt}", choices, on, told, put))
    times = [Choice(value, f"{value:g} s") for value in HOOK_S]
    rows.append(typed(settings, "output", "hook", "command", "none", helps.HOOK))
    rows.append(row(settings, "output", "hook_timeout_s", "it may take", times, helps.hook_time))
    return rows


def _named(values: dict[int, str] | dict[float, str]) -> list[Choice]:
    return [Choice(value, name) for value, name in values.items()]


def _yes_no(yes: str, no: str) -> list[Choice]:
    return [Choice(True, yes), Choice(False, no)]
