"""The client of realtime servers, driven by frames; what it says becomes a page of words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.realtime.scenarios import MODEL
from voxtui.engine.protocol import Frame
from voxtui.engine.workers.dialects import DIALECTS, Dialect
from voxtui.engine.workers.link import Link, Patience
from voxtui.engine.workers.realtime import Client
from voxtui.engine.workers.wire import Output

QUICK = Patience(start=0.3, stall=1.0, rut=2.0, backoff=(0.0, 0.02, 0.05))

Event = dict[str, Any]
Step = tuple[Frame, bytes] | Callable[[], Any]


def audio(pcm: bytes, piece: int = 1600) -> list[Step]:
    """Frames of so many samples."""
    return [(Frame.AUDIO, pcm[at : at + 2 * piece]) for at in range(0, len(pcm), 2 * piece)]


FLUSH: Step = (Frame.FLUSH, b"")
RESET: Step = (Frame.RESET, b"")


@dataclass
class Page:
    """The events, and the words that remain of them."""

    events: list[Event] = field(default_factory=list)

    def write(self, line: bytes) -> None:
        self.events.append(json.loads(line))

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    def tokens(self) -> list[Event]:
        """Those that were not taken back."""
        kept: list[Event] = []
        for event in self.events:
            if event["type"] == "token":
                kept.append(event)
            elif event["type"] == "retracted":
                number, start = event["utterance"], event["from"]
                kept = [t for t in kept if t["utterance"] != number or t["time"] <= start]
        return kept

    def text(self) -> str:
        return "".join(token["text"] for token in self.tokens())

    async def until(self, condition: Callable[[Page], bool]) -> None:
        for _ in range(1000):
            if condition(self):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.events[-10:])


async def transcribe(
    url: str,
    steps: list[Step],
    *,
    dialect: Dialect | None = None,
    key: str = "",
    patience: Patience = QUICK,
    page: Page | None = None,
) -> Page:
    """Give it the frames; a step that can be called is called, and waited for, in its place."""
    page = page or Page()
    out = Output(page.write)
    dialect = dialect or DIALECTS["vllm"]
    link = Link(dialect, url, MODEL, key, out, patience)

    async def frames() -> AsyncIterator[tuple[Frame, bytes]]:
        for step in steps:
            if callable(step):
                await step()
            else:
                yield step

    client = Client(dialect, link, out, patience)
    await asyncio.wait_for(client.run(frames(), MODEL), 30)
    return page
