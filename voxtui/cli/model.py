"""`voxtui model`: which models there are, getting them, checking them, making smaller ones."""

from __future__ import annotations

import json
from typing import Any

import click

from voxtui import paths, settingsfile
from voxtui.cli.common import Failure, WrongInput, load_settings, say, write
from voxtui.cli.progress import BytesProgress
from voxtui.engine.models import Model, ModelError, find_model
from voxtui.machine.hardware import hardware
from voxtui.models import estimate
from voxtui.models.convert import KINDS, ConvertError, convert, converted_name
from voxtui.models.download import Download, DownloadError
from voxtui.models.progress import Phase, Progress
from voxtui.models.store import Entry, StoreError, entries, find_entry, remove, verify
from voxtui.models.words import size, times_real_time

json_option = click.option("--json", "json_", is_flag=True, help="For programs.")


@click.group("model", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The models: list them, get them, check them.

    NAME is what `voxtui model list` shows in its first column.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command, json_=False)


def _entry(name: str) -> Entry:
    try:
        return find_entry(name)
    except StoreError as error:
        raise WrongInput(str(error)) from error


def _found(name: str) -> Model:
    """An installed model, or one that lies elsewhere."""
    try:
        entry = find_entry(name)
    except StoreError:
        pass
    else:
        if entry.installed is not None:
            return entry.installed
        raise WrongInput(
            f"{entry.title} is not installed: get it with voxtui model download {_short(entry)}"
        )
    try:
        return find_model(name)
    except ModelError as error:
        raise WrongInput(str(error)) from error


def _short(entry: Entry) -> str:
    return entry.known.short if entry.known is not None else entry.name


def _in_use() -> Model | None:
    try:
        return find_model(load_settings().engine.model)
    except ModelError:
        return None


# ---- list, path, use -------------------------------------------------------------------------


