"""What the user can choose. Each field carries its help line, its limits and its default.

`settingsfile` keeps what was chosen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from voxtui.events import SYSTEM_DEFAULT

if TYPE_CHECKING:
    pass

DELAYS_MS = (*range(80, 1201, 80), 2400)
"""The transcription delays the model was trained for."""

ENGINES = ("auto", "voxtral_c", "ggml", "upstream", "realtime")
"""What can write the words; docs/engines.md tells of each."""

DIALECTS = ("vllm", "openai", "mistral")
"""How servers speak."""

KEYS_HELP = 'other keys than the usual ones, such as talk = "f9"; the settings panel shows all'

_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "text, or a list of texts",
}


def _setting(
    default: Any,
    help_line: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] = (),
) -> Any:
    """A dataclass field that knows its help line and what values it takes."""
    return field(
        default=default,
        metadata={"help": help_line, "low": low, "high": high, "choices": choices},
    )


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """The microphone."""

    device: tuple[str, ...] = _setting(
        (),
        "microphones by name, as `voxtui devices` shows them: the first one that is there is heard;"
        f' "{SYSTEM_DEFAULT}" may be among them; empty = just that',
    )
    gain_db: float = _setting(0.0, "louder or softer, in decibels", low=-30, high=30)
    voice_dbfs: float = _setting(
        -45.0, "what is quieter counts as silence, in dB below full scale", low=-80, high=-10
    )
    pre_roll_s: float = _setting(0.4, "sound kept from before you press, in seconds", low=0, high=2)
    post_roll_s: float = _setting(0.3, "sound kept after you let go, in seconds", low=0, high=2)
    keep_audio_days: int = _setting(
        -1,
        "days the sound of a session is kept (and one more, in case the clock is wrong), the words"
        " stay; -1 = for ever, 0 = until the session ends and its words are written",
        low=-1,
        high=3650,
    )


@dataclass(frozen=True, slots=True)
class TalkSettings:
    """Holding, tapping, hands-free."""

    longest_hold_s: int = _setting(
        600, "a key held longer was forgotten, in seconds", low=5, high=7200
    )
    idle_stop_min: int = _setting(
        30, "minutes without a word after which hands-free stops; 0 = never", low=0, high=1440
    )
    pause_after_s: float = _setting(
        0.0,
        "hands-free: after so many seconds below voice_dbfs nothing is written until a voice is"
        " heard again; 0 = everything is written",
        low=0,
        high=600,
    )
    bell: bool = _setting(False, "ring the bell once when listening starts, twice when it stops")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What writes the words."""

    name: str = _setting(
        "auto",
        "what writes the words: auto = what `voxtui bench` found best here, else voxtral_c, the"
        " built-in one; docs/engines.md tells of each",
        choices=ENGINES,
    )
    model: str = _setting("auto", 'model: "auto", "tiny", a name in the models folder, or a path')
    precision: str = _setting(
        "auto", "how exact the weights are in memory, as the engine names it; auto = as they come"
    )
    backend: str = _setting(
        "auto",
        "what the engine voxtral_c computes with: auto, cpu, or gpu where there is one",
        choices=("auto", "cpu", "gpu"),
    )
    delay_ms: int = _setting(
        0,
        "how long the model listens before it writes, in ms: 80 to 1200 in steps of 80, or 2400;"
        " longer is more exact; 0 = as the model advises (480)",
        choices=(0, *DELAYS_MS),
    )
    interval_s: float = _setting(
        0.5,
        "the most sound gathered before each step: small is quick, large is light; less is gathered"
        " while there is time to spare",
        low=0.08,
        high=10,
    )
    threads: int = _setting(0, "processor cores to use; 0 = all", low=0, high=256)
    alternatives: int = _setting(
        3, "how many other words are kept for each one, to choose from", low=0, high=4
    )
    upstream: str = _setting("", "for the engine upstream: the program `voxtral` of voxtral.c")


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """The server of the engine `realtime`. Its key is never kept here."""

    url: str = _setting(
        "",
        'where the engine realtime finds its server, such as "ws://localhost:8000/v1/realtime";'
        " its key comes from VOXTUI_REALTIME_KEY or the system's keyring",
    )
    dialect: str = _setting("vllm", "how that server speaks", choices=DIALECTS)
    model: str = _setting(
        "mistralai/Voxtral-Mini-4B-Realtime-2602", "the model's name on that server"
    )


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where words go."""

    folder: str = _setting("", "folder of the sessions; empty = the usual place")
    formats: tuple[str, ...] = _setting(
        (),
        "written beside transcript.md when a session ends",
        choices=("txt", "srt", "vtt", "json"),
    )
    daily_folder: str = _setting(
        "",
        "folder of one Markdown file a day that all settled words are added to; what is changed"
        " later changes there too; empty = none",
    )
    copy_after_stop: bool = _setting(False, "copy what was said when you let go")
    hook: str = _setting(
        "",
        "shell command that gets what was said when you let go, a line a paragraph; what it prints"
        " takes its place; empty = none",
    )
    hook_timeout_s: float = _setting(
        10.0, "longest time for that command, in seconds", low=0.1, high=600
    )


@dataclass(frozen=True, slots=True)
class AppearanceSettings:
    """How the screen looks."""

    theme: str = _setting("voxtui-dark", "colour theme, as the command palette names it")
    timestamps: bool = _setting(True, "show when each paragraph began")
    plain_glyphs: bool = _setting(False, "only signs that every font has")
    large_captions: bool = _setting(True, "captions in large letters, where there is room")
    doubts: bool = _setting(False, "underline words that may be misheard")
    doubt_below: float = _setting(
        0.5, "words less probable than this may be misheard, from 0 to 1", low=0, high=1
    )
    dismissed_first_run: bool = _setting(False, "the note about the small model was read")


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups; each is a table in the file."""

    audio: AudioSettings = field(default_factory=AudioSettings)
    talk: TalkSettings = field(default_factory=TalkSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    remote: RemoteSettings = field(default_factory=RemoteSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys than the usual ones: what a key does, and its name or names with commas."""

    def with_key(self, action: str, key: str | None) -> Settings:
        """A copy with another key for an action; with None, its usual one."""
        keys = {name: value for name, value in self.keys.items() if name != action}
        return dataclasses.replace(self, keys=keys | ({action: key} if key else {}))

    def replace(self, group: str, **values: Any) -> Settings:
        """A copy with some values of one group changed.

        Raises ValueError with one sentence when a value is out of range.
        """
        current = getattr(self, group)
        for name, value in values.items():
            problem = check(current, name, value)
            if problem:
                raise ValueError(f"{group}.{name}: {problem}")
            values[name] = converted(value, _field(current, name).default)
        return dataclasses.replace(self, **{group: dataclasses.replace(current, **values)})


def help_line(group: Any, name: str) -> str:
    """What a setting does, in one line."""
    return str(_field(group, name).metadata["help"])


def check(group: Any, name: str, value: Any) -> str:
    """Why `value` does not fit the setting, or an empty string."""
    spec = _field(group, name)
    kind: type[Any] = type(spec.default)
    meta = spec.metadata
    value = converted(value, spec.default)
    if type(value) is not kind or (kind is tuple and {*map(type, value)} - {str}):
        return f"{value!r} should be {_KINDS[kind]}"
    values: Iterable[Any] = value if kind is tuple else (value,)
    for one in values:
        if meta["choices"] and one not in meta["choices"]:
            return f"{one!r} is not one of " + ", ".join(str(c) for c in meta["choices"])
    if meta["low"] is not None and not meta["low"] <= value <= meta["high"]:
        return f"{value!r} should lie between {meta['low']:g} and {meta['high']:g}"
    return ""


def converted(value: Any, default: object) -> Any:
    """A whole number where any number may stand, one text where several may."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, tuple) and isinstance(value, str):
        return (value,) if value else ()
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    return value


def _field(group: Any, name: str) -> dataclasses.Field[Any]:
    for candidate in dataclasses.fields(group):
        if candidate.name == name:
            return candidate
    raise KeyError(name)
