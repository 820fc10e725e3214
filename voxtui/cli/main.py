"""The command `voxtui`: its subcommands, and how everything that goes wrong is told.

Exit codes: 0 done, 1 a failure while running, 2 wrong input or a model, engine or file that
cannot be used, 130 interrupted by Ctrl+C.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import click

import voxtui
from voxtui import paths
from voxtui.cli.common import (
    ReaderGone,
    WrongInput,
    check_input,
    delay_option,
    engine_option,
    interval_options,
    model_option,
    say,
    write,
)

COMMANDS = {
    "transcribe": "Write down what is said in audio and video files.",
    "listen": "Write down what a microphone hears, to standard output.",
    "serve": "Let browsers and other programs use the model of this machine.",
    "sessions": "List, search, show, export and tidy what was said before.",
    "vocabulary": "Replace what the model writes by what is meant.",
    "devices": "List the microphones.",
    "doctor": "See whether everything works here, and what to do.",
    "bench": "Measure the engines that are here, and remember the best.",
    "model": "List, get, check and remove models.",
}
"""Each is in its own module, which is imported when it is used."""


class LazyGroup(click.Group):
    """Knows its commands by name and says what they do without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"voxtui.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(
            f"\nModels:    {paths.models_dir()}\n"
            f"Sessions:  {paths.sessions_dir()}\n"
            f"Settings:  {paths.config_file()}\n"
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS:
            if Path(name).exists() or "." in name:
                raise WrongInput(f"To write down what is said in a file: voxtui transcribe {name}")
            known = ", ".join(COMMANDS)
            raise WrongInput(f"There is no command {name}: there are {known}.")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(voxtui.__version__, "-V", "--version", message="voxtui %(version)s")
@click.option("--input", "input_", metavar="FILE|-", help="Hear a file or standard input.")
@click.option("--demo", is_flag=True, help="Hear the recording that comes with voxtui.")
@click.option("--captions", is_flag=True, help="Begin with captions, and listen at once.")
@engine_option
@model_option
@delay_option
@interval_options
@click.option("--device", metavar="NAME", help="Microphone, as `voxtui devices` names it.")
@click.option(
    "--sessions-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the session in this folder.",
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.pass_context
def cli(ctx: click.Context, /, debug: bool, **options: Any) -> int | None:
    """Writes down what is said while it is said, on your own machine.

    Without a command the terminal application starts: hold Space and speak.
    """
    if debug and isinstance(ctx.obj, dict):
        ctx.obj["debug"] = True
    if ctx.invoked_subcommand is not None:
        given = [
            parameter.opts[-1]
            for parameter in cli.params
            if parameter.name in options and options[parameter.name] not in (None, False)
        ]
        if given:
            raise WrongInput(f"{given[0]} belongs after {ctx.invoked_subcommand}.")
        return None
    return run_application(**options)


def run_application(input_: str | None, **options: Any) -> int:
    """Start the terminal application."""
    if input_ is not None:
        check_input(input_)
    if input_ is not None and options["demo"]:
        raise WrongInput("--demo and --input are two sources: choose one.")
    if not sys.stderr.isatty():
        raise WrongInput(
            "The application needs a terminal; voxtui listen and voxtui transcribe do not."
        )
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        raise WrongInput(
            "This terminal (TERM=dumb) cannot place text on the screen: voxtui listen writes the"
            " words line by line, and says on standard error how it goes."
        )
    from voxtui.ui.options import UiOptions
    from voxtui.ui.run import run

    return run(UiOptions(input=input_, **options)) or 0


def main() -> NoReturn:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a letter shows ?
            stream.reconfigure(errors="replace")
    code = run_command(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:  # told already
        _drop_output()
    sys.exit(code)


def _drop_output() -> None:
    """The interpreter flushes at its end, too: a failure there would be an exit code of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_command(args: list[str]) -> int:
    """Run the command line; gives the exit code. Nothing is raised."""
    state = {"debug": False}
    try:
        code = cli.main(args, prog_name="voxtui", standalone_mode=False, obj=state)
        write("")  # what is still to be flushed
        return code if isinstance(code, int) else 0
    except (ReaderGone, BrokenPipeError):
        _drop_output()  # the reader has what it wanted (`| head`)
        return 0
    except (KeyboardInterrupt, click.Abort):
        return 130
    except click.UsageError as error:
        _show_traceback(state)
        place = error.ctx.command_path if error.ctx else "voxtui"
        said = error.format_message()
        say(f"{said}{'' if said.endswith(('.', '?')) else '.'} See {place} --help.")
        return 2
    except click.ClickException as error:
        _show_traceback(state)
        say(error.format_message())
        return error.exit_code
    except Exception as error:
        if not _show_traceback(state):
            say(f"Unexpected: {type(error).__name__}: {error} (voxtui --debug … says where).")
        return 1


def _show_traceback(state: dict[str, bool]) -> bool:
    if state["debug"]:
        traceback.print_exc()
    return state["debug"]


if __name__ == "__main__":
    main()