@command.command("list")
@json_option
def list_command(json_: bool) -> int:
    """All models: * marks the one in use; the speed is a guess from this machine's memory."""
    machine = hardware()
    bandwidth = estimate.memory_bandwidth(machine.cores)
    used, found = _in_use(), entries()
    rows = []
    for entry in found:
        speed = None
        if entry.known is not None:
            speed = round(estimate.expected_speed(entry.known, machine, bandwidth), 2)
        in_use = used is not None and entry.installed is not None
        rows.append((entry, speed, in_use and entry.installed.path == used.path))  # type: ignore[union-attr]
    advised = estimate.recommended(machine, bandwidth)
    if json_:
        listed = [
            _as_json(entry, speed, used, entry.name == advised.name) for entry, speed, used in rows
        ]
        write(json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return 0
    width = max(len(_short(entry)) for entry in found)
    title_width = max(len(entry.title) for entry in found)
    for entry, speed, is_used in rows:
        pace = f"~{times_real_time(speed)} real time" if speed is not None else ""
        state = _state(entry, is_used)
        if entry.name == advised.name and entry.installed is None:
            state = f"{state}, recommended here" if state else "recommended here"
        write(
            f"{'*' if is_used else ' '} {_short(entry):{width}}  {entry.title:{title_width}} "
            f" {size(entry.size):>7}  {pace:16}  {state}".rstrip()
            + "\n"
        )
    return 0


def _state(entry: Entry, in_use: bool) -> str:
    if entry.installed is not None:
        return "in use" if in_use else ("built in" if entry.builtin else "installed")
    return f"{size(entry.part)} loaded" if entry.part else ""


def _as_json(entry: Entry, speed: float | None, in_use: bool, advised: bool) -> dict[str, Any]:
    known = entry.known
    return {
        "name": entry.name,
        "short": _short(entry),
        "title": entry.title,
        "bytes": entry.size,
        "memory_bytes": entry.memory,
        "installed": entry.installed is not None,
        "path": str(entry.installed.path) if entry.installed is not None else None,
        "in_use": in_use,
        "builtin": entry.builtin,
        "partial_bytes": entry.part,
        "recommended": advised,
        "expected_times_real_time": speed,
        "word_errors_percent": known.errors if known is not None else None,
        "precision": known.precision if known is not None else None,
        "repository": known.repo if known is not None else None,
    }


@command.command("path")
@click.argument("name", required=False)
def path_command(name: str | None) -> int:
    """Where a model is; without NAME the folder of all models."""
    write(f"{_found(name).path if name else paths.models_dir()}\n")
    return 0


@command.command("use")
@click.argument("name")
def use_command(name: str) -> int:
    """Use this model from now on: a name, a folder, a GGUF file, `tiny`, or `auto`."""
    model = find_model("auto") if name == "auto" else _found(name)
    inside = model.path.is_relative_to(paths.models_dir())
    value = name if name in ("auto", "tiny") else (model.name if inside else str(model.path))
    _remember(value)
    say(f"{model.name} is used from now on.")
    return 0


def _remember(value: str) -> None:
    chosen = load_settings().replace("engine", model=value)
    try:
        settingsfile.save(paths.config_file(), chosen, ("engine", "model"))
    except OSError as error:
        raise Failure(f"The settings could not be written: {error.strerror or error}.") from error


# ---- download --------------------------------------------------------------------------------


@command.command("download")
@click.argument("name", required=False)
def download_command(name: str | None) -> int:
    """Get a model; without NAME the one that fits this machine best.

    What was stopped or broke off goes on where it was. HF_ENDPOINT names a mirror, HF_TOKEN or
    `hf auth login` signs in, HTTPS_PROXY is used.
    """
    entry = _entry(name) if name else _entry(_recommended())
    if entry.known is None:
        raise WrongInput(f"{entry.title} is here already: {_found(entry.name).path}")
    if entry.installed is not None:
        say(f"{entry.title} is installed already: {entry.installed.path}")
        return 0
    known = entry.known
    if not estimate.fits(known, hardware()):
        say(
            f"{known.title} needs {size(known.memory)} of memory and this machine has"
            f" {size(hardware().memory)}: it will be very slow; q4_k_m needs least."
        )
    say(f"{known.title} ({size(known.size)}) from {known.repo}")
    bar = BytesProgress(known.title)
    last = Progress(Phase.ASKING)

    def report(progress: Progress) -> None:
        nonlocal last
        last = progress
        bar.update(progress.done, progress.total, progress.rate, progress.left_s, _said(progress))

    try:
        with bar:
            folder = Download(known, report).run()
    except KeyboardInterrupt:
        short = _short(entry)
        say(f"Stopped at {size(last.done)}; voxtui model download {short} goes on from there.")
        return 130
    except DownloadError as error:
        raise Failure(str(error)) from error
    say(f"{known.title} is whole and installed.")
    write(f"{folder}\n")
    if find_model(load_settings().engine.model).path.parent not in (folder, folder.parent):
        say(f"voxtui uses another model; to change that: voxtui model use {_short(entry)}")
    return 0


def _recommended() -> str:
    machine = hardware()
    return estimate.recommended(machine, estimate.memory_bandwidth(machine.cores)).name


def _said(progress: Progress) -> str:
    return progress.note or progress.phase.value


# ---- verify, convert, remove -----------------------------------------------------------------


@command.command("verify")
@click.argument("name", required=False)
@click.option("--offline", is_flag=True, help="Do not ask the hub for hashes that are not here.")
def verify_command(name: str | None, offline: bool) -> int:
    """Check every byte of a model against its published hash; without NAME the one in use."""
    model = _found(name) if name else _in_use()
    if model is None:
        raise WrongInput("The model that the settings name is not there: voxtui model list")
    bar = BytesProgress(model.name)
    with bar:
        findings = verify(
            model,
            lambda done, total: bar.update(done, total, None, None, "checking"),
            ask=not offline,
        )
    for finding in findings:
        how = "whole" if finding.by_hash else "complete (no hash is known for it)"
        write(f"{finding.file}: {finding.problem or how}\n")
    if any(finding.problem for finding in findings):
        raise Failure(
            f"{model.name} is damaged: remove it (voxtui model remove {model.name}) and get it"
            " again."
        )
    return 0


@command.command("convert")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(KINDS), default="q4_k_m", show_default=True)
def convert_command(name: str, kind: str) -> int:
    """Make a smaller model of an installed one: the same words, quicker, less memory."""
    source = _found(name)
    bar = BytesProgress(converted_name(source, kind))
    try:
        with bar:
            folder = convert(source, kind, bar.share)
    except ConvertError as error:
        raise Failure(str(error)) from error
    write(f"{folder}\n")
    return 0


@command.command("remove")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove_command(name: str, yes: bool) -> int:
    """Delete a model, or what is here of a download that was stopped."""
    entry = _entry(name)
    there = entry.installed is not None and not entry.builtin
    if (there or entry.part) and not yes:
        what = size(entry.installed.size if entry.installed is not None else entry.part)
        where = entry.installed.path if entry.installed is not None else "an unfinished download"
        click.confirm(f"Delete {entry.title} ({what}, {where})?", abort=True, err=True)
    try:
        for path in remove(entry):
            say(f"deleted {path}")
    except (StoreError, DownloadError) as error:
        raise Failure(str(error)) from error
    return 0
