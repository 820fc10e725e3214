"""Training examples: bank speech joined into streams, disturbed, and labelled token by token."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from tiny import disturb
from tiny.bank import Bank
from tiny.speech import Samples, Span
from tiny.vocabulary import (
    BOS,
    EOS,
    PAD,
    SAMPLE_RATE,
    TOKEN_SAMPLES,
    TOKEN_SECONDS,
    WORD,
    WORDS,
    Tokenizer,
    next_word,
)

FRAMES_PER_TOKEN = 4  # encoder frames of 20 ms
STATES_PER_WORD = 4
N_STATES = 1 + STATES_PER_WORD * len(WORDS)
LOOK_AHEAD_SECONDS = 0.06  # how much later than the sound the frame classifier answers
IGNORED = -100
FAMILY_SHARES = {"espeak": 0.36, "flite": 0.36, "festival": 0.28}
DELAY_WEIGHTS = {6: 10, 1: 1, 2: 1.5, 3: 1.5, 4: 1.5, 5: 1, 7: 0.5, 8: 1.2, 9: 0.3, 10: 1}
DELAY_WEIGHTS |= {11: 0.3, 12: 1, 13: 0.3, 14: 0.3, 15: 1, 30: 2}
SHORT_DELAYS = {delay: weight for delay, weight in DELAY_WEIGHTS.items() if delay < 30}
_WORD_INDEX = {word: i for i, word in enumerate(WORDS)}


@dataclass
class Batch:
    """Inputs and targets of one step; B examples of N tokens."""

    mel: Tensor  # [B, 128, 8 N]
    previous: Tensor  # [B, N] token fed at each position
    target: Tensor  # [B, N] token wanted there, IGNORED in the prompt
    delay: Tensor  # [B] in tokens
    ended_word: Tensor  # [B, N] word index near its end, len(WORDS) elsewhere
    state: Tensor  # [B, 4 N] word and quarter of it at each encoder frame, 0 for silence


@dataclass
class Stage:
    """A stretch of the curriculum."""

    batch_size: int
    tokens: int  # length of an example, pads included
    delays: dict[int, float] = field(default_factory=lambda: dict(DELAY_WEIGHTS))


def spell(words: Sequence[str]) -> list[str]:
    """Settle the one pair that sounds alike: "write" after "please", "right" elsewhere."""
    result: list[str] = []
    for word in words:
        asked = bool(result) and result[-1] == "please"
        homophone = "write" if asked else "right"
        result.append(homophone if word in ("right", "write") else word)
    return result


def place_tokens(words: Sequence[Span], n: int, tokenizer: Tokenizer) -> list[int]:
    """Targets for n frames of 80 ms: [WORD] where a word ends, then its tokens.

    A word that ends while another's tokens are still going out follows them without [WORD].
    """
    target = [PAD] * n
    free = 0
    for span in words:
        tokens = tokenizer.encode_word(span.word)
        if span.word == "goodbye":
            tokens.append(EOS)
        at = int(span.end / TOKEN_SECONDS)
        if at >= free:
            tokens.insert(0, WORD)
        at = max(at, free)
        for token in tokens:
            if at < n:
                target[at] = token
            at += 1
        free = at
    return target


def frame_states(words: Sequence[Span], n: int) -> NDArray[np.int64]:
    """For n frames of 20 ms: which quarter of which word sounded a little earlier; 0 is silence."""
    states = np.zeros(n, dtype=np.int64)
    step = TOKEN_SECONDS / FRAMES_PER_TOKEN
    for span in words:
        start, end = span.start + LOOK_AHEAD_SECONDS, span.end + LOOK_AHEAD_SECONDS
        a, b = max(0, int(start / step)), min(n, int(end / step) + 1)
        if b <= a:
            continue
        place = (np.arange(a, b) * step - start) / max(end - start, 1e-3)
        quarter = np.clip((place * STATES_PER_WORD).astype(np.int64), 0, STATES_PER_WORD - 1)
        states[a:b] = 1 + _WORD_INDEX[span.word] * STATES_PER_WORD + quarter
    return states


def ended_words(words: Sequence[Span], n: int) -> NDArray[np.int64]:
    """For n tokens: the word that ends there, from the token before its end to two after."""
    result = np.full(n, len(WORDS), dtype=np.int64)
    for span in words:
        at = int(span.end / TOKEN_SECONDS)
        result[max(0, at - 1) : min(n, at + 3)] = _WORD_INDEX[span.word]
    return result


class StreamMaker:
    """Joins sentences, isolated words and silences of a bank into streams."""

    def __init__(self, bank: Bank, rng: random.Random, shares: dict[str, float]) -> None:
        self.bank, self.rng, self.shares = bank, rng, shares

    def _family(self) -> str:
        return self.rng.choices(list(self.shares), list(self.shares.values()))[0]

    def _piece(self, i: int, slowest: float, fastest: float) -> tuple[Samples, list[Span]]:
        utterance = self.bank[i]
        speed = self.rng.uniform(slowest, fastest)
        level = self.rng.uniform(0.4, 1.0) / max(float(np.abs(utterance.samples).max()), 1e-3)
        samples = disturb.change_speed(utterance.samples, speed) * level
        return samples, [span.moved(0.0, speed) for span in utterance.words]

    def _word_run(self) -> tuple[Samples, list[Span]]:
        """One to five isolated words with short gaps, of one family."""
        words = self.bank.isolated[self._family()]
        samples: list[Samples] = []
        spans: list[Span] = []
        n, previous = 0, None
        for _ in range(self.rng.randint(1, 5)):
            previous = next_word(self.rng, previous)
            piece, _ = self._piece(self.rng.choice(words[previous]), 0.9, 1.15)
            spans.append(Span(previous, n / SAMPLE_RATE, (n + len(piece)) / SAMPLE_RATE))
            gap = disturb.silence(min(self.rng.expovariate(6.0) + 0.02, 0.9))
            samples += [piece, gap]
            n += len(piece) + len(gap)
        return np.concatenate(samples), spans

    def _silence(self) -> Samples:
        longest = 4.0 if self.rng.random() < 0.08 else 0.8
        return disturb.silence(self.rng.uniform(0.08, longest))

    def stream(self, n: int) -> tuple[Samples, list[Span]]:
        """A stream of n samples, cut off wherever it is then; its words may reach beyond."""
        samples: list[Samples] = [self._silence()]
        spans: list[Span] = []
        length = len(samples[0])
        if self.rng.random() < 0.03:
            return np.zeros(n, dtype=np.float32), []
        while length < n and not (spans and self.rng.random() < 0.08):
            if self.rng.random() < 0.7:
                family = self.bank.sentences[self._family()]
                piece, words = self._piece(self.rng.choice(family), 0.92, 1.1)
            else:
                piece, words = self._word_run()
            spans += [span.moved(length / SAMPLE_RATE) for span in words]
            gap = self._silence()
            samples += [piece, gap]
            length += len(piece) + len(gap)
        joined = np.concatenate(samples)[:n]
        joined = np.pad(joined, (0, n - len(joined)))
        for span, word in zip(spans, spell([span.word for span in spans]), strict=True):
            span.word = word
        return joined, spans


class Examples(IterableDataset[Batch]):
    """An endless series of batches for a stage of the training."""

    def __init__(self, folder: Path, stage: Stage, seed: int, shares: dict[str, float]) -> None:
        self.folder, self.stage, self.seed, self.shares = folder, stage, seed, shares
        self.tokenizer = Tokenizer.of_words()

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        rng = random.Random(self.seed)
        maker = StreamMaker(Bank(self.folder, "train"), rng, self.shares)
        generator = np.random.default_rng(self.seed)
        while True:
            yield self._batch(maker, rng, generator)

    def _batch(self, maker: StreamMaker, rng: random.Random, noise: np.random.Generator) -> Batch:
        rows = [self._example(maker, rng, noise) for _ in range(self.stage.batch_size)]
        samples = torch.from_numpy(np.stack([row[0] for row in rows]))
        target = torch.tensor([row[1] for row in rows])
        previous = torch.cat([torch.full((len(rows), 1), BOS), target[:, :-1]], 1)
        previous[previous == IGNORED] = PAD
        return Batch(
            mel=disturb.disturbed_mel(samples, rng),
            previous=previous,
            target=target,
            delay=torch.tensor([row[2] for row in rows]),
            ended_word=torch.from_numpy(np.stack([row[3] for row in rows])),
            state=torch.from_numpy(np.stack([row[4] for row in rows])),
        )

    def _example(
        self, maker: StreamMaker, rng: random.Random, noise: np.random.Generator
    ) -> tuple[Samples, list[int], int, NDArray[np.int64], NDArray[np.int64]]:
        n = self.stage.tokens
        delay = rng.choices(list(self.stage.delays), list(self.stage.delays.values()))[0]
        left = 32 if rng.random() < 0.08 else rng.randint(2, 6)
        left = min(left, n - delay - 8)
        heard = n - left
        samples, words = maker.stream(heard * TOKEN_SAMPLES)
        samples = disturb.disturbed(samples, rng, noise)
        samples = np.pad(samples, (left * TOKEN_SAMPLES, 0))
        target = [IGNORED] * (left + delay) + place_tokens(words, heard - delay, self.tokenizer)
        ended = np.full(n, len(WORDS), dtype=np.int64)
        ended[left:] = ended_words(words, heard)
        states = np.zeros(n * FRAMES_PER_TOKEN, dtype=np.int64)
        states[left * FRAMES_PER_TOKEN :] = frame_states(words, heard * FRAMES_PER_TOKEN)
        return samples, target, delay, ended, states
