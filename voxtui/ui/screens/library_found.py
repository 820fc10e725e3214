"""What a search found in each session, for the list: looked up in a thread when it is drawn."""

from __future__ import annotations

from collections.abc import Callable

from voxtui.session.errors import SessionError
from voxtui.session.index import SessionIndex
from voxtui.session.library import SessionInfo
from voxtui.session.matching import Query
from voxtui.ui.widgets.sessionlist import Found

SNIPPET = 160


class Snippets:
    """Used on the page's thread. `start` runs work in a thread, `tell` brings a call back from
    there, `changed` is called when another one is known."""

    def __init__(
        self,
        index: Callable[[], SessionIndex],
        start: Callable[[Callable[[], None]], object],
        tell: Callable[..., None],
        changed: Callable[[], object],
    ) -> None:
        self._index = index
        self._start = start
        self._tell = tell
        self._changed = changed
        self._query = Query(())
        self._known: dict[str, Found | None] = {}
        self._wanted: list[str] = []
        self._working = False

    def begin(self, query: Query) -> None:
        """Look for this from now on, in files that may have changed."""
        self._query = query
        self._known.clear()
        self._wanted.clear()

    def of(self, info: SessionInfo) -> Found | None:
        """What was found in a session; None as long as nothing is known."""
        if self._query and info.name not in self._known:
            self._known[info.name] = None
            self._wanted.append(info.name)
            self._go_on()
        return self._known.get(info.name)

    def _go_on(self) -> None:
        if self._wanted and not self._working:
            self._working = True
            names, query = self._wanted[:], self._query
            self._wanted.clear()
            self._start(lambda: self._look(names, query))

    def _look(self, names: list[str], query: Query) -> None:
        for name in names:
            if query != self._query:
                break  # typed on meanwhile
            try:
                stopped = lambda: query != self._query  # noqa: E731
                matches = self._index().matches(name, query, most=1, stopped=stopped)
            except SessionError:
                continue
            if matches:
                short = matches[0].shortened(SNIPPET)
                self._tell(self._take, query, name, Found(short.text, short.spans))
        self._tell(self._done)

    def _take(self, query: Query, name: str, found: Found) -> None:
        if query == self._query:
            self._known[name] = found
            self._changed()

    def _done(self) -> None:
        self._working = False
        self._go_on()
