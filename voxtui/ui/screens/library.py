"""The library: all sessions at the left, the chosen one at the right as it looked live.

`LibraryFrame` lists, searches and shows; the rooms above it add what is done with a session.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Static

from voxtui.session.errors import SessionError
from voxtui.session.index import SessionIndex, open_index
from voxtui.session.library import LoadedSession, SessionInfo, load_session
from voxtui.session.matching import Query
from voxtui.ui import wording
from voxtui.ui.keys import first_of_each
from voxtui.ui.screens.frame import Copier, PageFrame
from voxtui.ui.screens.library_found import Snippets
from voxtui.ui.screens.library_look import CSS, EMPTY, NOTHING, SEARCH_KEYS, foot, heading
from voxtui.ui.widgets.keybar import KeyBar
from voxtui.ui.widgets.reader import ReaderView
from voxtui.ui.widgets.searchfield import SearchField
from voxtui.ui.widgets.sessionabout import about
from voxtui.ui.widgets.sessionlist import SessionList
from voxtui.ui.widgets.status import MessageLine
from voxtui.ui.words import count, elapsed

REFRESH_S = 4.0
"""Changes by other programs are looked for so often; more seldom among thousands of sessions."""
REST_S = 0.06
"""A session is read when the choice has rested so long."""
TELL_S = 1.0


class LibraryFrame(Screen[None]):
    """Lists and searches in threads of its own; the page never waits for the disk."""

    AUTO_FOCUS = "Input"
    HORIZONTAL_BREAKPOINTS = PageFrame.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = PageFrame.VERTICAL_BREAKPOINTS
    SCOPED_CSS = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="library.back", tooltip="Back"),
        Binding("slash", "search", "search", id="library.search", tooltip="Search all sessions"),
        Binding("enter", "read", "read", id="library.read", tooltip="Read on the whole screen"),
        Binding("n", "turn(1)", "next place", id="library.next", tooltip="Next place found"),
        Binding("N", "turn(-1)", "place before", id="library.before", tooltip="Place found before"),
        Binding("up,k", "go('line', -1)", show=False, id="library.up", tooltip="Up"),
        Binding("down,j", "go('line', 1)", show=False, id="library.down", tooltip="Down"),
        Binding("pageup", "go('page', -1)", show=False, id="library.pageup", tooltip="A page up"),
        Binding(
            "pagedown", "go('page', 1)", show=False, id="library.pagedown", tooltip="Page down"
        ),
        Binding("home", "go('end', -1)", show=False, id="library.home", tooltip="The first"),
        Binding("end", "go('end', 1)", show=False, id="library.end", tooltip="The last"),
    ]
    FOOT: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    CSS = CSS

    def __init__(self, root: Path, live: PageFrame, copier: Copier) -> None:
        super().__init__()
        self.root = root
        self.live = live
        self.copier = copier
        self.query_ = Query(())
        self.shown: LoadedSession | None = None
        self._index: SessionIndex | None = None
        self._index_lock = threading.Lock()
        self._all: list[SessionInfo] = []
        self._snippets = Snippets(self.index, self._find, self._tell, self._show_snippets)
        self._reading_files = (0, 0)
        self._refreshing = self._stale = False
        self._opening = True
        """The list is as it was at the last opening, until the disk has been looked at."""
        self._told_at = 0.0
        self._wanted = ""  # the session that is to be shown when its turn comes

    def compose(self) -> ComposeResult:
        """The field, the list, the page."""
        yield Static(id="library-top")
        with Horizontal(id="library-field"):
            yield Static("/", id="library-slash")
            yield SearchField(placeholder="search all sessions")
            yield Static(id="library-places")
        with Horizontal(id="shelf"):
            with Vertical(id="left"):
                yield Static(id="library-blank", markup=False)
                yield SessionList(self._snippets.of)
            with Vertical(id="right"):
                yield Static(id="library-about")
                yield ReaderView()
        yield Static(id="library-job", markup=False)
        yield MessageLine()
        yield KeyBar(id="library-keys")
        yield KeyBar(id="library-more")

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one(ReaderView).stamps = self.live.preferences.shown.appearance.timestamps
        self.set_interval(0.5, self.show_top)
        self._look_again()

    def on_screen_resume(self) -> None:
        self._opening = True
        self.look()
        self.call_after_refresh(self.show_keys)

    def on_unmount(self) -> None:
        if self._index is not None:
            self._index.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_keys)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.call_after_refresh(self.show_keys)

    def say(self, text: str, *, seconds: float = 6.0, warning: bool = False) -> None:
        """A sentence in passing."""
        self.query_one(MessageLine).say(text, seconds=seconds, warning=warning)

    # ---- what is on the disk (in threads)

    def index(self) -> SessionIndex:
        """The index, opened when it is first asked for; from any thread."""
        with self._index_lock:
            if self._index is None:
                self._index = open_index(self.root)
            return self._index

    def _look_again(self) -> None:
        self.look()
        self.set_timer(REFRESH_S * max(1.0, len(self._all) / 2000), self._look_again)

    def look(self) -> None:
        """Take in what changed on the disk: now, or when the look under way has ended."""
        self._stale = True
        if self.is_current and not self._refreshing:
            self._refreshing, self._stale = True, False
            self.run_worker(self._refresh, thread=True, group="refresh", exit_on_error=False)

    def _refresh(self) -> None:
        try:
            self._tell(self._show_list, self.index().sessions())
            self.index().refresh(self._progress)
            self._tell(self._show_list, self.index().sessions())
        except SessionError as error:
            self._tell(partial(self.say, str(error), warning=True))
        finally:
            self._tell(self._looked)

    def _looked(self) -> None:
        self._refreshing = self._opening = False
        if self._stale:
            self.look()

    def _progress(self, done: int, total: int) -> None:
        self._reading_files = (done, total)
        now = time.monotonic()
        if total and (done in (0, total) or now - self._told_at > TELL_S):
            self._told_at = now
            self._tell(self._show_list, self.index().sessions())

    def _tell(self, work: Callable[..., object], *arguments: object) -> None:
        try:
            self.app.call_from_thread(work, *arguments)
        except RuntimeError:
            if self.is_attached and self.app.is_running:
                raise  # else the application is leaving

    # ---- the list

    def _show_list(self, found: list[SessionInfo]) -> None:
        changed = found != self._all
        self._all = found
        if changed:
            self._snippets.begin(self.query_)
        if self.query_:
            self._search()
        elif changed or not self.query_one(SessionList).entries:
            self.fill(found)
        self.show_top()

    def fill(self, found: list[SessionInfo]) -> None:
        """Show these sessions."""
        shelf = self.query_one(SessionList)
        before = shelf.chosen
        stays = shelf.by_hand or not self._opening
        shelf.show(found, before.name if before is not None and stays else None)
        self.set_class(not found, "-blank")
        if not found:
            text = NOTHING if self.query_ else EMPTY.format(place=wording.place(self.root))
            self.query_one("#library-blank", Static).update(text)
        if shelf.chosen != before and not self._grows(before, shelf.chosen):
            self.choose()
        self.show_keys()

    def _grows(self, before: SessionInfo | None, now: SessionInfo | None) -> bool:
        """Only the length of the session shown is new, or somebody has scrolled in it."""
        if before is None or now is None or self.shown is None:
            return False
        if not now.live or not before.name == now.name == self.shown.name:
            return False
        self.query_one("#library-about", Static).update(about(now, self.shown, now.problem))
        return before.words == now.words or self.query_one(ReaderView).scroll_offset.y > 0

    @property
    def chosen(self) -> SessionInfo | None:
        """The session that things are done with."""
        return self.query_one(SessionList).chosen if self.is_mounted else None

    def on_session_list_chosen(self) -> None:
        self.choose()

    def on_session_list_opened(self) -> None:
        self.action_read()

    # ---- searching

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_ = Query.parse(event.value)
        self.set_class(bool(self.query_), "-search")
        self._snippets.begin(self.query_)
        if self.query_:
            self._search()
        else:
            self.query_one(ReaderView).mark(self.query_, ())
            self.query_one("#library-places", Static).update("")
            self.fill(self._all)

    def on_input_submitted(self) -> None:
        self.action_read()

    def _search(self) -> None:
        query = self.query_

        def work() -> None:
            try:
                names = self.index().search(query)
            except SessionError:
                return
            self._tell(self._show_found, query, names)

        self.run_worker(work, thread=True, group="search", exclusive=True, exit_on_error=False)

    def _show_found(self, query: Query, names: list[str]) -> None:
        if query != self.query_:
            return  # typed on meanwhile
        known = {info.name: info for info in self._all}
        before = self.chosen
        self.fill([known[name] for name in names if name in known])
        if not names:
            self.query_one("#library-places", Static).update("")
        if self.chosen == before:
            self._mark()
        self.show_top()

    def _find(self, work: Callable[[], None]) -> None:
        self.run_worker(work, thread=True, group="find", exit_on_error=False)

    def _show_snippets(self) -> None:
        self.query_one(SessionList).refresh()

    # ---- the page at the right

    def choose(self) -> None:
        """Another session is to be shown: soon, when the choice rests."""
        info = self.chosen
        self._wanted = info.name if info is not None else ""
        self.set_timer(REST_S, self._read_wanted)

    def _read_wanted(self) -> None:
        info = self.chosen
        if info is None or info.name != self._wanted:
            return
        self._wanted = ""
        self.query_one("#library-about", Static).update("reading …")

        def work() -> None:
            try:
                loaded: LoadedSession | str = load_session(info.path)
            except SessionError as error:
                loaded = str(error)
            self._tell(self._show_session, info, loaded)

        self.run_worker(work, thread=True, group="read", exclusive=True, exit_on_error=False)

    def _show_session(self, info: SessionInfo, loaded: LoadedSession | str) -> None:
        if self.chosen is None or self.chosen.name != info.name:
            return
        self.shown = loaded if isinstance(loaded, LoadedSession) else None
        segments = self.shown.segments if self.shown is not None else ()
        self.query_one(ReaderView).read(segments)
        problem = info.problem or (loaded if isinstance(loaded, str) else "")
        self.query_one("#library-about", Static).update(about(info, self.shown, problem))
        self._mark()
        self.show_keys()

    def _mark(self) -> None:
        info, query = self.chosen, self.query_
        if info is None or not query:
            return

        def work() -> None:
            stopped = lambda: query != self.query_  # noqa: E731
            matches = self.index().matches(info.name, query, stopped=stopped)
            self._tell(show, matches)

        def show(matches: list[object]) -> None:
            if query == self.query_ and self.shown is not None and self.shown.name == info.name:
                self.query_one("#library-places", Static).update("")
                self.query_one(ReaderView).mark(query, matches)  # type: ignore[arg-type]

        self.run_worker(work, thread=True, group="mark", exclusive=True, exit_on_error=False)

    def on_reader_view_turned(self, message: ReaderView.Turned) -> None:
        places = f"{message.number} of {message.total}"
        self.query_one("#library-places", Static).update(places)

    # ---- what the keys do

    def action_search(self) -> None:
        """Into the field."""
        self.query_one(Input).focus()

    def action_read(self) -> None:
        """On the whole screen, and from there back beside the list."""
        if self.chosen is not None:
            self.toggle_class("-reading")
            self.query_one(SessionList).focus()
            if self.has_class("-reading"):
                self.set_focus(None)
            self.call_after_refresh(self.show_keys)

    def action_back(self) -> None:
        """One step: out of the page, out of the search, out of the library."""
        field = self.query_one(Input)
        if self.has_class("-reading"):
            self.action_read()
        elif field.value:
            field.value = ""
        else:
            self.dismiss()

    def action_turn(self, by: int) -> None:
        """To another place that was found."""
        self.query_one(ReaderView).turn(by)

    def action_go(self, by: str, direction: int) -> None:
        """Up and down: in the list, or on the page when it has the whole screen."""
        if not self.has_class("-reading"):
            shelf = self.query_one(SessionList)
            shelf.focus()
            steps = {"line": 1, "page": shelf.page, "end": len(shelf.entries)}
            shelf.move(direction * steps[by])
            return
        view = self.query_one(ReaderView)
        if by == "end":
            view.scroll_to(y=0 if direction < 0 else view.max_scroll_y, animate=False)
        else:
            rows = max(1, view.size.height - 2) if by == "page" else 1
            view.scroll_relative(y=direction * rows, animate=False)

    # ---- showing

    def show_top(self) -> None:
        """The first line: how many, and that the recording goes on."""
        if not self.is_mounted:
            return
        total, found = len(self._all), len(self.query_one(SessionList).entries)
        many = f"{found:,} of {count(total, 'session')}" if self.query_ else count(total, "session")
        done, wanted = self._reading_files
        if done < wanted:
            many = f"{many} · reading {done:,} of {wanted:,}"
        live = self.live.state.listening
        right = f"● listening {elapsed(self.live.heard_s)}" if live else ""
        top = self.query_one("#library-top", Static)
        top.update(heading(many, right, top.content_size.width))

    def show_keys(self) -> None:
        """The keys at the foot: those that do something now."""
        if not self.is_mounted:
            return
        bindings = first_of_each(self.active_bindings.values())
        items = SEARCH_KEYS if isinstance(self.focused, Input) else foot(self.FOOT, bindings)
        half = (len(items) + 1) // 2 if self.has_class("-narrow") and len(items) > 4 else 0
        self.query_one("#library-keys", KeyBar).items = tuple(items[:half])
        self.query_one("#library-more", KeyBar).items = tuple(items[half:])
