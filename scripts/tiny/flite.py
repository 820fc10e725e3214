"""flite through its library: diphone and statistical voices, with the words' segment times."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from tiny.speech import Span, Utterance, resample

TRAIN_VOICES = ("awb", "slt", "kal16", "kal")
HELD_VOICES = ("rms",)

_START = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_END = b"R:SylStructure.daughtern.daughtern.R:Segment.end"


class _Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class _Wave(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class Flite:
    """The library and its voices, opened once per process."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for name in ("flite_cmulex", "flite_usenglish"):
            ctypes.CDLL(f"lib{name}.so.1", mode=ctypes.RTLD_GLOBAL)
        void, text = ctypes.c_void_p, ctypes.c_char_p
        for name, result, arguments in (
            ("flite_synth_text", void, [text, void]),
            ("utt_wave", ctypes.POINTER(_Wave), [void]),
            ("utt_relation", void, [void, text]),
            ("relation_head", void, [void]),
            ("item_next", void, [void]),
            ("ffeature_float", ctypes.c_float, [void, text]),
            ("delete_utterance", None, [void]),
            ("feat_set_float", None, [void, text, ctypes.c_float]),
        ):
            function = getattr(self._lib, name)
            function.restype, function.argtypes = result, arguments
        self._lib.flite_init()
        self._voices: dict[str, int] = {}

    def _voice(self, name: str) -> int:
        if name not in self._voices:
            library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1")
            register = getattr(library, f"register_cmu_us_{name}")
            register.restype, register.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
            self._voices[name] = register(None)
        return self._voices[name]

    def say(
        self,
        words: Sequence[str],
        voice: str,
        *,
        commas: Sequence[bool] = (),
        stretch: float = 1.0,
        tract: float = 1.0,
        pitch: float = 1.0,
    ) -> Utterance | None:
        """Speak the words `stretch` times as slowly.

        `tract` above 1 shortens the vocal tract: formants and pitch rise together, the pace stays.
        `pitch` scales the pitch alone.
        """
        marks = [*(", " if comma else " " for comma in commas)] + [" "] * len(words)
        text = "".join(word + mark for word, mark in zip(words, marks, strict=False))
        handle = self._voice(voice)
        features = ctypes.cast(handle, ctypes.POINTER(_Voice)).contents.features
        self._lib.feat_set_float(features, b"duration_stretch", stretch * tract)
        self._lib.feat_set_float(features, b"f0_shift", pitch)
        if voice.startswith("kal"):
            self._lib.feat_set_float(features, b"int_f0_target_mean", 105 * pitch)
        utterance = self._lib.flite_synth_text(text.replace("é", "e").encode(), handle)
        wave = self._lib.utt_wave(utterance).contents
        samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32)
        rate = wave.sample_rate
        spans: list[Span] = []
        item = self._lib.relation_head(self._lib.utt_relation(utterance, b"Word"))
        while item:
            start, end = (self._lib.ffeature_float(item, path) for path in (_START, _END))
            word = words[min(len(spans), len(words) - 1)]
            spans.append(Span(word, start / tract, end / tract))
            item = self._lib.item_next(item)
        self._lib.delete_utterance(utterance)
        if len(spans) != len(words):
            return None
        return Utterance(resample(samples / 32768, rate * tract), spans, "flite:" + voice)
