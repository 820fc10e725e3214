"""The connection to a server: made, made again with patience, and what is told of its loss."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.protocol import State

from voxtui.engine.workers.dialects import Dialect, Json
from voxtui.engine.workers.wire import CannotWork, Output

LOCAL = ("localhost", "127.0.0.1", "::1")
LARGEST_MESSAGE = 2**24


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds."""

    start: float = 10.0
    """For the first connection."""
    stall: float = 20.0
    """For an answer, while the server has sound to answer to."""
    rut: float = 16.0
    """For a word, while there is voice."""
    backoff: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
    """Before each try without success; the last one again and again."""


class Again(Exception):  # noqa: N818 - no error of ours
    """This turn comes to nothing more: another one has to go on; why, in a few words."""


class Link:
    """At most one connection at a time. Certificates are checked, as Python's `ssl` does."""

    def __init__(
        self, dialect: Dialect, url: str, model: str, key: str, out: Output, patience: Patience
    ) -> None:
        self.url = dialect.address(url, model)
        self.host = urlsplit(self.url).hostname or self.url
        self.delay_ms = 0
        self._dialect, self._model, self._key = dialect, model, key
        self._out, self._patience = out, patience
        self._ws: ClientConnection | None = None
        self._failures = 0

    @property
    def lost(self) -> bool:
        """Nothing has worked since the last failure."""
        return self._failures > 0

    async def first(self) -> float:
        """Connect; a server that was never there is told soon. Returns the seconds it took."""
        if self._key and self.url.startswith("ws:") and self.host not in LOCAL:
            told = f"The key goes to {self.host} unencrypted: use wss:// if the server can."
            self._out.warning("unencrypted", told)
        started = time.monotonic()
        tries = 0
        while True:
            try:
                self._ws = await self._connect()
                return time.monotonic() - started
            except (OSError, WebSocketException) as error:
                if time.monotonic() - started >= self._patience.start:
                    told = f"No server answers at {self.url}: {reason(error)}."
                    raise CannotWork(told) from error
            tries = min(tries + 1, len(self._patience.backoff) - 1)
            await asyncio.sleep(min(2.0, self._patience.backoff[tries]))

    async def get(self) -> ClientConnection:
        """The connection, a new one where it broke. Tries for ever, ever more patiently.

        That a server hung up while nobody spoke is no loss and is not told.
        """
        if self._ws is not None and self._ws.state is not State.OPEN:
            self._ws = None
        while self._ws is None:
            if self._failures:
                at = min(self._failures, len(self._patience.backoff)) - 1
                await asyncio.sleep(self._patience.backoff[at])
            try:
                self._ws = await self._connect()
            except (OSError, WebSocketException) as error:
                self.failed(reason(error))
        return self._ws

    async def send(self, messages: list[Json]) -> None:
        """On the present connection."""
        if self._ws is None:
            raise Again("the connection was lost")
        for message in messages:
            await self._ws.send(json.dumps(message))

    def failed(self, why: str) -> None:
        """It does not work any more; told once, until it works again."""
        self.drop()
        self._failures += 1
        if self._failures == 1:
            told = f"{self.host}: {why}. The sound is kept, and it goes on from there."
            self._out.warning("connection", told)

    def works(self) -> None:
        """Words come."""
        self._failures = 0

    def drop(self) -> None:
        """Hang up at once: the next turn takes another connection."""
        ws, self._ws = self._ws, None
        if ws is not None:
            ws.transport.abort()

    async def close(self) -> None:
        """Say goodbye."""
        ws, self._ws = self._ws, None
        if ws is not None:
            with contextlib.suppress(OSError, WebSocketException):
                await ws.close()

    async def _connect(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            ws = await connect(
                self.url, additional_headers=headers, max_size=LARGEST_MESSAGE, close_timeout=1.0
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status in (401, 403):
                told = f"{self.host} wants another key (HTTP {status}): set VOXTUI_REALTIME_KEY."
                raise CannotWork(told, "unsupported") from error
            raise
        except InvalidURI as error:
            raise CannotWork(f"{self.url} is no address of a server.", "argument") from error
        except ssl.SSLCertVerificationError as error:
            told = f"{self.host} cannot be trusted: {error.verify_message}."
            raise CannotWork(told, "unsupported") from error
        for message in self._dialect.opening(self._model, self.delay_ms):
            await ws.send(json.dumps(message))
        return ws


def reason(error: BaseException) -> str:
    """Why, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, InvalidStatus):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, ConnectionClosed):
        return "the connection was lost"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def key_for(url: str) -> str:
    """From VOXTUI_REALTIME_KEY, else from the system's keyring; empty where there is none."""
    if key := os.environ.get("VOXTUI_REALTIME_KEY"):
        return key
    with contextlib.suppress(Exception):  # no keyring, a locked one, or none of its kind here
        import keyring

        return keyring.get_password("voxtui", urlsplit(url).hostname or "") or ""
    return ""
