"""The speech bank: every utterance the training draws from, made once and kept on disk."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiny import espeak, festival, flite
from tiny.speech import Span, Utterance, loud_range
from tiny.vocabulary import SAMPLE_RATE, WORDS, random_sentence

SPLITS = ("train", "held")


@dataclass
class Amounts:
    """How many utterances to make, per split."""

    espeak_sentences: int
    espeak_per_word: int
    flite_sentences: int  # per voice
    flite_per_word: int
    festival_sentences: int
    festival_per_word: int


AMOUNTS = {
    "train": Amounts(12000, 80, 1600, 14, 1600, 14),
    "held": Amounts(400, 6, 300, 4, 300, 4),
}


class Bank:
    """Utterances of one split in one memory-mapped array."""

    def __init__(self, folder: Path, split: str) -> None:
        self._samples = np.load(folder / f"{split}.npy", mmap_mode="r")
        self._index = json.loads((folder / f"{split}.json").read_text())
        self.sentences: dict[str, list[int]] = {}
        self.isolated: dict[str, dict[str, list[int]]] = {}
        for i, entry in enumerate(self._index):
            family = entry["voice"].split(":")[0]
            if entry["isolated"]:
                words = self.isolated.setdefault(family, {})
                words.setdefault(entry["words"][0][0], []).append(i)
            else:
                self.sentences.setdefault(family, []).append(i)

    def __getitem__(self, i: int) -> Utterance:
        entry = self._index[i]
        data = self._samples[entry["offset"] : entry["offset"] + entry["length"]]
        words = [Span(word, start, end) for word, start, end in entry["words"]]
        return Utterance(data.astype(np.float32) / 32768, words, entry["voice"])


def _commas(rng: random.Random, n: int) -> list[bool]:
    share = rng.choice((0.0, 0.3, 0.6))
    return [rng.random() < share for _ in range(n)]


def _say_espeak(
    engine: espeak.Espeak, rng: random.Random, words: list[str], held: bool
) -> Utterance | None:
    accents, variants = (
        (espeak.HELD_ACCENTS, espeak.HELD_VARIANTS)
        if held
        else (espeak.ACCENTS, espeak.TRAIN_VARIANTS)
    )
    return engine.say(
        words,
        rng.choice(accents) + rng.choice(variants),
        commas=_commas(rng, len(words) - 1),
        words_per_minute=rng.randint(110, 210),
        pitch=rng.randint(15, 90),
        pitch_range=rng.randint(20, 80),
    )


def _say_flite(
    engine: flite.Flite, rng: random.Random, words: list[str], voice: str, held: bool
) -> Utterance | None:
    return engine.say(
        words,
        voice,
        commas=_commas(rng, len(words) - 1),
        stretch=rng.uniform(0.8, 1.3),
        tract=1.0 if held else rng.uniform(0.86, 1.2),
        pitch=rng.uniform(0.9, 1.1) if held else rng.uniform(0.75, 1.35),
    )


def _festival_request(rng: random.Random, words: list[str], held: bool) -> festival.Request:
    return festival.Request(
        words,
        _commas(rng, len(words) - 1),
        stretch=rng.uniform(0.8, 1.3),
        tract=1.0 if held else rng.uniform(0.86, 1.2),
        pitch=rng.uniform(90, 130) if held else rng.uniform(75, 190),
        spread=rng.uniform(8, 25),
    )


def _repeat(make: Callable[[], Utterance | None], count: int) -> Iterator[Utterance]:
    """`count` utterances, trying again where the synthesiser gave none."""
    made = tries = 0
    while made < count and tries < 3 * count + 10:
        tries += 1
        utterance = make()
        if utterance is not None:
            made += 1
            yield utterance


def _trimmed(utterance: Utterance) -> Utterance:
    """An isolated word without the silence around it."""
    start, end = loud_range(utterance.samples)
    span = Span(utterance.words[0].word, 0.0, (end - start) / SAMPLE_RATE)
    return Utterance(utterance.samples[start:end], [span], utterance.voice)


def _make(task: tuple[str, str, str, int]) -> tuple[str, list[tuple[Utterance, bool]]]:
    """One synthesiser voice of one split: its sentences (False) and isolated words (True)."""
    split, family, voice, seed = task
    rng, held, amounts = random.Random(seed), split == "held", AMOUNTS[split]
    result: list[tuple[Utterance, bool]] = []
    if family == "festival":
        sentences = [random_sentence(rng) for _ in range(amounts.festival_sentences)]
        singles = [[word] for word in WORDS for _ in range(amounts.festival_per_word)]
        for texts, isolated in ((sentences, False), (singles, True)):
            requests = [_festival_request(rng, words, held) for words in texts]
            for utterance in festival.say_all(requests, voice):
                result.append((_trimmed(utterance) if isolated else utterance, isolated))
        return split, result

    if family == "espeak":
        machine = espeak.Espeak()
        n_sentences, per_word = amounts.espeak_sentences // 4, amounts.espeak_per_word // 4 + 1

        def say(words: list[str]) -> Utterance | None:
            return _say_espeak(machine, rng, words, held)
    else:
        engine = flite.Flite()
        n_sentences, per_word = amounts.flite_sentences, amounts.flite_per_word

        def say(words: list[str]) -> Utterance | None:
            return _say_flite(engine, rng, words, voice, held)

    for utterance in _repeat(lambda: say(random_sentence(rng)), n_sentences):
        result.append((utterance, False))
    for word in WORDS:
        for utterance in _repeat(lambda word=word: say([word]), per_word):  # type: ignore[misc]
            result.append((_trimmed(utterance), True))
    return split, result


def _tasks() -> list[tuple[str, str, str, int]]:
    tasks = []
    for split, flite_voices, festival_voices in (
        ("train", flite.TRAIN_VOICES, festival.TRAIN_VOICES),
        ("held", flite.HELD_VOICES, festival.HELD_VOICES),
    ):
        tasks += [(split, "flite", voice, 100 + i) for i, voice in enumerate(flite_voices)]
        tasks += [(split, "festival", voice, 200 + i) for i, voice in enumerate(festival_voices)]
        tasks += [(split, "espeak", "", 300 + i) for i in range(4)]
    return [(s, f, v, seed + (1000 if s == "held" else 0)) for s, f, v, seed in tasks]


def build(folder: Path, processes: int = 2) -> None:
    """Make the bank of both splits in `folder`; a bank that is there is kept."""
    if all((folder / f"{split}.json").exists() for split in SPLITS):
        return
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, list[tuple[Utterance, bool]]] = {split: [] for split in SPLITS}
    with ProcessPoolExecutor(processes, max_tasks_per_child=1) as pool:
        for split, utterances in pool.map(_make, _tasks()):
            made[split] += utterances
    for split, utterances in made.items():
        pieces, index, offset = [], [], 0
        for utterance, isolated in utterances:
            piece = (np.clip(utterance.samples, -1, 1) * 32767).astype(np.int16)
            words = [[span.word, span.start, span.end] for span in utterance.words]
            index.append(
                {
                    "voice": utterance.voice,
                    "isolated": isolated,
                    "words": words,
                    "offset": offset,
                    "length": len(piece),
                }
            )
            pieces.append(piece)
            offset += len(piece)
        np.save(folder / f"{split}.npy", np.concatenate(pieces))
        (folder / f"{split}.json").write_text(json.dumps(index))
        print(f"{split}: {len(index)} utterances, {offset / SAMPLE_RATE / 3600:.1f} h", flush=True)
