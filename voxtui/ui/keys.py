"""Which key does what: the bindings of the page, other keys for them, and what clashes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from textual.binding import ActiveBinding, Binding
from textual.keys import format_key

from voxtui.ui.panels.rows import KeyRow
from voxtui.ui.words import key_name

RESERVED = {
    "escape": "goes back",
    "ctrl+c": "stops",
    "ctrl+q": "leaves",
    "ctrl+p": "shows all commands",
    "tab": "goes on",
    "shift+tab": "goes back",
    "enter": "opens",
    "ignore": "is no key",
}
"""Keys that stay as they are."""

TALK = "talk"
NONE = "none"
"""In place of a key: there is none for this."""
MODIFIERS = {"left_", "right_"}


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a key can do on the page."""

    id: str
    name: str
    usual: str
    """Its keys with commas, as its binding has them."""
    listed: bool
    """Is it among those that the settings show?"""


def deeds(bindings: Iterable[Binding]) -> list[Deed]:
    """What can be done, each once."""
    found: dict[str, Deed] = {}
    for binding in bindings:
        if binding.id and binding.id not in found:
            name = binding.description or binding.tooltip or binding.id
            found[binding.id] = Deed(binding.id, name, binding.key, bool(binding.description))
    return list(found.values())


def bindings_of(screen: type, base: type) -> Iterator[Binding]:
    """What a screen binds, and what it is made of from `base` on, that one first."""
    for room in reversed(screen.__mro__):
        if issubclass(room, base):
            yield from (b for b in room.__dict__.get("BINDINGS", ()) if isinstance(b, Binding))


def first_of_each(active: Iterable[ActiveBinding]) -> dict[str | None, Binding]:
    """The bindings that do something now, by their ids: of several keys the first."""
    return {binding.id: binding for _, binding, *_ in reversed(list(active))}


def keys_of(deed: Deed, chosen: Mapping[str, str]) -> list[str]:
    """The keys that do it now."""
    keys = [key.strip() for key in chosen.get(deed.id, deed.usual).split(",")]
    return [key for key in keys if key and key != NONE]


def bound(key: str) -> str:
    """What is kept for a pressed key: both cases of a letter."""
    if len(key) == 1 and key.isalpha() and key.lower() != key.upper():
        return f"{key.lower()},{key.upper()}"
    return key


def taken_by(key: str, deed_id: str, all_: Iterable[Deed], chosen: Mapping[str, str]) -> str:
    """What else the key does, as a name; "" when it is free."""
    wanted = set(bound(key).split(","))
    for other in all_:
        if other.id != deed_id and wanted & set(keys_of(other, chosen)):
            return other.name
    return ""


def why_not(key: str) -> str:
    """Why a key cannot be chosen, or ""."""
    if key in RESERVED:
        return f"{shown(key)} always {RESERVED[key]}. Another one?"
    return ""


def shown(keys: str) -> str:
    """The first of the keys, as people call it."""
    key = keys.split(",", maxsplit=1)[0].strip()
    if key == NONE:
        return "no key"
    if key == "escape":
        return "Esc"
    if key in ("space", "enter", "tab", "backspace", "delete", "insert"):
        return key.capitalize()
    parts = key.split("+")
    name = format_key(parts[-1]) if "_" not in parts[-1] else _spoken(parts[-1])
    return "+".join([*(part.capitalize() for part in parts[:-1]), key_name(name)])


def _spoken(name: str) -> str:
    if name.startswith(tuple(MODIFIERS)):
        side, _, what = name.partition("_")
        return f"{side.capitalize()} {what.capitalize()}"
    return format_key(name)


def talk_key(chosen: Mapping[str, str]) -> str:
    """The key to talk with."""
    return chosen.get(TALK, "space").split(",")[0].strip().lower()


def types(key: str) -> bool:
    """Does it write a character where there is a field for text?"""
    return (
        key == "space" or len(key) == 1 or (len(format_key(key)) == 1 and format_key(key).isascii())
    )


def key_rows(all_: Iterable[Deed], chosen: Mapping[str, str]) -> list[KeyRow]:
    """The lines of the settings."""
    all_ = list(all_)
    rows = []
    for deed in all_:
        if deed.listed:
            key = chosen.get(deed.id, deed.usual)
            clash = next(
                (t for k in keys_of(deed, chosen) if (t := taken_by(k, deed.id, all_, chosen))), ""
            )
            rows.append(KeyRow(deed.id, deed.name, deed.usual, key, shown(key), clash))
    return rows


def problems(all_: Iterable[Deed], chosen: Mapping[str, str]) -> list[str]:
    """What is wrong in the settings file, a sentence each."""
    all_ = list(all_)
    names = {deed.id for deed in all_}
    usual = ", ".join(sorted(deed.id for deed in all_ if deed.listed))
    found = [
        f"keys.{name}: there is no such action; there are {usual}."
        for name in chosen
        if name not in names
    ]
    for deed in all_:
        if deed.id in chosen:
            for key in keys_of(deed, chosen):
                if key in RESERVED and key not in deed.usual.split(","):
                    found.append(f"keys.{deed.id}: {shown(key)} always {RESERVED[key]}.")
                elif other := taken_by(key, deed.id, all_, chosen):
                    found.append(f"keys.{deed.id}: {shown(key)} also means {other!r}.")
    return found
