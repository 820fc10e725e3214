"""What the parts of voxtui tell each other.

Frozen values, no behaviour, no import of ours. Three kinds:

- from capture: `Level`, `CaptureChanged`, `AudioGap`;
- from the engine: `EngineChanged`, `TokenText`, `EngineStats`, `UtteranceEnded`, `Notice`;
- from the pipeline to the views: all of the above that a person should see, and
  `TranscriptChanged`, `ListeningChanged`, `SessionOpened`.

Times named `*_s` are seconds. "Session audio time" is the position in the session's audio file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SAMPLE_RATE = 16_000
"""Samples a second of all audio behind capture: mono, signed 16 bit."""

BYTES_PER_SECOND = SAMPLE_RATE * 2


# ---- capture -----------------------------------------------------------------------------


SYSTEM_DEFAULT = "system default"
"""Among the names of microphones: whatever the system uses."""


class CaptureState(StrEnum):
    """Where the sound comes from and how it does."""

    CLOSED = "closed"
    PREPARING = "preparing"  # opened, no samples yet
    RUNNING = "running"
    SILENT = "silent"  # samples come, all exactly zero for seconds
    LOST = "lost"  # the device vanished; being re-opened
    FINISHED = "finished"  # a file or standard input reached its end
    FAILED = "failed"  # cannot be opened; detail says what to do


@dataclass(frozen=True, slots=True)
class CaptureChanged:
    """The source changed its state. `source` is a name for people ("MacBook Microphone")."""

    state: CaptureState
    source: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Samples on their way from a source to the session: s16le, mono, 16 kHz."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness of one block (about 33 ms), dBFS; -inf is given as -120."""

    rms_dbfs: float
    peak_dbfs: float
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class AudioGap:
    """Sound was lost here: overflow in the driver or a device that went away."""

    reason: str  # "overflow" | "device lost"
    seconds: float  # best estimate of what is missing, 0 when unknown


# ---- engine ------------------------------------------------------------------------------


class EngineState(StrEnum):
    """The life of the engine as a person sees it."""

    STOPPED = "stopped"
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"  # it died; what was not settled is transcribed again
    FAILED = "failed"  # given up; detail says what to do


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine changed its state."""

    state: EngineState
    detail: str = ""
    engine: str = ""
    model: str = ""
    precision: str = ""
    backend: str = ""
    delay_ms: int = 0
    interval_s: float = 0.0
    load_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """What the engine could have written instead; not `whole`: only how such a word begins."""

    text: str
    probability: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class TokenText:
    """A piece of text as it was decided. `time_s` is session audio time, end of its word."""

    text: str
    time_s: float
    word_start: bool
    probability: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How far the engine is, in session audio time."""

    audio_in_s: float  # written to the session's audio file
    audio_done_s: float  # its words are out
    encoder_ms: float
    decoder_ms: float
    steps: int
    memory_mb: float

    @property
    def lag_s(self) -> float:
        """Seconds of sound whose words are not out yet."""
        return max(0.0, self.audio_in_s - self.audio_done_s)


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """All words of the audio up to `audio_end_s` (session audio time) are out."""

    audio_end_s: float


@dataclass(frozen=True, slots=True)
class WordsRetracted:
    """Words later than `from_s` are taken back; that audio is being transcribed again."""

    from_s: float
    reason: str


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence for the person, with what to do when something is wrong."""

    severity: Severity
    message: str


# ---- session -----------------------------------------------------------------------------


class SegmentKind(StrEnum):
    SPEECH = "speech"
    NOTE = "note"  # typed by the person while talking
    GAP = "gap"  # sound is missing here


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its leading space, punctuation attached. `end_s` is session audio time."""

    text: str
    end_s: float
    probability: float = 1.0
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A paragraph of the transcript: speech between two pauses, a note, or a gap.

    `start_s` and `end_s` are session audio time; `wall_time` is POSIX seconds when it began.
    """

    kind: SegmentKind
    start_s: float
    end_s: float
    wall_time: float
    words: tuple[Word, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """The paragraph as plain text."""
        return (
            self.note
            if self.kind is not SegmentKind.SPEECH
            else "".join(word.text for word in self.words).strip()
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person makes of a settled segment.

    `segment` is its place among all settled ones, `was` the text it has; "" takes it away.
    """

    segment: int
    was: str
    text: str


# ---- pipeline to views -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TranscriptChanged:
    """What is new on the page since the last such event.

    `settled` are segments that only a person will change, to be appended; `tail` is the segment
    being spoken (it replaces the previous tail) or None when there is none. `edited` are settled
    segments as they are now, each after its place among all settled ones; one without text was
    taken away. `waiting` (it replaces the previous ones) have their place after words that are
    still to come.
    """

    settled: tuple[Segment, ...] = ()
    tail: Segment | None = None
    edited: tuple[tuple[int, Segment], ...] = ()
    waiting: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class ListeningChanged:
    """Push-to-talk or live listening went on or off.

    After it went off words still come until `UtteranceEnded`. `paused`: it is on, but nobody has
    spoken for so long that it waits for a voice.
    """

    listening: bool
    paused: bool = False


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A new session began; its folder is made when the first sound is kept."""

    name: str
    path: str


CaptureEvent = AudioBlock | Level | CaptureChanged | AudioGap | Notice
EngineEvent = EngineChanged | TokenText | EngineStats | UtteranceEnded | WordsRetracted | Notice
Event = (
    Level
    | CaptureChanged
    | AudioGap
    | EngineChanged
    | EngineStats
    | UtteranceEnded
    | WordsRetracted
    | Notice
    | TranscriptChanged
    | ListeningChanged
    | SessionOpened
)
"""What a view receives from the pipeline."""
