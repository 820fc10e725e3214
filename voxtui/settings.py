"""What the user has chosen, kept in one TOML file that people may edit by hand.

Each field carries its help line, its limits and its default; the file that is written holds the
help as comments. Comments and unknown keys of the user's survive saving. A wrong value is named
with its line and the default is used instead.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtui.events import SYSTEM_DEFAULT

if TYPE_CHECKING:
    import tomlkit

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
        "days the sound of a session is kept, the words stay; -1 = for ever, 0 = until the session"
        " ends and its words are written",
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
            values[name] = _converted(value, _field(current, name).default)
        return dataclasses.replace(self, **{group: dataclasses.replace(current, **values)})


def help_line(group: Any, name: str) -> str:
    """What a setting does, in one line."""
    return str(_field(group, name).metadata["help"])


def check(group: Any, name: str, value: Any) -> str:
    """Why `value` does not fit the setting, or an empty string."""
    spec = _field(group, name)
    kind: type[Any] = type(spec.default)
    meta = spec.metadata
    value = _converted(value, spec.default)
    if type(value) is not kind or (kind is tuple and {*map(type, value)} - {str}):
        return f"{value!r} should be {_KINDS[kind]}"
    values: Iterable[Any] = value if kind is tuple else (value,)
    for one in values:
        if meta["choices"] and one not in meta["choices"]:
            return f"{one!r} is not one of " + ", ".join(str(c) for c in meta["choices"])
    if meta["low"] is not None and not meta["low"] <= value <= meta["high"]:
        return f"{value!r} should lie between {meta['low']:g} and {meta['high']:g}"
    return ""


def _converted(value: Any, default: object) -> Any:
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


def load(path: Path, before: Settings | None = None) -> tuple[Settings, list[str]]:
    """Read the settings. Returns them and one sentence for each thing that was wrong.

    In place of what is wrong stands what was used `before`, else the default.
    """
    fallback = before or Settings()
    instead = "what was used before stays" if before else "the defaults are used"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), []
    except (OSError, UnicodeDecodeError) as error:
        return fallback, [f"{path} cannot be read ({error}); {instead}."]
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return fallback, [f"{path}: {_told(error, text)}; {instead}."]
    settings, problems = Settings(), []
    known = [table.name for table in dataclasses.fields(Settings)]
    for name in document:
        if name not in known:
            problems.append(f"{path}: {_where(text, '', name)}{_unknown(name, known)}")
    for table in dataclasses.fields(Settings):
        given = document.get(table.name, {})
        if not isinstance(given, dict):
            problems.append(f"{path}: {table.name} should be a table; {instead}.")
            settings = dataclasses.replace(settings, **{table.name: getattr(fallback, table.name)})
            continue
        if table.name == "keys":
            settings, wrong = _read_keys(settings, given)
            problems += [f"{path}: {_where(text, 'keys', key)}{why}" for key, why in wrong]
            continue
        group, wrong = _read_group(getattr(fallback, table.name), given)
        settings = dataclasses.replace(settings, **{table.name: group})
        problems += [f"{path}: {_where(text, table.name, key)}{why}" for key, why in wrong]
    return settings, problems


def _told(error: tomllib.TOMLDecodeError, text: str) -> str:
    """What is wrong, with its line in front."""
    what, _, at = str(error).partition(" (at ")
    found = re.match(r"line (\d+)", at)
    return f"line {found[1] if found else len(text.splitlines())}: {what}"


def _read_group(before: Any, given: dict[str, Any]) -> tuple[Any, list[tuple[str, str]]]:
    """What is given, what was used before in place of what is wrong, else the defaults."""
    values: dict[str, Any] = {}
    names = [spec.name for spec in dataclasses.fields(before)]
    wrong = [(name, _unknown(name, names)) for name in given if name not in names]
    for spec in dataclasses.fields(before):
        if spec.name not in given:
            continue
        value = given[spec.name]
        problem = check(before, spec.name, value)
        if problem:
            values[spec.name] = getattr(before, spec.name)
            wrong.append((spec.name, f"{spec.name}: {problem}; {values[spec.name]!r} is used."))
        else:
            values[spec.name] = _converted(value, spec.default)
    return type(before)(**values), wrong


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"; did you mean {near[0]}?" if near else "; it is left as it is."
    return f"{name}: there is no such setting{meant}"


def _read_keys(settings: Settings, given: dict[str, Any]) -> tuple[Settings, list[tuple[str, str]]]:
    wrong = []
    for action, key in given.items():
        if isinstance(key, str) and key.strip():
            settings = settings.with_key(action, str(key))
        else:
            wrong.append((action, f"{action}: {key!r} should be the name of a key; ignored."))
    return settings, wrong


def _where(text: str, table: str, key: str) -> str:
    """ "line 12: " for a key of a table ("" is the file itself), as far as it can be told."""
    current = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        header = re.match(r"\[+\s*([^\]]+?)\s*\]", line)
        if header:
            current = header[1].strip("'\"")
            if not table and current.split(".")[0] == key:
                return f"line {number}: "
            continue
        name, _, value = (part.strip() for part in line.partition("="))
        path = [part.strip(" '\"") for part in name.split(".")]
        inside = [*([current] if current else []), *path]
        inline = value.startswith("{") and re.search(
            rf"""[{{,]\s*["']?{re.escape(key)}["']?\s*=""", value
        )
        if inside == ([table, key] if table else [key]) or (inside == [table] and inline):
            return f"line {number}: "
        if not table and inside[0] == key:
            return f"line {number}: "
    return ""


def save(path: Path, settings: Settings) -> None:
    """Write the settings, keeping the comments and keys that are already in the file.

    Raises OSError when the file cannot be written.
    """
    import tomlkit  # keeps comments; to read, the quicker tomllib will do
    import tomlkit.exceptions

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, tomlkit.exceptions.ParseError):
        _keep_broken(path)
        document = tomlkit.document()
        document.add(tomlkit.comment("Settings of voxtui. Edit by hand as you like."))
    for table in dataclasses.fields(Settings):
        if table.name != "keys":
            _write_group(document, table.name, getattr(settings, table.name))
    _write_keys(document, settings.keys)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(tomlkit.dumps(document))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _keep_broken(path: Path) -> None:
    """A file that cannot be parsed is somebody's work: keep it beside the new one."""
    if path.exists():
        os.replace(path, path.with_name(path.name + ".broken"))


def _table(document: tomlkit.TOMLDocument, name: str) -> dict[str, Any]:
    import tomlkit

    if not isinstance(document.get(name), dict):
        document[name] = tomlkit.table()
    table = document[name]
    assert isinstance(table, dict)
    return table


def _write_group(document: tomlkit.TOMLDocument, name: str, group: Any) -> None:
    import tomlkit.items

    table = _table(document, name)
    for spec in dataclasses.fields(group):
        value = getattr(group, spec.name)
        if isinstance(value, tuple):
            there = table.get(spec.name)
            if there is not None and _converted(_plain(there), ()) == value:
                continue
            value = list(value)
        if spec.name not in table and isinstance(table, tomlkit.items.Table):
            table.add(tomlkit.comment(str(spec.metadata["help"])))
            table.add(spec.name, value)
        elif table[spec.name] != value:
            table[spec.name] = value


def _plain(item: Any) -> Any:
    import tomlkit.items

    return item.unwrap() if isinstance(item, tomlkit.items.Item) else item


def _write_keys(document: tomlkit.TOMLDocument, keys: Mapping[str, str]) -> None:
    import tomlkit.items

    if "keys" not in document:
        document["keys"] = tomlkit.table()
        table = document["keys"]
        assert isinstance(table, tomlkit.items.Table)
        table.add(tomlkit.comment(KEYS_HELP))
    table = _table(document, "keys")
    for action in [name for name in table if name not in keys]:
        del table[action]
    for action, key in keys.items():
        if table.get(action) != key:
            table[action] = key
