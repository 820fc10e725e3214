"""espeak-ng through its library: formant and Klatt voices, with word events."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from tiny.speech import Span, Utterance, resample, trim_span

ACCENTS = (
    "en-us",
    "en",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
)
HELD_ACCENTS = ("en-gb-x-gbclan", "en-us", "en")
_TRAIN_NAMES = """
m1 m2 m3 m4 m5 m7 m8 f1 f2 f3 f5 klatt klatt2 klatt4 klatt5 klatt6 Alex Alicia Andy Annie Denis
Diogo Gene Gene2 Hugo Jacky Lee Marco Mario Mike Nguyen RicishayMax RicishayMax2 Tweaky adam
anika announcer antonio aunty benjamin boris caleb croak david ed edward edward2 grandma
grandpa gustave iven iven2 iven3 john kaukovalta marcelo max michel miguel norbert pablo pedro
quincy rob robert sandro shelby steph steph2 steph3 travis victor zac robosoft3 UniRobot
"""
_HELD_NAMES = "m6 f4 klatt3 Andrea Michael linda paul Henrique belinda"
TRAIN_VARIANTS = ("", *("+" + name for name in _TRAIN_NAMES.split()))
HELD_VARIANTS = tuple("+" + name for name in _HELD_NAMES.split())

_WORD_EVENT = 1
_RATE, _PITCH, _RANGE = 1, 3, 4


class _Identifier(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identifier),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Espeak:
    """The library, opened once per process."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL("libespeak-ng.so.1")
        self._rate = self._lib.espeak_Initialize(2, 0, None, 0)
        self._pieces: list[np.ndarray] = []
        self._starts: list[float] = []
        self._callback = _Callback(self._receive)
        self._lib.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave, count, events) -> int:  # type: ignore[no-untyped-def]
        if wave and count > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].type != 0:
            if events[i].type == _WORD_EVENT:
                self._starts.append(events[i].audio_position / 1000)
            i += 1
        return 0

    def say(
        self,
        words: Sequence[str],
        voice: str,
        *,
        commas: Sequence[bool] = (),
        words_per_minute: int = 160,
        pitch: int = 50,
        pitch_range: int = 50,
    ) -> Utterance | None:
        """Speak the words; `commas[i]` puts a pause after word i. None if the events do not fit."""
        marks = [*(", " if comma else " " for comma in commas)] + [" "] * len(words)
        text = "".join(word + mark for word, mark in zip(words, marks, strict=False))
        self._pieces.clear()
        self._starts.clear()
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            return None
        for name, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._lib.espeak_SetParameter(name, value, 0)
        data = text.encode() + b"\0"
        self._lib.espeak_Synth(data, len(data), 0, 0, 0, 1, None, None)
        self._lib.espeak_Synchronize()
        if len(words) == 1:
            self._starts[:] = [0.0]
        if len(self._starts) != len(words) or not self._pieces:
            return None
        samples = resample(np.concatenate(self._pieces).astype(np.float32) / 32768, self._rate)
        edges = [*self._starts, len(samples) / 16000]
        spans = [
            trim_span(samples, Span(word, edges[i], edges[i + 1])) for i, word in enumerate(words)
        ]
        return Utterance(samples, spans, "espeak:" + voice)
