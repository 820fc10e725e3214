"""Engines for several clients: started ahead of them, lent to one at a time, kept warm.

    reserve() -> Seat            a place among the clients
    Seat.engine(...) -> Lease    an engine process, which the client's pipeline uses as its own

The processes map the same weights file, so its pages are in memory once; what each further one
needs for itself is measured.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voxtui.engine.config import EngineConfig
from voxtui.engine.interface import PostEvent, SessionEngine
from voxtui.engine.supervisor import Engine
from voxtui.engine.timeline import ReadAudio
from voxtui.events import EngineChanged, EngineEvent, EngineState
from voxtui.machine.hardware import memory_available
from voxtui.serve.limits import MIB, Limits, Refused

_log = logging.getLogger(__name__)

WARM_S = 600.0
"""An engine that nobody used for so long is ended, but for one."""


def _nothing(_: int, __: int) -> bytes:
    return b""


class Worker:
    """One engine and whoever hears it now."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.facts = EngineChanged(EngineState.STOPPED)
        self.free_since = time.monotonic()
        self._post: PostEvent | None = None
        self._lock = threading.Lock()
        self.engine = Engine(config, _nothing, self._on_event)
        self.engine.start()

    def connect(self, read_audio: ReadAudio, post: PostEvent) -> None:
        """Begin a session: from now on its events go to `post`."""
        self.engine.new_session(read_audio)
        with self._lock:
            self._post = post
            post(self.facts)

    def disconnect(self) -> None:
        """Nobody hears it any more."""
        with self._lock:
            self._post = None
        self.free_since = time.monotonic()

    @property
    def busy(self) -> bool:
        """Will there be more words?"""
        return self.facts.state is not EngineState.FAILED and not self.engine.idle()

    @property
    def usable(self) -> bool:
        """May it be lent again?"""
        failed = self.facts.state in (EngineState.FAILED, EngineState.RESTARTING)
        return not failed and self.engine.idle()

    def _on_event(self, event: EngineEvent) -> None:
        with self._lock:
            if isinstance(event, EngineChanged):
                self.facts = event
            if self._post is not None:
                self._post(event)


class Lease:
    """A worker as a pipeline's engine. `stop` gives it back."""

    def __init__(
        self, worker: Worker, read_audio: ReadAudio, post: PostEvent, back: Callable[[], None]
    ) -> None:
        self._worker = worker
        self._engine = worker.engine
        self._read_audio = read_audio
        self._post = post
        self._back = back
        self._stopped = False

    def start(self) -> None:
        """The engine runs already: tell how it is."""
        self._worker.connect(self._read_audio, self._post)

    def audio_written(self, total_samples: int) -> None:
        self._engine.audio_written(total_samples)

    def end_utterance(self) -> None:
        self._engine.end_utterance()

    def settled(self, time_s: float) -> None:
        self._engine.settled(time_s)

    def new_session(self, read_audio: ReadAudio) -> None:
        self._engine.new_session(read_audio)

    def configure(self, *, delay_ms: int | None = None, interval_s: float | None = None) -> None:
        """Others will use it, too: it stays as it is."""

    def reload(self, config: EngineConfig) -> None:
        """Others will use it, too: it stays as it is."""

    def try_again(self) -> None:
        self._engine.try_again()

    def idle(self) -> bool:
        return self._engine.idle()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let it finish what is written, at most `timeout_s`, then give it back."""
        if self._stopped:
            return
        self._stopped = True
        deadline = time.monotonic() + timeout_s
        while self._worker.busy and time.monotonic() < deadline:
            time.sleep(0.01)
        told = threading.Event()
        self._engine.after_all(told.set)  # what it still has to tell is nothing for the next one
        told.wait(1.0)
        self._worker.disconnect()
        self._back()


class Seat:
    """A place among the clients, to be released."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool
        self._released = False

    def engine(self, config: EngineConfig, read_audio: ReadAudio, post: PostEvent) -> SessionEngine:
        """An engine for this client; `config` tells whether it may work in the background."""
        return self._pool.lease(config, read_audio, post)

    def release(self) -> None:
        """Make room for another client; harmless when repeated."""
        if not self._released:
            self._released = True
            self._pool.leave()


