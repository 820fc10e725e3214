"""Keys that tell when they are let go, where the terminal can report it.

The kitty keyboard protocol reports key releases when its flag 2 ("event types") is on. Textual
asks for the other flags; `HoldDriver` adds this one and asks back whether it was understood, and
`HoldParser` reads the longer sequences that then come. A terminal that does not answer sends
what it always sent.

This leans on private names of Textual 8 (the parser's `_sequence_to_key_events`); the tests in a
pseudo-terminal guard it.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import selectors
import termios
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys
from textual.message import Message

REPORT_EVENT_TYPES = 2
MODIFIER_KEYS = range(57441, 57455)
LOCKS = 64 | 128  # caps lock and num lock, which are no modifiers to anybody
LARGEST_TERMINAL = 4000

_KEY = re.compile(
    r"\x1b\["
    r"(?P<code>\d*)(?::[\d:]*)?"
    r"(?:;(?P<mods>\d*)(?::(?P<type>\d*))?)?"
    r"(?:;(?P<text>[\d:]*))?"
    r"(?P<end>[u~ABCDEFHPQS])"
)
_FLAGS = re.compile(r"\x1b\[\?(\d{1,9})u")
_COMPLETE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-Z\\-~]")
_MOUSE_OR_REPORT = re.compile(r"\x1b\[(<?[-\d;]*[mM]|M.*|\?[\d;]*\$y)", re.DOTALL)


class Stroke(Enum):
    """What happened to the talk key."""

    DOWN = auto()
    UP = auto()
    TAP = auto()  # pressed, in a terminal that does not tell when it is let go


class TalkKey(events.Event, bubble=False):
    """The talk key, told to the application itself, so that the order is kept.

    `at` is when the terminal told it (`time.monotonic`): a busy machine makes no tap a hold.
    """

    def __init__(self, stroke: Stroke, at: float) -> None:
        super().__init__()
        self.stroke = stroke
        self.at = at


class KeySeen(events.Event, bubble=False):
    """A key went "down" or "up", or told a "repeat": for those who want to see each."""

    def __init__(self, key: str, stroke: str) -> None:
        super().__init__()
        self.seen = key
        self.stroke = stroke


class KeyWatcher:
    """A screen that wants to see each key go down and up."""

    def key_seen(self, key: str, stroke: str) -> None:
        """A key went "down" or "up", or told a "repeat"."""
        raise NotImplementedError


class ReleaseReported(events.Event, bubble=False):
    """The terminal said that it reports when keys are let go."""


class HoldParser(XTermParser):
    """Textual's parser, with key releases, and with no sequence that could end it."""

    def __init__(
        self,
        debug: bool = False,
        tells_releases: bool = False,
        talk_key: Callable[[], str] = lambda: "space",
        watched: Callable[[], bool] = lambda: False,
    ) -> None:
        self.tells_releases = tells_releases
        self._talk_key = talk_key
        self._watched = watched
        super().__init__(debug)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        # The base class hands on whatever message comes from here; its annotation says Key.
        return list(self._messages(sequence, alt))  # type: ignore[arg-type]

    def _messages(self, sequence: str, alt: bool) -> Iterator[Message]:
        if flags := _FLAGS.fullmatch(sequence):
            yield from self._flags(int(flags[1]))
            return
        key = _KEY.fullmatch(sequence)
        if key is not None:
            yield from self._key(key, sequence, alt)
            return
        found = self._read(sequence, alt)
        if found:
            yield from self._with_talk_key(found, repeated=False)
        elif _COMPLETE.fullmatch(sequence) and not _MOUSE_OR_REPORT.fullmatch(sequence):
            yield _ignored(sequence)  # else it would be typed letter by letter

    def _flags(self, flags: int) -> Iterator[Message]:
        if flags & REPORT_EVENT_TYPES:
            self.tells_releases = True
            yield _as_key(ReleaseReported())
        else:
            yield _ignored("")

    def _key(self, key: re.Match[str], sequence: str, alt: bool) -> Iterator[Message]:
        code, mods, kind, text = key["code"], key["mods"] or "", key["type"], key["text"]
        if code.isdigit() and len(code) < 7 and int(code) in MODIFIER_KEYS:
            mods = ""  # its own
        if kind in ("1", "2", "3"):
            self.tells_releases = True
        if kind == "3":
            plain = self._read(f"\x1b[{code}{key['end']}", alt)
            yield from self._seen(plain, "up")
            yield _talk(Stroke.UP) if self._ends_talk(plain) else _ignored(sequence)
        elif kind not in (None, "", "1", "2"):
            yield _ignored(sequence)
        else:
            plain_sequence = f"\x1b[{code};{_unlocked(mods)}"
            plain_sequence += (f";{text}" if text else "") + key["end"]
            if not mods and not text:
                plain_sequence = f"\x1b[{code}{key['end']}"
            found = self._read(plain_sequence, alt)
            if self.tells_releases:
                yield from self._seen(found, "repeat" if kind == "2" else "down")
            yield from self._with_talk_key(found, repeated=kind == "2")

    def _with_talk_key(self, found: list[Message], *, repeated: bool) -> Iterator[Message]:
        """Both: the page follows TalkKey alone, a text field takes the key."""
        for message in found:
            if isinstance(message, events.Key) and message.key.lower() == self._talk_key():
                if not self.tells_releases:
                    yield _talk(Stroke.TAP)
                elif not repeated:
                    yield _talk(Stroke.DOWN)
            is_space = isinstance(message, events.Key) and message.key == "space"
            yield events.Key("space", " ") if is_space else message

    def _seen(self, found: list[Message], stroke: str) -> Iterator[Message]:
        for message in found if self._watched() else ():
            if isinstance(message, events.Key) and message.key != Keys.Ignore.value:
                yield _as_key(KeySeen(message.key, stroke))

    def _ends_talk(self, found: list[Message]) -> bool:
        """Is it the talk key that went up, whatever modifiers went down or up meanwhile?"""
        key = self._talk_key().rpartition("+")[2] or "plus"
        return any(isinstance(up, events.Key) and up.key.lower() == key for up in found)

    def _read(self, sequence: str, alt: bool) -> list[Message]:
        """The base class's reading of a sequence, or nothing where it cannot."""
        try:
            found = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError, LookupError, TypeError):
            return [_ignored(sequence)]
        return [key if _printable(key.character) else _ignored(sequence) for key in found]


