"""`voxtui sessions`: what was said before."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from voxtui.cli.common import Failure, WrongInput, say, sessions_dir_option, sessions_root, write
from voxtui.session.errors import SessionError
from voxtui.session.exports import FORMATS, as_json, export
from voxtui.session.library import LoadedSession, find_session, list_sessions, load_session
from voxtui.session.markdown import position
from voxtui.session.meta import iso_time

name_argument = click.argument("name", default="last", metavar="[NAME]")
json_option = click.option("--json", "json_", is_flag=True, help="For programs.")


def _found(root: Path, name: str) -> Path:
    try:
        return find_session(root, name)
    except SessionError as error:
        raise WrongInput(str(error)) from error


def _loaded(root: Path, name: str) -> LoadedSession:
    try:
        return load_session(find_session(root, name))
    except SessionError as error:
        raise WrongInput(str(error)) from error


@click.group("sessions", invoke_without_command=True)
@sessions_dir_option
@click.pass_context
def command(ctx: click.Context, sessions_dir: Path | None) -> None:
    """List, show and export what was said before.

    NAME is a session's name, its beginning if that is enough, or `last` for the newest.
    """
    ctx.obj = sessions_root(sessions_dir)
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, json_=False)


@command.command("list")
@json_option
@click.pass_obj
def list_command(root: Path, json_: bool) -> int:
    """All sessions, the newest first."""
    found = list_sessions(root)
    if json_:
        listed: list[dict[str, Any]] = [
            {**asdict(info), "path": str(info.path), "began": iso_time(info.started)}
            for info in found
        ]
        write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return 0
    if not found:
        say(f"there are no sessions yet in {root}")
    for info in found:
        state = "" if info.finished else ("  [running]" if info.live else "  [broke off]")
        length = position(info.audio_s)
        write(f"{info.name}  {length:>8}  {info.words:>6} words{state}  {info.first_words}\n")
    return 0


@command.command("show")
@name_argument
@json_option
@click.pass_obj
def show_command(root: Path, name: str, json_: bool) -> int:
    """The words of a session, each paragraph with its time."""
    loaded = _loaded(root, name)
    if json_:
        about = {"name": loaded.name, "path": str(loaded.path), "finished": loaded.finished}
        value = {**about, **as_json(loaded.segments, loaded.meta)}
        write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        return 0
    for segment in loaded.segments:
        clock = time.strftime("%H:%M:%S", time.localtime(segment.wall_time))
        mark = {"note": "▸ ", "gap": "… "}.get(segment.kind.value, "")
        write(f"{clock}  {mark}{' '.join(segment.text.split())}\n")
    if not loaded.finished and not loaded.live and loaded.pending_s >= 1.0:
        wav = loaded.path / "audio.wav"
        say(
            f"the last {loaded.pending_s:.0f} s of sound were not written down; "
            f"voxtui transcribe {wav} writes down all of it again"
        )
    return 0


@command.command("export")
@name_argument
@click.option("--format", "fmt", type=click.Choice(FORMATS), help="Default: as -o, else md.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file.")
@click.pass_obj
def export_command(root: Path, name: str, fmt: str | None, output: Path | None) -> int:
    """A session as text, Markdown, subtitles or JSON."""
    loaded = _loaded(root, name)
    suffix = output.suffix.lstrip(".").lower() if output else ""
    text = export(loaded.segments, fmt or (suffix if suffix in FORMATS else "md"), loaded.meta)
    if output is None:
        write(text)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"Cannot write {output}: {error.strerror}.") from error
    return 0


@command.command("path")
@name_argument
@json_option
@click.pass_obj
def path_command(root: Path, name: str, json_: bool) -> int:
    """The folder of a session."""
    path = _found(root, name)
    write((json.dumps({"name": path.name, "path": str(path)}) if json_ else str(path)) + "\n")
    return 0
