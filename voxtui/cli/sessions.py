"""`voxtui sessions`: what was said before."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from voxtui.cli.common import Failure, WrongInput, say, sessions_dir_option, sessions_root, write
from voxtui.cli.retranscribe import retranscribe_command, versions_command
from voxtui.session.errors import SessionError
from voxtui.session.exports import FORMATS, as_json, export
from voxtui.session.index import Match, open_index
from voxtui.session.keeping import delete, deleted_sessions, empty_trash, rename, restore
from voxtui.session.library import (
    LoadedSession,
    SessionInfo,
    find_session,
    list_sessions,
    load_session,
)
from voxtui.session.markdown import position
from voxtui.session.matching import SNIPPET, Query
from voxtui.session.meta import iso_time

Answer = TypeVar("Answer")

name_argument = click.argument("name", default="last", metavar="[NAME]")
json_option = click.option("--json", "json_", is_flag=True, help="For programs.")


def _found(root: Path, name: str) -> Path:
    try:
        return find_session(root, name)
    except SessionError as error:
        raise WrongInput(str(error)) from error


def _carefully(work: Callable[[], Answer]) -> Answer:
    """What goes wrong is told in a sentence."""
    try:
        return work()
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
    """List, search, show, export and tidy what was said before.

    NAME is a session's name, its beginning if that is enough, or `last` for the newest.
    """
    ctx.obj = sessions_root(sessions_dir)
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, json_=False)


def info_json(info: SessionInfo) -> dict[str, Any]:
    """One session of a list, for programs."""
    return {**asdict(info), "path": str(info.path), "began": iso_time(info.started)}


def info_line(info: SessionInfo) -> str:
    """One session of a list, for people."""
    if info.problem:
        return f"{info.name}  [cannot be read]  {info.problem}"
    state = "" if info.finished else ("  [running]" if info.live else "  [broke off]")
    length = position(info.audio_s)
    title = f"{info.title}: " if info.title else ""
    noun = "word " if info.words == 1 else "words"
    return f"{info.name}  {length:>8}  {info.words:>6} {noun}{state}  {title}{info.first_words}"


def write_json(value: Any) -> None:
    """One value for programs, on standard output."""
    write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


@command.command("list")
@json_option
@click.pass_obj
def list_command(root: Path, json_: bool) -> int:
    """All sessions, the newest first."""
    found = list_sessions(root)
    if json_:
        write_json([info_json(info) for info in found])
        return 0
    if not found:
        say(f"there are no sessions yet in {root}")
    for info in found:
        write(info_line(info) + "\n")
    return 0


@command.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Places.")
@json_option
@click.pass_obj
def search_command(root: Path, words: tuple[str, ...], limit: int, json_: bool) -> int:
    """Find WORDS in all sessions, the newest first.

    Beginnings of words are enough; case and accents do not matter; "several words" in quotes are
    a phrase (for the shell: '"several words"'). The exit code is 1 when nothing is found.
    """
    query = Query.parse(" ".join(words))
    if not query:
        raise WrongInput("Give a word to look for.")
    index = open_index(root)
    try:
        index.refresh()
        names = index.search(query)
        places = (match for name in names for match in index.matches(name, query))
        found = list(itertools.islice(places, limit))
        titles = {info.name: info.title for info in index.sessions()}
    finally:
        index.close()
    if json_:
        write_json([match_json(match) for match in found])
    else:
        for match in found:
            write(match_line(match, titles.get(match.session, "")) + "\n")
        if not found:
            _say_titles(names, titles)
    return 0 if names else 1


def _say_titles(names: list[str], titles: dict[str, str]) -> None:
    """Where only titles hold the words, those."""
    for name in names:
        write(f"{name}  {titles.get(name, '')}\n")
    if not names:
        say("nothing was found")


def match_json(match: Match) -> dict[str, Any]:
    """One place, for programs."""
    short = match.shortened(SNIPPET)
    return {
        "session": match.session,
        "paragraph": match.number,
        "kind": match.kind.value,
        "start": match.start_s,
        "wall_time": match.wall_time,
        "snippet": short.text,
        "matches": [list(span) for span in short.spans],
    }


def match_line(match: Match, title: str) -> str:
    """One place, for people; its words stand out on a terminal."""
    short = match.shortened(SNIPPET)
    text, at = "", 0
    for begin, end in short.spans:
        found = short.text[begin:end]
        text += short.text[at:begin] + (click.style(found, bold=True) if _colours() else found)
        at = end
    text += short.text[at:]
    name = f"{match.session} {title}" if title else match.session
    return f"{name}  {position(match.start_s):>7}  {' '.join(text.split())}"


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


@command.command("show")
@name_argument
@json_option
@click.pass_obj
def show_command(root: Path, name: str, json_: bool) -> int:
    """The words of a session, each paragraph with its time."""
    loaded = _loaded(root, name)
    if json_:
        about = {"name": loaded.name, "path": str(loaded.path), "finished": loaded.finished}
        write_json({**about, **as_json(loaded.segments, loaded.meta)})
        return 0
    for segment in loaded.segments:
        clock = time.strftime("%H:%M:%S", time.localtime(segment.wall_time))
        mark = {"note": "▸ ", "gap": "… "}.get(segment.kind.value, "")
        write(f"{clock}  {mark}{' '.join(segment.text.split())}\n")
    if not loaded.finished and not loaded.live and loaded.pending_s >= 1.0:
        say(
            f"the last {loaded.pending_s:.0f} s of sound were not written down; "
            f"voxtui sessions retranscribe {loaded.name} writes down all of it again"
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


@command.command("rename")
@click.argument("name")
@click.argument("title", nargs=-1)
@click.pass_obj
def rename_command(root: Path, name: str, title: tuple[str, ...]) -> int:
    """Give a session a TITLE (none takes it away); its folder keeps its name."""
    _carefully(lambda: rename(find_session(root, name), " ".join(title)))
    return 0


@command.command("delete")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.pass_obj
def delete_command(root: Path, names: tuple[str, ...]) -> int:
    """Move sessions to the trash; `restore` brings them back."""
    for path in [_found(root, name) for name in names]:
        moved = _carefully(partial(delete, path))
        say(f"{path.name} is in the trash; voxtui sessions restore {moved.name} brings it back")
    return 0


@command.command("restore")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.pass_obj
def restore_command(root: Path, names: tuple[str, ...]) -> int:
    """Bring sessions back from the trash; without NAME the one deleted last."""
    for name in names or ("last",):
        write(f"{_carefully(partial(restore, root, name))}\n")
    return 0


@command.command("trash")
@click.option("--empty", is_flag=True, help="Delete all that is in it for good.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def trash_command(root: Path, empty: bool, yes: bool, json_: bool) -> int:
    """What was deleted, and since when."""
    found = deleted_sessions(root)
    if empty:
        if found and not yes:
            if not sys.stdin.isatty():
                raise WrongInput("--empty deletes for good: say so with --yes.")
            click.confirm(f"Delete {len(found)} sessions for good?", abort=True, err=True)
        count = _carefully(lambda: empty_trash(root, [deleted.info.name for deleted in found]))
        say(f"{count} session{'' if count == 1 else 's'} deleted for good")
        return 0
    if json_:
        write_json([{**info_json(d.info), "deleted": iso_time(d.at)} for d in found])
        return 0
    for deleted in found:
        write(info_line(deleted.info) + "\n")
    if not found:
        say("the trash is empty")
    return 0


@command.command("reindex")
@click.pass_obj
def reindex_command(root: Path) -> int:
    """Make the search index anew from the sessions' files."""
    index = open_index(root)
    try:
        index.rebuild()
        found = index.sessions()
    finally:
        index.close()
    say(f"{len(found)} session{'' if len(found) == 1 else 's'} read")
    for info in found:
        if info.problem:
            say(info.problem)
    return 0


command.add_command(retranscribe_command)
command.add_command(versions_command)


@command.command("path")
@name_argument
@json_option
@click.pass_obj
def path_command(root: Path, name: str, json_: bool) -> int:
    """The folder of a session."""
    path = _found(root, name)
    write((json.dumps({"name": path.name, "path": str(path)}) if json_ else str(path)) + "\n")
    return 0
