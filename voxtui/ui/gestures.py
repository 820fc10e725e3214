"""One key to talk: hold it, or tap it. A state machine without clock or terminal of its own.

- Where releases are reported: hold to talk; a short tap latches (hands-free) until the next one.
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

    def __init__(self) -> None:
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
            return self._began + LONGEST_HOLD_S
        if self._state is _State.DOUBTED:
            return self._last_press + REPEAT_GAP_S
        if self._state is _State.LATCHED:
            return self._last_words + LONGEST_QUIET_S
        return None

    def take_hint(self) -> Hint | None:
        """A hint to show, once."""
        hint, self._hint = self._hint, None
        return hint

    def press(self, now: float) -> None:
        """The key or the button went down, and its release will be reported."""
        if self._state is _State.IDLE:
            if now - self._last_up >= DEBOUNCE_S:
                self._begin(_State.HELD, now)
        elif self._state is _State.LETTING_GO:
            self._state = _State.HELD
        elif self._state in (_State.LATCHED, _State.DOUBTED):
            self._state = _State.IDLE

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
                self._begin(_State.LATCHED, now)
        elif self._state is _State.DOUBTED:
            self._state = _State.LATCHED
            self._hint = Hint.NO_RELEASE_HERE
        elif gap <= REPEAT_GAP_S:
            return
        elif now - self._began < REPEAT_DELAY_S:
            self._state = _State.DOUBTED
        else:
            self._state = _State.IDLE

    def toggle_live(self, now: float) -> None:
        """Hands-free on or off; a hold becomes hands-free."""
        if self._state in (_State.LATCHED, _State.DOUBTED):
            self._state = _State.IDLE
        elif self._state is _State.IDLE:
            self._begin(_State.LATCHED, now)
        else:
            self._state, self._last_words = _State.LATCHED, now

    def lost_focus(self) -> None:
        """The release of a held key will not be seen: it counts as released."""
        if self.held:
            self._state = _State.IDLE

    def stop(self) -> None:
        """Listening ended for another reason."""
        self._state = _State.IDLE

    def began_elsewhere(self, now: float) -> None:
        """Listening began for another reason (a file is heard)."""
        if self._state is _State.IDLE:
            self._begin(_State.LATCHED, now)

    def heard_words(self, now: float) -> None:
        """Words came: the microphone is not forgotten."""
        self._last_words = now

    def tick(self, now: float) -> None:
        """Time has passed."""
        due = self.wake_at
        if due is None or now < due:
            return
        if self._state is _State.LETTING_GO:
            tapped = self._released - self._began < TAP_S
            self._state = _State.LATCHED if tapped else _State.IDLE
        elif self._state is _State.DOUBTED:
            self._state = _State.IDLE
        elif self._state is _State.HELD:
            self._state, self._hint = _State.IDLE, Hint.HELD_TOO_LONG
        else:
            self._state, self._hint = _State.IDLE, Hint.QUIET_TOO_LONG

    def _begin(self, state: _State, now: float) -> None:
        self._state = state
        self._began = self._last_words = now
