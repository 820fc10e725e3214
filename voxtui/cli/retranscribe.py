"""`voxtui sessions retranscribe`: a session's sound through a model once more."""

from __future__ import annotations

import json
import queue
import sys
from pathlib import Path
from typing import Any

import click

from voxtui.cli.common import (
    Failure,
    WrongInput,
    delay_option,
    engine_config,
    engine_option,
    load_settings,
    model_option,
    say,
    threads_option,
    write,
)
from voxtui.cli.progress import FileProgress
from voxtui.cli.running import StopRequest
from voxtui.session.difference import Difference, Side
from voxtui.session.errors import SessionError
from voxtui.session.library import find_session, has_edits
from voxtui.session.markdown import position
from voxtui.session.meta import iso_time
from voxtui.session.versions import bring_back, list_versions

POLL_S = 0.2


@click.command("retranscribe")
@click.argument("name", default="last", metavar="[NAME]")
@engine_option
@model_option
@delay_option
@threads_option
@click.option("-y", "--yes", is_flag=True, help="Take the new words without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what differs.")
@click.option("--json", "json_", is_flag=True, help="What differs, for programs.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_obj
def retranscribe_command(
    root: Path,
    name: str,
    engine: str | None,
    model: str | None,
    delay_ms: int | None,
    threads: int | None,
    yes: bool,
    dry_run: bool,
    json_: bool,
    quiet: bool,
) -> int:
    """Transcribe a session's sound again, with another model or delay.

    What differs is shown as [-old-] {+new+}; the new words are taken when that is wished. The old
    ones are kept: `versions --restore` brings them back.
    """
    if not (yes or dry_run or sys.stdin.isatty()):
        raise WrongInput("Say --yes to take the new words, or --dry-run to see what differs.")
    path = _session(root, name)
    config = engine_config(
        load_settings(),
        engine=engine,
        model=model,
        delay_ms=delay_ms,
        threads=threads,
        quiet=quiet,
    )
    from voxtui.retranscription import Ended, Progress, Retranscription

    told: queue.SimpleQueue[Progress | Ended] = queue.SimpleQueue()
    try:
        again = Retranscription(path, config, told.put)
    except SessionError as error:
        raise WrongInput(str(error)) from error
    found = _run(again, told, FileProgress(not quiet), path.name)
    if found is None:
        raise click.Abort
    show(found, json_)
    if has_edits(path):
        say("what was changed by hand stays in the old words: a version, once the new are taken")
    if dry_run or not (yes or _wished(found)):
        again.discard()
        return 0
    try:
        number = again.accept()
    except SessionError as error:
        raise Failure(str(error)) from error
    say(f"the old words are version {number}: voxtui sessions versions {path.name} shows them")
    return 0


def _session(root: Path, name: str) -> Path:
    try:
        return find_session(root, name)
    except SessionError as error:
        raise WrongInput(str(error)) from error


def _run(again: Any, told: queue.SimpleQueue[Any], progress: FileProgress, name: str) -> Any:
    """What differs; None when it was stopped. Failure when it came to nothing."""
    from voxtui.retranscription import Progress

    progress.begin(name)
    try:
        with StopRequest() as stop:
            again.start()
            while True:
                try:
                    event = told.get(timeout=POLL_S)
                except queue.Empty:
                    event = None
                if stop.asked:
                    again.cancel()
                if isinstance(event, Progress):
                    progress.update(event.done_s, event.total_s)
                elif event is not None:
                    break
    finally:
        progress.end()
    if event.problem:
        raise Failure(event.problem)
    return event.difference


def _wished(found: Difference) -> bool:
    if found.same:
        say("the words are the same")
    return click.confirm("Take the new words?", default=False, err=True)


def show(found: Difference, json_: bool) -> None:
    """What differs, on standard output."""
    if json_:
        value = {
            "removed": found.removed,
            "added": found.added,
            "kept": found.kept,
            "paragraphs": [
                {
                    "start": line.at_s,
                    "pieces": [{"in": p.side.value, "text": p.text} for p in line.pieces],
                }
                for line in found.lines
            ],
        }
        write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        return
    signs = {Side.BOTH: "{}", Side.OLD: "[-{}-]", Side.NEW: "{{+{}+}}"}
    for line in found.lines:
        if line.changed:
            text = " ".join(signs[piece.side].format(piece.text) for piece in line.pieces)
            write(f"{position(line.at_s):>7}  {text}\n")
    say(f"{found.kept} words are the same, {found.removed} went, {found.added} came")


@click.command("versions")
@click.argument("name", default="last", metavar="[NAME]")
@click.option("--restore", "number", type=int, metavar="N", help="Bring this one back.")
@click.option("--json", "json_", is_flag=True, help="For programs.")
@click.pass_obj
def versions_command(root: Path, name: str, number: int | None, json_: bool) -> int:
    """Earlier transcripts of a session; --restore changes places with the present one."""
    path = _session(root, name)
    if number is not None:
        try:
            before = bring_back(path, number)
        except SessionError as error:
            raise WrongInput(str(error)) from error
        say(f"version {number} is back; the words before it are version {before}")
        return 0
    found = list_versions(path)
    if json_:
        listed = [
            {
                "number": version.number,
                "path": str(version.path),
                "model": version.model,
                "delay_ms": version.delay_ms,
                "words": version.words,
                "replaced": iso_time(version.replaced),
            }
            for version in found
        ]
        write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return 0
    for version in found:
        since = iso_time(version.replaced)
        delay = f", {version.delay_ms} ms" if version.delay_ms else ""
        write(f"{version.number}  {version.words} words, {version.model}{delay}, until {since}\n")
    if not found:
        say(f"{path.name} has no earlier transcripts")
    return 0