class EnginePool:
    """All engines of the server. Thread-safe."""

    def __init__(self, config: EngineConfig, limits: Limits) -> None:
        self._config = config
        self._limits = limits
        self._lock = threading.Lock()
        self._free: list[Worker] = []
        self._lent: set[Worker] = set()
        self._seats = 0
        self._closed = False

    def start(self) -> None:
        """Have the first engine load its model before the first client comes."""
        with self._lock:
            self._free.append(Worker(self._config))

    # ---- clients -----------------------------------------------------------------------

    def reserve(self) -> Seat:
        """A place for one more client; `Refused` when there is none."""
        with self._lock:
            if self._closed:
                raise Refused(503, "The server is being stopped.", "stopping")
            if self._seats >= self._limits.clients:
                raise Refused(
                    503,
                    f"All places ({self._limits.clients}) are taken: try again in a moment"
                    " (voxtui serve --clients says how many there are).",
                    "too_many_clients",
                )
            if not self._free:
                self._check_memory()
            self._seats += 1
        return Seat(self)

    def leave(self) -> None:
        """A client has gone."""
        with self._lock:
            self._seats -= 1

    @property
    def taken(self) -> int:
        """How many clients are served now."""
        return self._seats

    def facts(self) -> EngineChanged:
        """How the engines are: the best of them speaks for all."""
        with self._lock:
            known = [worker.facts for worker in (*self._free, *self._lent)]
        ready = [facts for facts in known if facts.state is EngineState.READY]
        return (ready or known or [EngineChanged(EngineState.STOPPED)])[0]

    def memory(self) -> list[int]:
        """Bytes that each engine has for itself, as far as the system tells."""
        with self._lock:
            workers = [*self._free, *self._lent]
        return [size for worker in workers if (size := private_memory(worker)) is not None]

    def _check_memory(self) -> None:
        known = [
            size
            for worker in (*self._free, *self._lent)
            if (size := private_memory(worker)) is not None
        ]
        available = memory_available()
        if not known or not available:
            return
        needed = max(known) + self._limits.spare_memory_mib * MIB
        if available < needed:
            raise Refused(
                503,
                f"There is no memory for another client: {needed / 1e6:.0f} MB are needed,"
                f" {available / 1e6:.0f} MB are free.",
                "no_memory",
            )

    # ---- engines -----------------------------------------------------------------------

    def lease(self, config: EngineConfig, read_audio: ReadAudio, post: PostEvent) -> Lease:
        """A free engine of that kind, else a new one."""
        config = replace(self._config, background=config.background)
        with self._lock:
            ended = [w for w in self._free if w.facts.state is EngineState.FAILED]
            self._free = [w for w in self._free if w not in ended]
            fitting = [w for w in self._free if w.config == config]
            # The one that is loaded, if there is one.
            fitting.sort(key=lambda w: w.facts.state is EngineState.READY)
            worker = fitting[-1] if fitting else Worker(config)
            if fitting:
                self._free.remove(worker)
            elif len(self._free) + len(self._lent) >= self._limits.clients and self._free:
                ended.append(self._free.pop(0))  # one of the other kind makes room
            self._lent.add(worker)
        _stop(ended)
        return Lease(worker, read_audio, post, lambda: self._take_back(worker))

    def _take_back(self, worker: Worker) -> None:
        ended = []
        with self._lock:
            self._lent.discard(worker)
            if self._closed or not worker.usable:
                ended.append(worker)
            else:
                self._free.append(worker)
        _stop(ended)

    def tidy(self) -> None:
        """End engines that nobody has used for long; one for live sound stays."""
        now = time.monotonic()
        with self._lock:
            ended = [w for w in self._free if now - w.free_since > WARM_S]
            live = [w for w in (*self._free, *self._lent) if w.config == self._config]
            if live and all(w in ended for w in live):
                ended.remove(live[0])
            self._free = [w for w in self._free if w not in ended]
        _stop(ended)

    def close(self) -> None:
        """End all engines; those that are lent end when they are given back."""
        with self._lock:
            self._closed = True
            ended, self._free = self._free, []
        _stop(ended)


def _stop(workers: list[Worker]) -> None:
    """In threads of their own: a process may take a moment to end."""
    threads = [threading.Thread(target=w.engine.stop, args=(0.5,), daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3.0)


def private_memory(worker: Worker) -> int | None:
    """Bytes of a worker's process that are its own and not the weights file's."""
    pid = worker.engine.pid
    if pid is None:
        return None
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    try:
        return int(fields["RssAnon"].split()[0]) * 1024
    except (KeyError, ValueError, IndexError):
        return None
