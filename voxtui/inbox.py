"""One thread that alone changes a state, and the inbox through which others have it work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar, cast

Work = Callable[[], None]
Answer = TypeVar("Answer")
ENDED_S = 0.2
"""How often who waits for an answer looks whether the thread has ended."""


class Inbox:
    """`do` is called with each piece of work, in order, on the thread."""

    def __init__(self, name: str, do: Callable[[Work], None]) -> None:
        self._do = do
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def running(self) -> bool:
        """Is there a thread that works?"""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin with what was put already."""
        self._thread.start()

    def put(self, work: Work) -> None:
        """Have this done; returns at once."""
        self._queue.put(work)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What `question` says on the thread; here, while there is none."""
        if not self.running:
            return question()
        answer: Future[Any] = Future()

        def work() -> None:
            try:
                answer.set_result(question())
            except Exception as error:  # handed to the caller
                answer.set_exception(error)

        self._queue.put(work)
        while not wait([answer], ENDED_S).done:
            if not self.running and not answer.done():
                return question()  # it ended before it came to this
        return cast(Answer, answer.result())

    def close(self, timeout_s: float) -> None:
        """Wait until all that was put is done, and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            self._do(work)
