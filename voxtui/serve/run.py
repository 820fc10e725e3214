"""Opens the port, runs the server until it is asked to end, and tidies up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import shutil
import signal
import socket
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from voxtui.serve.guard import is_loopback
from voxtui.serve.limits import ServeConfig
from voxtui.serve.server import application

SHORTEST_TOKEN = 16
LARGEST_MESSAGE = 16 << 20
"""Bytes in one WebSocket message, as vLLM has it."""


class CannotServe(Exception):  # noqa: N818 - says what to do
    """The server cannot be started as asked; one sentence."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, and with which certificate."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    def url(self, port: int, here: bool = True) -> str:
        """What to open in a browser, on this machine or on another one."""
        everywhere = self.host in ("0.0.0.0", "::")
        host = f"[{self.host}]" if ":" in self.host else self.host
        if is_loopback(self.host) or everywhere:
            host = "localhost" if here else socket.gethostname()
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://{host}:{port}/"


def token_from(file: Path | None, given: str) -> str:
    """The token in a file, which is made with a new one where there is none; else what is given.

    CannotServe for one that could be guessed.
    """
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "w") as out:
                    out.write(secrets.token_urlsafe(24) + "\n")
            given = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CannotServe(f"The token cannot be read from {file}: {error}.") from error
    if given and len(given) < SHORTEST_TOKEN:
        raise CannotServe(f"The token is too short: {SHORTEST_TOKEN} characters at least.")
    if not given.isascii():
        raise CannotServe("The token may hold letters, digits and signs of ASCII only.")
    return given


def check_certificate(address: Address) -> None:
    """CannotServe when browsers could not be shown it."""
    if address.certificate is None:
        if address.key is not None:
            raise CannotServe("A key alone is of no use: --certificate names what it belongs to.")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(address.certificate, address.key)
    except OSError as error:  # ssl's errors are such
        raise CannotServe(
            f"{address.certificate.name} cannot be used as certificate"
            f" ({error.strerror or error}): --certificate and --key are PEM files that belong"
            " together."
        ) from error


def listening(address: Address, token: str) -> socket.socket:
    """The open port. CannotServe when others could reach it without a token, it is taken, or the
    certificate is of no use."""
    check_certificate(address)
    if not is_loopback(address.host) and not token:
        raise CannotServe(
            f"Others can reach {address.host}, so they have to show a token: --token-file FILE"
            " (made where there is none), or VOXTUI_SERVE_TOKEN in the environment."
        )
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            if error.errno == errno.EADDRINUSE:
                reason = "another program uses that port: choose one with --port"
        raise CannotServe(f"Cannot listen on {address.host}:{address.port}: {reason}.") from error


class _Uvicorn(uvicorn.Server):
    """Ends by itself on a signal; the exit code is ours to choose."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.add_signal_handler(number, self._asked)
        yield

    def _asked(self) -> None:
        if self.should_exit:  # the second time: what is cut off then is no news
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            self.force_exit = True
        self.should_exit = True


def _is_news(record: logging.LogRecord) -> bool:
    """A WebSocket that was refused, or a reader that was given up, is none."""
    return not record.getMessage().startswith("ASGI callable returned without completing")


def server_of(config: ServeConfig, address: Address) -> uvicorn.Server:
    """The server, not yet running: `serve(sockets=[…])` runs it on a loop."""
    settings = uvicorn.Config(
        application(config),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        timeout_graceful_shutdown=12,
        server_header=False,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return _Uvicorn(settings)


@contextlib.contextmanager
def with_temporary(config: ServeConfig) -> Iterator[ServeConfig]:
    """A folder for uploads, its owner's alone, that goes with the server."""
    config.temporary.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="serve-", dir=config.temporary))
    try:
        yield replace(config, temporary=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(config: ServeConfig, address: Address, port: socket.socket) -> None:
    """Serve until a signal; sessions are saved then."""
    with with_temporary(config) as with_folder, port:
        server_of(with_folder, address).run(sockets=[port])
