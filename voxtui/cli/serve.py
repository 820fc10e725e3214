"""`voxtui serve`: a web page for browsers, OpenAI's and vLLM's endpoints for programs."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voxtui import paths
from voxtui.cli.common import (
    WrongInput,
    delay_option,
    engine_config,
    engine_option,
    interval_options,
    load_settings,
    model_option,
    say,
    sessions_dir_option,
    sessions_root,
    threads_option,
)

if TYPE_CHECKING:
    from voxtui.engine.config import EngineConfig

PORT = 8321
NEEDS = ("starlette", "uvicorn", "websockets", "python_multipart")


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Clients have to show the token in this file, which is made where there is none. Needed"
    " for other addresses than 127.0.0.1; VOXTUI_SERVE_TOKEN does it, too.",
)
@click.option(
    "--name", "names", multiple=True, metavar="NAME", help="A host name it is reached by."
)
@click.option(
    "--served-model", "served", multiple=True, metavar="NAME", help="One more model name."
)
@click.option(
    "--clients", type=click.IntRange(1, 256), default=4, show_default=True, help="At the same time."
)
@click.option(
    "--upload-mib",
    type=click.IntRange(1, 65536),
    default=1024,
    show_default=True,
    help="The largest file.",
)
@click.option(
    "--hours",
    type=click.FloatRange(0.01, 48),
    default=4.0,
    show_default=True,
    help="The longest file, and the longest session.",
)
@click.option(
    "--idle-minutes",
    type=click.FloatRange(0.01, 1440),
    default=5.0,
    show_default=True,
    help="A client that is silent for so long loses its place.",
)
@click.option(
    "--hook/--no-hook",
    default=None,
    help="Let the settings' output.hook rewrite what is said on the page. By default it may while"
    " only this machine reaches the server (127.0.0.1, no --name).",
)
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@engine_option
@model_option
@delay_option
@interval_options
@threads_option
@sessions_dir_option
def command(
    host: str,
    port: int,
    token_file: Path | None,
    names: tuple[str, ...],
    served: tuple[str, ...],
    clients: int,
    upload_mib: int,
    hours: float,
    idle_minutes: float,
    hook: bool | None,
    certificate: Path | None,
    key: Path | None,
    sessions_dir: Path | None,
    **engine_options: Any,
) -> int:
    """Let browsers and other programs use the model of this machine.

    The page is at http://localhost:8321/. Programs made for OpenAI find /v1/audio/transcriptions,
    those made for vLLM /v1/realtime. Other machines reach it only with --host and a token; a
    browser there gives a microphone only to https, so --certificate and --key, or an ssh tunnel.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDS):
        raise WrongInput("voxtui serve needs some more packages: pip install 'voxtui[serve]'.")
    from voxtui.hook import HookConfig
    from voxtui.serve.guard import is_loopback
    from voxtui.serve.limits import Limits, ServeConfig
    from voxtui.serve.run import Address, CannotServe, listening, run, token_from
    from voxtui.session.aside import Keeping

    settings = load_settings()
    engine = engine_config(settings, **engine_options)
    builtin = engine.remote is None and engine.model == paths.builtin_model_dir()
    try:
        token = token_from(token_file, os.environ.get("VOXTUI_SERVE_TOKEN", ""))
        address = Address(host, port, certificate, key)
        open_port = listening(address, token)
    except CannotServe as error:
        raise WrongInput(str(error)) from error
    if hook is None:  # a command of the owner's gets nobody else's words unasked
        hook = is_loopback(host) and not names
    config = ServeConfig(
        engine=engine,
        model_name=_name(engine, builtin),
        small_model=builtin,
        sessions_dir=sessions_root(sessions_dir, settings),
        temporary=paths.cache_dir(),
        host=host,
        token=token,
        hosts=names,
        served_names=served,
        vocabulary=paths.vocabulary_file(),
        keeping=Keeping.of(settings),
        hook=HookConfig.of(settings) if hook else HookConfig(),
        limits=Limits(clients, upload_mib, hours * 3600, idle_s=idle_minutes * 60),
    )
    port = open_port.getsockname()[1]
    say(f"open {address.url(port)} in a browser; Ctrl+C ends it")
    if not is_loopback(host):
        say(f"other machines find it at {address.url(port, here=False)}")
    if token_file is not None:
        say(f"the token is in {paths.short(token_file)}")
    run(config, address, open_port)
    return 0


def _name(engine: EngineConfig, builtin: bool) -> str:
    """What clients may call the model."""
    if engine.remote is not None:
        return engine.remote.model
    return "tiny" if builtin else engine.model.name.removesuffix(".gguf")