def _unlocked(mods: str) -> str:
    """The modifiers without caps lock and num lock."""
    return str((max(0, int(mods) - 1) & ~LOCKS) + 1) if mods.isdigit() and len(mods) < 9 else mods


def _printable(character: str | None) -> bool:
    """Half a character (a surrogate) could be neither drawn nor saved."""
    return not any("\ud800" <= c <= "\udfff" for c in character or "")


def _ignored(sequence: str) -> events.Key:
    return events.Key(Keys.Ignore, sequence)


def _talk(stroke: Stroke) -> Message:
    return _as_key(TalkKey(stroke, time.monotonic()))


def _as_key(event: events.Event) -> events.Event:
    """The parser looks at `key` of what it hands on."""
    event.key = ""  # type: ignore[attr-defined]
    event.character = None  # type: ignore[attr-defined]
    return event


class HoldDriver(LinuxDriver):
    """Textual's driver for terminals, asking for key releases and surviving any input."""

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is None or not self.input_tty or constants.DISABLE_KITTY_KEY:
            return
        self.write(f"\x1b[={REPORT_EVENT_TYPES};2u\x1b[?u")
        self.flush()

    def _sigcont_application(self, *_: object) -> None:
        """What Textual suspended begins anew. What was only stopped, or is told that its terminal
        hung up, still has its threads: a second pair would share the keys with the first."""
        if self._must_signal_resume:
            super()._sigcont_application()
        elif self._writer_thread is not None:
            self._take_terminal_back()

    def _take_terminal_back(self) -> None:
        """A shell may have had it meanwhile: keys come one by one again, all is drawn anew."""
        with contextlib.suppress(termios.error):
            attributes = termios.tcgetattr(self.fileno)
            attributes[tty.LFLAG] = self._patch_lflag(attributes[tty.LFLAG])
            attributes[tty.IFLAG] = self._patch_iflag(attributes[tty.IFLAG])
            attributes[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, attributes)
        self._loop.call_soon_threadsafe(self._app.refresh)

    def overwrite(self, text: str) -> bool:
        """Write over what is drawn; the cursor stays where it is. False before and after the
        application has the terminal."""
        if self._writer_thread is None:
            return False
        self.write(f"\x1b7{text}\x1b8")
        return True

    def _parser(self, tells_releases: bool) -> HoldParser:
        app = self._app
        return HoldParser(
            self._debug,
            tells_releases,
            lambda: str(getattr(app, "talk_key", "space")),
            lambda: bool(getattr(app, "watches_keys", False)),
        )

    def run_input_thread(self) -> None:
        """Read the terminal until the application ends."""
        parser = self._parser(tells_releases=False)
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(0.1)
                try:
                    if ready:
                        data = os.read(self.fileno, 4096)
                        if not data:
                            break  # the terminal is gone
                        self._dispatch(parser.feed(decode(data)))
                    else:  # only then is a sequence that has begun not going on
                        self._dispatch(parser.tick())
                except OSError:
                    break
                except Exception:  # whatever a terminal sent must not end the application
                    parser = self._parser(parser.tells_releases)
        with contextlib.suppress(Exception):
            for _ in parser.feed(""):
                pass

    def _dispatch(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if isinstance(message, events.Resize) and max(message.size) > LARGEST_TERMINAL:
                continue
            self.process_message(message)
