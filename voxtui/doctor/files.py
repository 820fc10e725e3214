"""Folders, room on the disk, the model's files."""

from __future__ import annotations

import os
from pathlib import Path

from voxtui import paths, settingsfile
from voxtui.doctor.finding import Finding, broken, note, ok
from voxtui.engine.models import ModelError, find_model
from voxtui.machine.hardware import Hardware, disk_free
from voxtui.settings import Settings

LITTLE_ROOM = 2_000_000_000
NO_ROOM = 50_000_000
HOUR = 115_000_000
"""Bytes of an hour of sound."""


def folders(chosen: Settings) -> Finding:
    """May we write where we have to?"""
    wanted = {
        "sessions": sessions_folder(chosen),
        "models": paths.models_dir(),
        "settings": paths.config_file().parent,
        "logs": paths.log_dir(),
    }
    if chosen.output.daily_folder:
        wanted["daily file"] = Path(chosen.output.daily_folder).expanduser()
    facts = {name: str(path) for name, path in wanted.items()}
    refused = {name: path for name, path in wanted.items() if not may_write(path)}
    if not refused:
        kept = paths.short(wanted["sessions"])
        return ok("folders", f"All can be written; sessions are in {kept}.", **facts)
    name, path = next(iter(refused.items()))
    there = next((p for p in (path, *path.parents) if p.exists()), path)
    fix = f"Make {there} yours: sudo chown -R $USER {there}; or choose another folder."
    return broken("folders", f"The folder of the {name}, {path}, cannot be written.", fix, **facts)


def may_write(path: Path) -> bool:
    """Is it a folder that can be written, or can it be made?"""
    for folder in (path, *path.parents):
        if folder.exists():
            return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
    return False


def sessions_folder(chosen: Settings) -> Path:
    """Where sessions are kept."""
    folder = chosen.output.folder
    return Path(folder).expanduser() if folder else paths.sessions_dir()


def room(chosen: Settings) -> Finding:
    """Room for sound."""
    folder = sessions_folder(chosen)
    free = disk_free(folder)
    hours = free / HOUR
    told = f"{free / 1e9:.1f} GB free for sessions, some {hours:,.0f} hours of sound."
    if free < NO_ROOM:
        fix = f"Make room where {folder} is, or choose another folder in the settings."
        return broken("disk", f"The disk is full: {told}", fix, free=free)
    if free < LITTLE_ROOM:
        return note("disk", told, "The settings can delete old sound by themselves.", free=free)
    return ok("disk", told, free=free)


def settings_file() -> Finding:
    """Is all in it understood?"""
    path = paths.config_file()
    short = paths.short(path)
    _, problems = settingsfile.load(path)
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        return note("settings", problems[0] + more, f"Edit {short}.", problems=problems)
    return ok("settings", short if path.exists() else f"None chosen yet; {short}.")


def model(spec: str, machine: Hardware) -> Finding:
    """The model that would write."""
    try:
        found = find_model(spec)
    except ModelError as error:
        return broken("model", str(error), "See what there is: voxtui model list.", model=spec)
    size = found.size
    facts = {"model": found.name, "path": str(found.path), "bytes": size}
    if found.builtin:
        return note(
            "model",
            "Only the small model is there, which knows some forty words: for trying.",
            "Get a real one: voxtui model download.",
            **facts,
        )
    if machine.memory and size > machine.memory * 0.9:
        return note(
            "model",
            f"{found.name} ({size / 1e9:.1f} GB) is larger than the memory"
            f" ({machine.memory / 1e9:.1f} GB): it will be very slow.",
            "Choose a smaller one: voxtui model list.",
            **facts,
        )
    return ok("model", f"{found.name}, {size / 1e9:.1f} GB.", **facts)
