"""`voxtui vocabulary`: what the model writes, and what is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

import click

from voxtui import paths, vocabulary
from voxtui.cli.common import WrongInput, say, sessions_dir_option, sessions_root, write
from voxtui.session.errors import SessionError
from voxtui.session.library import find_session, session_folders
from voxtui.session.understanding import understand
from voxtui.vocabulary import Vocabulary, VocabularyError


@click.group("vocabulary", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Replace what the model writes by what is meant: names, jargon, habits.

    The rules stand in a text file that may be edited by hand, one a line:
    heard, heard otherwise = written.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, as_json=False)


def _rules() -> Vocabulary:
    """The rules; wrong lines are named on standard error."""
    known, problems = vocabulary.load(paths.vocabulary_file())
    for problem in problems:
        say(problem)
    return known


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json: bool) -> None:
    """Show the rules."""
    rules = _rules().rules
    if as_json:
        lines = [{"heard": rule.heard, "written": rule.written} for rule in rules]
        write(json.dumps(lines, ensure_ascii=False) + "\n")
        return
    if not rules:
        say('There are no rules yet: voxtui vocabulary add "cooper netties" Kubernetes')
    width = max((len(rule.heard) for rule in rules), default=0)
    for rule in rules:
        write(f"{rule.heard:{width}}  =  {rule.written or '(left out)'}\n")


@command.command("add")
@click.argument("heard")
@click.argument("written")
def add_command(heard: str, written: str) -> None:
    """Write WRITTEN where HEARD was heard; "" leaves it out."""
    path = paths.vocabulary_file()
    try:
        new = vocabulary.add(path, heard, written)
    except VocabularyError as error:
        raise WrongInput(str(error)) from error
    say(f"Kept in {path}." if new else f"The rule is there already, in {path}.")


@command.command("remove")
@click.argument("heard")
def remove_command(heard: str) -> None:
    """Forget the rule for HEARD."""
    try:
        found = vocabulary.remove(paths.vocabulary_file(), heard)
    except VocabularyError as error:
        raise WrongInput(str(error)) from error
    if not found:
        raise WrongInput(f"There is no rule for {heard}: voxtui vocabulary list shows them.")


@command.command("try")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
def try_command(file: TextIO) -> None:
    """Show what the rules make of a text (a file, or standard input)."""
    known = _rules()
    for line in file:
        write(known.rewritten_text(line))


@command.command("apply")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "all_", is_flag=True, help="To every session.")
@sessions_dir_option
def apply_command(names: tuple[str, ...], all_: bool, sessions_dir: Path | None) -> int:
    """Bring sessions that are over in line with the rules; NAME as for `voxtui sessions`.

    What was edited by hand stays, and what was heard is kept in the session's log.
    """
    root, known, failed = sessions_root(sessions_dir), _rules(), False
    if all_ == bool(names):
        raise WrongInput("Name the sessions, or give --all.")
    try:
        folders = session_folders(root) if all_ else [find_session(root, name) for name in names]
    except SessionError as error:
        raise WrongInput(str(error)) from error
    for folder in folders:
        try:
            changed = understand(folder, known)
        except SessionError as error:
            say(str(error))
            failed = True
            continue
        if changed or not all_:
            write(f"{folder.name}: {changed} paragraph{'' if changed == 1 else 's'} changed\n")
    return 1 if failed else 0


@command.command("check")
def check_command() -> int:
    """Name the lines of the file that are no rules; exit code 2 when there are some."""
    problems = vocabulary.load(paths.vocabulary_file())[1]
    for problem in problems:
        say(problem)
    return 2 if problems else 0


@command.command("path")
def path_command() -> None:
    """Where the file is."""
    write(f"{paths.vocabulary_file()}\n")
