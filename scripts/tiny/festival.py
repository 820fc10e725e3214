"""festival in batches: diphone voices and a hidden-Markov voice, with word times."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from tiny.speech import Span, Utterance, resample

TRAIN_VOICES = ("kal_diphone", "cmu_us_slt_arctic_hts")
HELD_VOICES = ("ked_diphone",)

_SAY = """
(define (say text stretch mean spread wave)
  (Parameter.set 'Duration_Stretch stretch)
  (set! int_lr_params (list (list 'target_f0_mean mean) (list 'target_f0_std spread)
                            (list 'model_f0_mean 170) (list 'model_f0_std 34)))
  (let ((utt (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.save.wave utt wave 'riff)
    (format t "UTT\\n")
    (mapcar (lambda (w) (format t "%s %f %f\\n" (item.name w)
              (item.feat w 'word_start) (item.feat w 'word_end)))
            (utt.relation.items utt 'Word))))
"""


@dataclass
class Request:
    """Words to speak; `stretch` slows down, `tract` raises formants and pitch, `pitch` in hertz."""

    words: list[str]
    commas: Sequence[bool] = ()
    stretch: float = 1.0
    tract: float = 1.0
    pitch: float = 110.0
    spread: float = 14.0

    def text(self) -> str:
        """The text to speak, with commas for pauses."""
        marks = [*(", " if comma else " " for comma in self.commas)] + [" "] * len(self.words)
        pairs = zip(self.words, marks, strict=False)
        return "".join(word + mark for word, mark in pairs).replace("é", "e").strip()


def say_all(requests: Sequence[Request], voice: str) -> list[Utterance]:
    """Speak every request; those whose word count does not fit are left out."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})", _SAY]
        for i, request in enumerate(requests):
            lines.append(
                f'(say "{request.text()}" {request.stretch * request.tract:.3f} {request.pitch:.1f}'
                f' {request.spread:.1f} "{folder}/{i}.wav")'
            )
        script = Path(folder, "say.scm")
        script.write_text("\n".join(lines))
        output = subprocess.run(
            ["festival", "-b", str(script)], capture_output=True, text=True, check=True
        ).stdout
        blocks = output.split("UTT\n")[1:]
        utterances = []
        for i, (request, block) in enumerate(zip(requests, blocks, strict=False)):
            rows = [line.split() for line in block.splitlines() if len(line.split()) == 3]
            if len(rows) != len(request.words):
                continue
            samples, rate = soundfile.read(f"{folder}/{i}.wav", dtype="float32")
            spans = [
                Span(word, float(row[1]) / request.tract, float(row[2]) / request.tract)
                for word, row in zip(request.words, rows, strict=True)
            ]
            samples = resample(samples, rate * request.tract)
            utterances.append(Utterance(samples, spans, "festival:" + voice))
        return utterances
