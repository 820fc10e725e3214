"""What the user has chosen, kept in one TOML file that people may edit by hand.

Each field carries its help line, its limits and its default; the file that is written holds the
help as comments. Comments and unknown keys of the user's survive saving. A wrong value is named
with its line and the default is used instead.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.exceptions
import tomlkit.items

DELAYS_MS = (*range(80, 1201, 80), 2400)
"""The transcription delays the model was trained for."""


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

    device: str = _setting("", "microphone by name, as `voxtui devices` shows it; empty = default")
    gain_db: float = _setting(0.0, "louder or softer, in decibels", low=-30, high=30)
    pre_roll_s: float = _setting(0.4, "sound kept from before you press, in seconds", low=0, high=2)
    post_roll_s: float = _setting(0.3, "sound kept after you let go, in seconds", low=0, high=2)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What writes the words."""

    model: str = _setting("auto", 'model: "auto", "tiny", a name in the models folder, or a path')
    delay_ms: int = _setting(
        0,
        "how long the model listens before it writes, in ms: 80 to 1200 in steps of 80, or 2400;"
        " longer is more exact; 0 = as the model advises (480)",
        choices=(0, *DELAYS_MS),
    )
    interval_s: float = _setting(
        0.5, "sound gathered before each step: small is quick, large is light", low=0.08, high=10
    )
    threads: int = _setting(0, "processor cores to use; 0 = all", low=0, high=256)


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Where words go."""

    folder: str = _setting("", "folder of the sessions; empty = the usual place")
    copy_after_stop: bool = _setting(False, "copy what was said when you let go")


@dataclass(frozen=True, slots=True)
class AppearanceSettings:
    """How the screen looks."""

    theme: str = _setting("voxtui-dark", "colour theme, as the command palette names it")
    timestamps: bool = _setting(True, "show when each paragraph began")
    dismissed_first_run: bool = _setting(False, "the note about the small model was read")


@dataclass(frozen=True, slots=True)
class Settings:
    """All groups; each is a table in the file."""

    audio: AudioSettings = field(default_factory=AudioSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)

    def replace(self, group: str, **values: Any) -> Settings:
        """A copy with some values of one group changed.

        Raises ValueError with one sentence when a value is out of range.
        """
        current = getattr(self, group)
        for name, value in values.items():
            problem = check(current, name, value)
            if problem:
                raise ValueError(f"{group}.{name}: {problem}")
        return dataclasses.replace(self, **{group: dataclasses.replace(current, **values)})


def help_line(group: Any, name: str) -> str:
    """What a setting does, in one line."""
    return str(_field(group, name).metadata["help"])


def check(group: Any, name: str, value: Any) -> str:
    """Why `value` does not fit the setting, or an empty string."""
    spec = _field(group, name)
    kind = type(spec.default)
    meta = spec.metadata
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        wanted = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
        return f"{value!r} should be {wanted[kind]}"
    if meta["choices"] and value not in meta["choices"]:
        return f"{value!r} is not one of " + ", ".join(str(c) for c in meta["choices"])
    if meta["low"] is not None and not meta["low"] <= value <= meta["high"]:
        return f"{value!r} should lie between {meta['low']:g} and {meta['high']:g}"
    return ""


def _field(group: Any, name: str) -> dataclasses.Field[Any]:
    for candidate in dataclasses.fields(group):
        if candidate.name == name:
            return candidate
    raise KeyError(name)


def load(path: Path) -> tuple[Settings, list[str]]:
    """Read the settings. Returns them and one sentence for each thing that was wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), []
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), [f"{path} cannot be read ({error}); the defaults are used."]
    try:
        document = tomlkit.parse(text)
    except tomlkit.exceptions.ParseError as error:
        return Settings(), [f"{path}: line {error.line}: {error}; the defaults are used."]
    settings, problems = Settings(), []
    for table in dataclasses.fields(Settings):
        given = document.get(table.name, {})
        if not isinstance(given, dict):
            problems.append(f"{path}: {table.name} should be a table; its defaults are used.")
            continue
        group, wrong = _read_group(getattr(settings, table.name), given)
        settings = dataclasses.replace(settings, **{table.name: group})
        problems += [f"{path}: {_where(text, table.name, key)}{why}" for key, why in wrong]
    return settings, problems


def _read_group(group: Any, given: dict[str, Any]) -> tuple[Any, list[tuple[str, str]]]:
    values: dict[str, Any] = {}
    wrong = []
    for spec in dataclasses.fields(group):
        if spec.name not in given:
            continue
        item = given[spec.name]
        value = item.unwrap() if isinstance(item, tomlkit.items.Item) else item
        problem = check(group, spec.name, value)
        if problem:
            wrong.append((spec.name, f"{spec.name}: {problem}; {spec.default!r} is used."))
        else:
            default = getattr(group, spec.name)
            values[spec.name] = float(value) if isinstance(default, float) else value
    return dataclasses.replace(group, **values), wrong


def _where(text: str, table: str, key: str) -> str:
    """ "line 12: " for a key of a table, as far as it can be told."""
    current = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            current = line.strip("[] ")
        elif current == table and line.split("=")[0].strip() == key:
            return f"line {number}: "
    return ""


def save(path: Path, settings: Settings) -> None:
    """Write the settings, keeping the comments and keys that are already in the file.

    Raises OSError when the file cannot be written.
    """
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, tomlkit.exceptions.ParseError):
        _keep_broken(path)
        document = tomlkit.document()
        document.add(tomlkit.comment("Settings of voxtui. Edit by hand as you like."))
    for table in dataclasses.fields(Settings):
        _write_group(document, table.name, getattr(settings, table.name))
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


def _write_group(document: tomlkit.TOMLDocument, name: str, group: Any) -> None:
    table = document.get(name)
    if not isinstance(table, dict):
        table = tomlkit.table()
        document[name] = table
        table = document[name]
    assert isinstance(table, dict)
    for spec in dataclasses.fields(group):
        value = getattr(group, spec.name)
        if spec.name not in table and isinstance(table, tomlkit.items.Table):
            table.add(tomlkit.comment(str(spec.metadata["help"])))
            table.add(spec.name, value)
        elif table[spec.name] != value:
            table[spec.name] = value
