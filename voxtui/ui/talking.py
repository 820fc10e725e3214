"""From the talk gesture to `listen(True)` and `listen(False)`, with its timers and hints."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.timer import Timer

from voxtui.ui.gestures import Hint, Rung, TalkGesture
from voxtui.ui.widgets.talk import TalkMode
from voxtui.ui.words import span

CONFIRM_S = 1.0
"""So long an answer to `listen` is waited for."""

HINTS = {
    Hint.NO_RELEASE_HERE: "This terminal does not tell when a key is let go: press {key} once to"
    " talk, and once more to stop. The Talk button can be held with the mouse.",
    Hint.HELD_TOO_LONG: "Stopped after {hold} of holding. Hands-free listens as long as you like.",
    Hint.QUIET_TOO_LONG: "Stopped: nothing was said for {quiet}.",
}


class Talking:
    """Owns the gesture; asks for listening when it changes; hears what became of it."""

    def __init__(
        self,
        listen: Callable[[bool], None],
        changed: Callable[[], None],
        hint: Callable[[str], None],
        set_timer: Callable[[float, Callable[[], None]], Timer],
        clock: Callable[[], float] = time.monotonic,
        hands_free: Callable[[bool], None] = lambda on: None,
    ) -> None:
        self._listen = listen
        self._hands_free = hands_free
        self._hands_free_told = False
        self._changed = changed
        self._hint = hint
        self._set_timer = set_timer
        self._clock = clock
        self._gesture = TalkGesture()
        self._timer: Timer | None = None
        self._asked = False
        self._asked_at: float | None = None
        self.hold_possible = False
        self.told_by_terminal = False
        self.key = "Space"
        """The talk key, as people call it."""

    def limit(self, longest_hold_s: float, longest_quiet_s: float) -> None:
        """How long a hold and a quiet may last; 0 for the quiet is for ever."""
        self._gesture.longest_hold_s = longest_hold_s
        self._gesture.longest_quiet_s = longest_quiet_s
        self._arm()

    @property
    def rung(self) -> Rung:
        """How it is being listened."""
        return self._gesture.rung

    @property
    def mode(self) -> TalkMode:
        """What the talk key would do now."""
        if self._gesture.listening:
            if not self._gesture.held:
                return TalkMode.STOP
            return TalkMode.SLIDE if self.rung is Rung.MOUSE else TalkMode.LET_GO
        return TalkMode.HOLD if self.hold_possible else TalkMode.TAP

    def press(self, at: float | None = None, *, mouse: bool = False) -> None:
        """The key or the button went down, now or at a time."""
        self._gesture.press(self._clock() if at is None else at, mouse=mouse)
        self._follow()

    def latch(self) -> None:
        """What is held stays on when it is let go."""
        self._gesture.latch(self._clock())
        self._follow()

    def release(self, at: float | None = None) -> None:
        """The key or the button went up, now or at a time."""
        self._gesture.release(self._clock() if at is None else at)
        self._follow()

    def tap(self, at: float | None = None) -> None:
        """The key was pressed where releases are not told."""
        self._gesture.tap(self._clock() if at is None else at)
        self._follow()

    def toggle_live(self) -> None:
        """Hands-free on or off."""
        self._gesture.toggle_live(self._clock())
        self._follow()

    def lost_focus(self) -> None:
        """The terminal is not looked at any more."""
        self._gesture.lost_focus()
        self._follow()

    def stop(self) -> None:
        """Listen no more."""
        self._gesture.stop()
        self._follow()

    def heard_words(self) -> None:
        """Somebody is talking."""
        self._gesture.heard_words(self._clock())

    def confirmed(self, listening: bool) -> None:
        """Listening really went on or off: as asked, or by itself."""
        now = self._clock()
        awaited = self._asked_at is not None and now - self._asked_at < CONFIRM_S
        if listening == self._asked:
            self._asked_at = None
            return
        if awaited:
            return  # the answer to an earlier question
        self._asked = listening
        if listening:
            self._gesture.began_elsewhere(now)
        else:
            self._gesture.stop()
        self._follow()

    def _follow(self) -> None:
        wanted = self._gesture.listening
        if wanted != self._asked:
            self._asked, self._asked_at = wanted, self._clock()
            self._listen(wanted)
        hands_free = self._gesture.hands_free
        if hands_free != self._hands_free_told:
            self._hands_free_told = hands_free
            self._hands_free(hands_free)
        hint = self._gesture.take_hint()
        if hint is not None:
            hold, quiet = self._gesture.longest_hold_s, self._gesture.longest_quiet_s
            self._hint(HINTS[hint].format(key=self.key, hold=span(hold), quiet=span(quiet)))
        self._arm()
        self._changed()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        due = self._gesture.wake_at
        if due is not None:
            self._timer = self._set_timer(max(0.001, due - self._clock()), self._tick)

    def _tick(self) -> None:
        self._gesture.tick(self._clock())
        self._follow()
