"""Which sound belongs to what is said: from the press to the release, with a little of before
and after; hands-free also with pauses while nobody speaks. Used from one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from voxtui.audio.level import measure
from voxtui.audio.preroll import PreRoll
from voxtui.audio.voice import QuietGate
from voxtui.events import BYTES_PER_SECOND, Level
from voxtui.settings import Settings

VOICE_PRE_ROLL_S = 1.0
"""So much from before a voice was loud enough belongs to what it says."""


@dataclass(frozen=True, slots=True)
class HearingConfig:
    """Sound from before the press and after the release that is kept, in seconds. Hands-free,
    what follows `pause_after_s` seconds below `voice_dbfs` is not, until a voice is heard again;
    0 is never."""

    pre_roll_s: float = 0.4
    post_roll_s: float = 0.3
    voice_dbfs: float = -45.0
    pause_after_s: float = 0.0

    @classmethod
    def of(cls, chosen: Settings) -> Self:
        """As the settings say."""
        audio, talk = chosen.audio, chosen.talk
        return cls(audio.pre_roll_s, audio.post_roll_s, audio.voice_dbfs, talk.pause_after_s)


class Utterances(Protocol):
    """Who is told what was said."""

    def begin_utterance(self) -> None: ...
    def keep(self, pcm: bytes) -> None: ...
    def end_utterance(self) -> None: ...
    def listening_changed(self, on: bool, paused: bool) -> None: ...


class Hearing:
    """Cuts the stream of a source into utterances."""

    def __init__(self, config: HearingConfig, to: Utterances) -> None:
        self._to = to
        self.listening = False
        self.utterance_open = False
        self._hands_free = False
        self._post_roll_bytes = 0
        self._configure(config)

    def _configure(self, config: HearingConfig) -> None:
        self._config = config
        self._pre_roll = PreRoll(max(config.pre_roll_s, VOICE_PRE_ROLL_S))
        self._gate = QuietGate(config.voice_dbfs, config.pause_after_s)

    def configure(self, config: HearingConfig) -> None:
        """Other settings from now on."""
        if config != self._config:
            self._configure(config)
            self._pause_or_go_on()

    def forget(self) -> None:
        """Another source: what was heard before has nothing to do with it."""
        self._pre_roll.take()

    def listen(self, on: bool, *, live: bool, hands_free: bool = False) -> None:
        """Begin or stop; `live`: sound is coming, so that the post-roll will come too."""
        self._hands_free = on and hands_free
        self._gate.begin()
        if on == self.listening:
            self._pause_or_go_on()
            return
        self.listening = on
        if on:
            self._to.listening_changed(True, False)
            if not self.utterance_open:
                self._begin(self._config.pre_roll_s)
            return
        self._post_roll_bytes = int(self._config.post_roll_s * BYTES_PER_SECOND)
        if not live or self._post_roll_bytes <= 0:
            self.end()
        self._to.listening_changed(False, False)

    def hear(self, pcm: bytes) -> Level:
        """Take in a block; gives how loud it is."""
        level = measure(pcm)
        self._gate.hear(level, len(pcm) / BYTES_PER_SECOND)
        if not self.utterance_open:
            self._pre_roll.push(pcm)
            self._pause_or_go_on()
            return level
        self._to.keep(pcm)
        if self.listening:
            self._pause_or_go_on()
        else:
            self._post_roll_bytes -= len(pcm)
            if self._post_roll_bytes <= 0:
                self.end()
        return level

    def end(self) -> None:
        """What is said ends here."""
        if self.utterance_open:
            self.utterance_open = False
            self._to.end_utterance()

    def _begin(self, pre_roll_s: float) -> None:
        self.utterance_open = True
        self._to.begin_utterance()
        self._to.keep(self._pre_roll.take(pre_roll_s))

    def _pause_or_go_on(self) -> None:
        """Hands-free: nothing is written while nobody speaks."""
        if not self.listening:
            return
        paused = self._hands_free and self._gate.quiet
        if paused != self.utterance_open:
            return
        if paused:
            self.end()
        else:
            self._begin(VOICE_PRE_ROLL_S)
        self._to.listening_changed(True, paused)
