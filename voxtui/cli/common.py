"""What the commands share: options, messages, the choice of a model. Imports nothing heavy."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from voxtui.printable import printable

if TYPE_CHECKING:
    from voxtui.engine.config import EngineConfig
    from voxtui.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """Something went wrong while running; one sentence."""

    exit_code = 1


class WrongInput(click.ClickException):
    """What was given cannot be used; one sentence that says what to do."""

    exit_code = 2


class ReaderGone(Exception):  # noqa: N818 - no error: it has what it wanted
    """Standard output was closed at the other end (`| head`)."""


def say(message: str) -> None:
    """A line for the person, on standard error."""
    click.echo(f"voxtui: {' '.join(printable(message).split())}", err=True)


def check_input(name: str) -> None:
    """WrongInput when there is nothing to hear there; `-` is standard input."""
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise WrongInput("Standard input is the keyboard: pipe sound into it.")
    elif Path(name).is_dir():
        raise WrongInput(f"{name} is a folder: name a file.")
    elif not Path(name).exists():
        raise WrongInput(f"There is no file {name}.")


def write(text: str) -> None:
    """Data, on standard output, at once. `ReaderGone` when nobody reads it any more, `Failure`
    when it cannot be written."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise Failure(f"Standard output cannot be written: {error.strerror}.") from error


def nobody_reads() -> bool:
    """Was standard output closed at the other end? Tells it before there is something to write."""
    try:
        look = select.poll()
        look.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in look.poll(0))
    except (OSError, ValueError):
        return False


# ---- options -----------------------------------------------------------------------------


def _delay(_: click.Context, __: click.Parameter, value: int | None) -> int | None:
    if value is None or value == 2400 or (80 <= value <= 1200 and value % 80 == 0):
        return value
    raise WrongInput(f"--delay {value}: give 80 to 1200 in steps of 80, or 2400 milliseconds.")


model_option = click.option(
    "--model", metavar="NAME|PATH", help="Model: tiny, a name in the models folder, or a path."
)
engine_option = click.option(
    "--engine",
    metavar="NAME",
    help="What writes the words: auto, voxtral_c, ggml, upstream or realtime.",
)
delay_option = click.option(
    "--delay",
    "delay_ms",
    metavar="MS",
    type=int,
    callback=_delay,
    help="How long the model listens before it writes; longer is more exact.",
)
threads_option = click.option(
    "--threads", metavar="N", type=click.IntRange(0, 256), default=None, help="Processor cores."
)
sessions_dir_option = click.option(
    "--sessions-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the sessions, in place of the usual one.",
)


def interval_options(command: Command) -> Command:
    """-I SECONDS and --low-latency."""
    command = click.option(
        "--low-latency", is_flag=True, help="Half of -I: quicker, but heavier when behind."
    )(command)
    return click.option(
        "-I",
        "--interval",
        "interval_s",
        metavar="SECONDS",
        type=click.FloatRange(0.08, 10.0),
        help="The most sound gathered before each step; less while there is time to spare.",
    )(command)


# ---- settings, model, engine -------------------------------------------------------------


def load_settings() -> Settings:
    """The user's settings; what is wrong in them is said."""
    from voxtui import paths, settingsfile

    chosen, problems = settingsfile.load(paths.config_file())
    for problem in problems:
        say(problem)
    return chosen


def sessions_root(given: Path | None, settings: Settings | None = None) -> Path:
    """The folder of the sessions: the option, else the settings', else the usual one."""
    from voxtui import paths

    if given is not None:
        return given
    folder = (settings or load_settings()).output.folder
    return Path(folder).expanduser() if folder else paths.sessions_dir()


SMALL_MODEL_LINE = (
    "no real model is installed, so the small one is used, which knows some forty English words;"
    " get a real one (2.8 GB): voxtui model download (or name the one you have with --model)"
)
"""Said once where the small model is used because there is no other."""


def engine_config(
    settings: Settings,
    *,
    model: str | None,
    delay_ms: int | None,
    engine: str | None = None,
    interval_s: float | None = None,
    low_latency: bool = False,
    threads: int | None = None,
    quiet: bool = False,
) -> EngineConfig:
    """The engine that the options ask for; WrongInput when there is no such model or engine."""
    from voxtui.engine.config import step_limit
    from voxtui.engine.engines import config_for, select
    from voxtui.engine.locate import EngineMissing
    from voxtui.engine.models import ModelError, find_model

    asked = model or (settings.engine.model if settings.engine.model != "auto" else None)
    try:
        writer = select(settings, engine)
        found = find_model(asked) if writer.needs_model else None
    except (ModelError, EngineMissing) as error:
        raise WrongInput(str(error)) from error
    if found and found.builtin and not asked and not quiet:
        say(SMALL_MODEL_LINE)
    config = config_for(writer, settings, found.path if found else None)
    interval_s = config.interval_s if interval_s is None else interval_s
    return replace(
        config,
        delay_ms=config.delay_ms if delay_ms is None else delay_ms,
        interval_s=step_limit(interval_s, low_latency),
        threads=config.threads if threads is None else threads,
        alternatives=0,
    )
