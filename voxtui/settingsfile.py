"""The settings in one TOML file that people may edit by hand.

The file that is written holds the help as comments. Comments and unknown keys of the user's survive
saving. A wrong value is named with its line, and stays there while the default is used.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtui.files import replace_text
from voxtui.settings import KEYS_HELP, Settings, check, converted

if TYPE_CHECKING:
    import tomlkit

Setting = tuple[str, str]
"""A group and a name; of a key, "keys" and what it does."""
BROKEN = ".broken"
"""Added to the name of a file that could not be understood, when another takes its place."""


def load(path: Path, before: Settings | None = None) -> tuple[Settings, list[str]]:
    """Read the settings. Returns them and one sentence for each thing that was wrong.

    In place of what is wrong stands what was used `before`, else the default.
    """
    fallback = before or Settings()
    kept = f" (when one is changed in voxtui this file is kept as {path.name}{BROKEN})"
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
        return fallback, [f"{path}: {_told(error, text)}; {instead}{kept}."]
    settings, problems = Settings(), []
    known = [table.name for table in dataclasses.fields(Settings)]
    for name in document:
        if name not in known:
            problems.append(f"{path}: {_where(text, '', name)}{_unknown(name, known)}")
    for table in dataclasses.fields(Settings):
        given = document.get(table.name, {})
        if not isinstance(given, dict):
            problems.append(f"{path}: {table.name} should be a table; {instead}{kept}.")
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
            values[spec.name] = converted(value, spec.default)
    return type(before)(**values), wrong


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"; did you mean {near[0]}?" if near else "; it is left as it is."
    return f"{name}: there is no such setting{meant}"


def _read_keys(settings: Settings, given: dict[str, Any]) -> tuple[Settings, list[tuple[str, str]]]:
    wrong = []
    for action, key in given.items():
        if _is_key(key):
            settings = settings.with_key(action, str(key))
        else:
            wrong.append((action, f"{action}: {key!r} should be the name of a key; ignored."))
    return settings, wrong


def _is_key(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


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


def save(path: Path, settings: Settings, changed: Setting | None = None) -> None:
    """Write the settings, keeping the comments and keys that are already in the file.

    A value there that is wrong stays as it is, for its author to put right, unless it is that of
    the setting that is `changed`. Raises OSError when the file cannot be written.
    """
    import tomlkit  # keeps comments; to read, the quicker tomllib will do
    import tomlkit.exceptions

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, tomlkit.exceptions.ParseError):
        _keep_broken(path)
        document = tomlkit.document()
        document.add(tomlkit.comment("Settings of voxtui. Edit by hand as you like."))
    names = [table.name for table in dataclasses.fields(Settings)]
    if not all(isinstance(document.get(name, {}), dict) for name in names):
        _keep_broken(path)
    for name in names:
        if name != "keys":
            _write_group(document, name, getattr(settings, name), changed)
    _write_keys(document, settings.keys, changed)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, tomlkit.dumps(document))


def _keep_broken(path: Path) -> None:
    """What cannot be understood is somebody's work: keep it beside the new file."""
    names = itertools.chain([BROKEN], (f"{BROKEN}-{n}" for n in itertools.count(2)))
    beside = (path.with_name(path.name + name) for name in names)
    if path.exists():
        shutil.copy2(path, next(other for other in beside if not other.exists()))


def _table(document: tomlkit.TOMLDocument, name: str) -> dict[str, Any]:
    import tomlkit

    if not isinstance(document.get(name), dict):
        document[name] = tomlkit.table()
    table = document[name]
    assert isinstance(table, dict)
    return table


def _write_group(
    document: tomlkit.TOMLDocument, name: str, group: Any, changed: Setting | None
) -> None:
    import tomlkit.items

    table = _table(document, name)
    for spec in dataclasses.fields(group):
        value = getattr(group, spec.name)
        there = _plain(table.get(spec.name))
        if there is not None and (name, spec.name) != changed and check(group, spec.name, there):
            continue
        if isinstance(value, tuple):
            if there is not None and converted(there, ()) == value:
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


def _write_keys(
    document: tomlkit.TOMLDocument, keys: Mapping[str, str], changed: Setting | None
) -> None:
    import tomlkit.items

    if "keys" not in document:
        document["keys"] = tomlkit.table()
        table = document["keys"]
        assert isinstance(table, tomlkit.items.Table)
        table.add(tomlkit.comment(KEYS_HELP))
    table = _table(document, "keys")
    for action in [name for name in table if name not in keys]:
        if _is_key(_plain(table[action])) or changed == ("keys", action):
            del table[action]
    for action, key in keys.items():
        if table.get(action) != key:
            table[action] = key
