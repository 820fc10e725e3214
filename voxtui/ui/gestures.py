"""One key to talk: hold it, or tap it. A state machine without clock or terminal of its own.

- Where releases are reported: hold to talk; a short tap latches (hands-free) until the next one.
- While held: sliding up with the mouse, or another key, latches too.
- Where they are not: each press toggles. Auto-repeat of a held key is told from a second press,
  and the person is told how it works here.
- A release is believed only after a moment, as some keyboards repeat in pairs of up and down.
- Guards: losing the focus ends a hold; a hold has a longest duration; a latched microphone
  without words ends some day.

Every call takes the time in seconds. After each, look at `listening`, `wake_at` and `take_hint`.
"""

from __future__ import annotations

from enum import Enum, auto

TAP_S = 0.35
"""Shorter than this is a tap, longer is a hold."""
DEBOUNCE_S = 0.06
REPEAT_DELAY_S = 0.75
"""A held key begins to repeat within this time."""
REPEAT_GAP_S = 0.15
"""Presses closer than this are auto-repeat, not a hand."""
LONGEST_HOLD_S = 600.0
LONGEST_QUIET_S = 1800.0


class Rung(Enum):
    """Where on the ladder one stands, in words for the page."""

    IDLE = ""
    KEY = "held"
    MOUSE = "held with the mouse"
    TAPPED = "tapped: on until the next press"
    SLID = "latched: on until the next press"
    LIVE = "hands-free"


class Hint(Enum):
    """Something the person should know about the gesture."""

    NO_RELEASE_HERE = auto()
    HELD_TOO_LONG = auto()
    QUIET_TOO_LONG = auto()


class _State(Enum):
    IDLE = auto()
    HELD = auto()
    LETTING_GO = auto()  # released, perhaps only a bounce
    LATCHED = auto()
    DOUBTED = auto()  # latched by a press, and a second press that may be auto-repeat


class TalkGesture:
    """What the talk key, the Talk button and the live key mean together."""

    def __init__(
        self, longest_hold_s: float = LONGEST_HOLD_S, longest_quiet_s: float = LONGEST_QUIET_S
    ) -> None:
        """`longest_quiet_s` 0 is for ever."""
        self.longest_hold_s = longest_hold_s
        self.longest_quiet_s = longest_quiet_s
        self.rung = Rung.IDLE
        self._state = _State.IDLE
        self._began = 0.0
        self._released = 0.0
        self._last_press = -1e9
        self._last_up = -1e9
        self._last_words = 0.0
        self._hint: Hint | None = None

    @property
    def listening(self) -> bool:
        """Should the microphone be heard?"""
        return self._state is not _State.IDLE

    @property
    def held(self) -> bool:
        """Is it being held, rather than hands-free?"""
        return self._state in (_State.HELD, _State.LETTING_GO)

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do, or None."""
        if self._state is _State.LETTING_GO:
            return self._released + DEBOUNCE_S
        if self._state is _State.HELD:
            return self._began + self.longest_hold_s
        if self._state is _State.DOUBTED:
            return self._last_press + REPEAT_GAP_S
        if self._state is _State.LATCHED and self.longest_quiet_s:
            return self._last_words + self.longest_quiet_s
        return None

    def take_hint(self) -> Hint | None:
        """A hint to show, once."""
        hint, self._hint = self._hint, None
        return hint

    @property
    def hands_free(self) -> bool:
        """Is it on without anything being held?"""
        return self._state in (_State.LATCHED, _State.DOUBTED)

    def press(self, now: float, *, mouse: bool = False) -> None:
        """The key or the button went down, and its release will be reported."""
        if self._state is _State.IDLE:
            if now - self._last_up >= DEBOUNCE_S:
                self._begin(_State.HELD, Rung.MOUSE if mouse else Rung.KEY, now)
        elif self._state is _State.LETTING_GO:
            self._state = _State.HELD
        elif self.hands_free:
            self._end()

    def latch(self, now: float) -> None:
        """While it is held: it stays on when it is let go."""
        if self.held:
            self._state, self.rung, self._last_words = _State.LATCHED, Rung.SLID, now

    def release(self, now: float) -> None:
        """The key or the button went up."""
        self._last_up = now
        if self._state is _State.HELD:
            self._state, self._released = _State.LETTING_GO, now

    def tap(self, now: float) -> None:
        """The key was pressed, and no release will ever be reported."""
        gap = now - self._last_press
        self._last_press = now
        if self._state is _State.IDLE:
            if gap > REPEAT_GAP_S:
                self._begin(_State.LATCHED, Rung.TAPPED, now)
        elif self._state is _State.DOUBTED:
            self._state = _State.LATCHED
            self._hint = Hint.NO_RELEASE_HERE
        elif gap <= REPEAT_GAP_S:
            return
        elif now - self._began < REPEAT_DELAY_S:
            self._state = _State.DOUBTED
        else:
            self._end()

    def toggle_live(self, now: float) -> None:
        """Hands-free on or off; a hold becomes hands-free."""
        if self.hands_free:
            self._end()
        elif self._state is _State.IDLE:
            self._begin(_State.LATCHED, Rung.LIVE, now)
        else:
            self.latch(now)

    def lost_focus(self) -> None:
        """The release of a held key will not be seen: it counts as released."""
        if self.held:
            self._end()

    def stop(self) -> None:
        """Listening ended for another reason."""
        self._end()

    def began_elsewhere(self, now: float) -> None:
        """Listening began for another reason (a file is heard)."""
        if self._state is _State.IDLE:
            self._begin(_State.LATCHED, Rung.LIVE, now)

    def heard_words(self, now: float) -> None:
        """Words came: the microphone is not forgotten."""
        self._last_words = now

    def tick(self, now: float) -> None:
        """Time has passed."""
        due = self.wake_at
        if due is None or now < due:
            return
        if self._state is _State.LETTING_GO:
            if self._released - self._began < TAP_S:
                self._state, self.rung = _State.LATCHED, Rung.TAPPED
            else:
                self._end()
        elif self._state is _State.DOUBTED:
            self._end()
        else:
            self._hint = Hint.HELD_TOO_LONG if self.held else Hint.QUIET_TOO_LONG
            self._end()

    def _begin(self, state: _State, rung: Rung, now: float) -> None:
        self._state, self.rung = state, rung
        self._began = self._last_words = now

    def _end(self) -> None:
        self._state, self.rung = _State.IDLE, Rung.IDLE
