"""Word error rates on the voices the training never heard."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tiny.bank import Bank
from tiny.dataset import spell
from tiny.mel import RIGHT_PAD_TOKENS, log_mel
from tiny.reference_model import VoxtralRealtime
from tiny.speech import Samples, Span, Utterance
from tiny.vocabulary import SAMPLE_RATE, TOKEN_SAMPLES, Tokenizer

EDGE_SAMPLES = 8000  # silence put before and after the speech
LEFT_PADS = 32


@dataclass
class Score:
    """Errors counted over many utterances."""

    words: int = 0
    errors: int = 0
    utterances: int = 0
    perfect: int = 0

    def add(self, wanted: Sequence[str], heard: Sequence[str]) -> None:
        """Count one utterance."""
        errors = edit_distance(wanted, heard)
        self.words += len(wanted)
        self.errors += errors
        self.utterances += 1
        self.perfect += errors == 0

    @property
    def percent(self) -> float:
        """Word error rate in percent."""
        return 100 * self.errors / max(1, self.words)


def edit_distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest substitutions, deletions and insertions between the word lists."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


@torch.no_grad()
def transcribe(
    model: VoxtralRealtime, batch: Sequence[Samples], delay: int
) -> list[tuple[list[int], list[float]]]:
    """Generated ids and margins for each of the samples [n], padded as for a whole file."""
    lengths = [-(-len(samples) // TOKEN_SAMPLES) for samples in batch]
    tokens = LEFT_PADS + max(lengths) + delay + RIGHT_PAD_TOKENS
    padded = np.zeros((len(batch), tokens * TOKEN_SAMPLES), dtype=np.float32)
    for row, samples in zip(padded, batch, strict=True):
        start = LEFT_PADS * TOKEN_SAMPLES
        row[start : start + len(samples)] = samples
    audio = model.project(model.encode(log_mel(torch.from_numpy(padded))))
    ids, margins = model.generate(audio, delay, LEFT_PADS)
    counts = [length + RIGHT_PAD_TOKENS for length in lengths]
    return [(ids[i, :n].tolist(), margins[i, :n].tolist()) for i, n in enumerate(counts)]


def with_edges(utterance: Utterance) -> Samples:
    """The utterance's samples with half a second of silence on both sides."""
    return np.pad(utterance.samples, EDGE_SAMPLES)


def quiet(samples: Samples) -> Samples:
    """The samples at a peak of -40 dBFS."""
    return samples * np.float32(0.01 / max(float(np.abs(samples).max()), 1e-6))


def noisy(samples: Samples) -> Samples:
    """The samples with white noise 15 dB below the speech."""
    loud = samples[np.abs(samples) > 0.05 * np.abs(samples).max()]
    level = np.sqrt((loud**2).mean()) * 10 ** (-15 / 20)
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples), dtype=np.float32)
    return samples + noise * np.float32(level)


def score(
    model: VoxtralRealtime,
    utterances: Sequence[Utterance],
    delay: int = 6,
    change: Callable[[Samples], Samples] | None = None,
    errors: list[tuple[str, str, str]] | None = None,
) -> Score:
    """Transcribe the utterances; `errors` collects (voice, wanted, heard)."""
    tokenizer, result = Tokenizer.of_words(), Score()
    order = sorted(utterances, key=lambda utterance: len(utterance.samples))
    for i in range(0, len(order), 32):
        chunk = order[i : i + 32]
        samples = [with_edges(utterance) for utterance in chunk]
        if change is not None:
            samples = [change(row) for row in samples]
        for utterance, (ids, _) in zip(chunk, transcribe(model, samples, delay), strict=True):
            heard = tokenizer.decode(ids).split()
            result.add(utterance.text.split(), heard)
            if errors is not None and heard != utterance.text.split():
                errors.append((utterance.voice, utterance.text, " ".join(heard)))
    return result


def held_out(folder: Path) -> dict[str, dict[str, list[Utterance]]]:
    """Per synthesiser: connected speech (two words or more) and isolated words."""
    bank = Bank(folder, "held")
    result: dict[str, dict[str, list[Utterance]]] = {}
    for family, numbers in bank.sentences.items():
        sentences = [bank[i] for i in numbers]
        singles = [
            bank[i]
            for word, places in bank.isolated[family].items()
            for i in places
            if word != "write"  # sounds like "right" and is said after "please" only
        ]
        result[family] = {
            "connected": [u for u in sentences if len(u.words) > 1],
            "isolated": singles,
        }
    return result


def long_streams(utterances: Sequence[Utterance], seconds: float, count: int) -> list[Utterance]:
    """Streams of about that length, made of utterances with 0.6 s between them."""
    order = list(utterances)
    streams: list[Utterance] = []
    random.Random(1).shuffle(order)
    while order and len(streams) < count:
        samples: list[Samples] = []
        words: list[Span] = []
        while order and sum(map(len, samples)) < seconds * SAMPLE_RATE:
            utterance = order.pop()
            offset = sum(map(len, samples)) / SAMPLE_RATE
            words += [span.moved(offset) for span in utterance.words]
            samples.append(np.pad(utterance.samples, (0, int(0.6 * SAMPLE_RATE))))
        for span, word in zip(words, spell([span.word for span in words]), strict=True):
            span.word = word
        streams.append(Utterance(np.concatenate(samples), words, "long"))
    return streams


def phantom_words(model: VoxtralRealtime, minutes: int = 4) -> dict[str, int]:
    """Words heard in that many minutes of silence, and of white noise of several levels."""
    rng = np.random.default_rng(0)
    minute = 60 * SAMPLE_RATE
    counts = {}
    levels = {"silence": 0.0, "-60 dBFS": 1e-3, "-40 dBFS": 1e-2, "-26 dBFS": 5e-2}
    for name, level in levels.items():
        noise = rng.standard_normal((minutes, minute), dtype=np.float32) * np.float32(level)
        found = transcribe(model, list(noise), 6)
        counts[name] = sum(len(Tokenizer.of_words().decode(ids).split()) for ids, _ in found)
    return counts


def report(model: VoxtralRealtime, folder: Path, limit: int | None = None) -> Iterator[str]:
    """Lines of text: word error rates by synthesiser, delay and condition; phantom words."""
    everything = held_out(folder)
    for kinds in everything.values():
        for utterances in kinds.values():
            random.Random(0).shuffle(utterances)
            del utterances[len(utterances) if limit is None else limit :]
    for kind in ("connected", "isolated"):
        for family, kinds in everything.items():
            found = score(model, kinds[kind])
            yield (
                f"{kind:10} {family:9} {found.words:5} words  WER {found.percent:5.2f} %"
                f"  without error {found.perfect}/{found.utterances}"
            )
    connected = [u for kinds in everything.values() for u in kinds["connected"]]
    few = random.Random(2).sample(connected, min(len(connected), 240))
    for name, change in (("clean", None), ("-40 dBFS peak", quiet), ("15 dB noise", noisy)):
        rate = score(model, few, change=change).percent
        yield f"{name:20} {len(few)} utterances  WER {rate:5.2f} %"
    for delay in (1, 2, 3, 4, 6, 8, 10, 12, 15, 30):
        rate = score(model, few, delay).percent
        yield f"delay {delay * 80:4} ms        {len(few)} utterances  WER {rate:5.2f} %"
    found = score(model, long_streams(connected, 60.0, 8))
    yield f"streams of 60 s      {found.words} words  WER {found.percent:5.2f} %"
    yield f"phantom words in 4 minutes: {phantom_words(model)}"
