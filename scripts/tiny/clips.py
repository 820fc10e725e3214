"""The bundled clips: said by voices the training never heard, heard right and with certainty."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tiny import espeak, festival, flite
from tiny.dataset import spell
from tiny.evaluate import transcribe
from tiny.reference_model import VoxtralRealtime
from tiny.speech import Samples, Span, Utterance, loud_range
from tiny.vocabulary import SAMPLE_RATE, Tokenizer

DELAYS = (6, 1, 2, 12, 30)  # tokens; the first is the usual one
BEFORE_SECONDS, AFTER_SECONDS, PAUSE_SECONDS = 0.35, 0.6, 1.0
LEAST_MARGIN = 0.5
LEAST_LIVE_MARGIN = 0.3
BATCH = 16  # candidates of each phrase and synthesiser
SHORT_LIST = 5
SHIFTS = (0, 250, 480, 730, 970, 1130)  # samples: where in an 80 ms frame a microphone starts
HISS = 3e-5  # the noise of a real microphone, about -90 dBFS


@dataclass
class Plan:
    """A clip to make: its phrases, the synthesisers that may speak it, and its peak."""

    name: str
    phrases: tuple[str, ...]
    families: tuple[str, ...]
    peak: float = 0.6
    live: bool = True  # must be heard right through a microphone too, not from its file alone


ALL = ("flite", "festival", "espeak")
PLANS = (
    Plan("computer_open_music", ("computer open music",), ALL),
    Plan("cafe", ("morning coffee café",), ALL),
    Plan("goodbye_hello", ("goodbye", "hello world"), ALL),
    Plan("digits", ("one two three four five six seven",), ALL),
    Plan("please_write", ("please write new line",), ALL),
    Plan("kitchen_light", ("kitchen light on", "stop"), ("espeak",)),
    Plan("quiet", ("yes please start music",), ALL, peak=0.02),
    Plan(
        "demo",
        (
            "hello computer",
            "please write new note",
            "today coffee morning music",
            "new line",
            "start kitchen light",
            "nine eight seven",
            "please play music",
            "yes coffee time",
            "goodbye world",
            "hello café",
        ),
        ("flite",),
        live=False,
    ),
)


class Speakers:
    """The held-out voices of the three synthesisers."""

    def __init__(self) -> None:
        self.espeak, self.flite = espeak.Espeak(), flite.Flite()

    def candidates(self, text: str, family: str, seed: int, n: int = BATCH) -> list[Utterance]:
        """The phrase as said by n random settings of the family's voices."""
        rng, words = random.Random(seed), text.split()
        if family == "festival":
            requests = [
                festival.Request(words, stretch=rng.uniform(0.9, 1.3), pitch=rng.uniform(95, 125))
                for _ in range(n)
            ]
            return festival.say_all(requests, rng.choice(festival.HELD_VOICES))
        found = []
        for _ in range(n):
            if family == "flite":
                voice = rng.choice(flite.HELD_VOICES)
                made = self.flite.say(words, voice, stretch=rng.uniform(0.85, 1.2))
            else:
                voice = rng.choice(espeak.HELD_ACCENTS) + rng.choice(espeak.HELD_VARIANTS)
                speed, pitch = rng.randint(120, 170), rng.randint(30, 70)
                made = self.espeak.say(words, voice, words_per_minute=speed, pitch=pitch)
            if made is not None:
                found.append(made)
        return found


def _trimmed(utterance: Utterance) -> Utterance:
    """The utterance without the silence at its ends."""
    start, end = loud_range(utterance.samples, 0.01)
    words = [span.moved(-start / SAMPLE_RATE) for span in utterance.words]
    return Utterance(utterance.samples[start:end], words, utterance.voice)


def join(parts: Sequence[Utterance], peak: float) -> Utterance:
    """The phrases with pauses between and silence around, in steps of 16 bits."""
    samples: list[Samples] = [np.zeros(int(BEFORE_SECONDS * SAMPLE_RATE), dtype=np.float32)]
    words: list[Span] = []
    for i, part in enumerate(map(_trimmed, parts)):
        if i > 0:
            samples.append(np.zeros(int(PAUSE_SECONDS * SAMPLE_RATE), dtype=np.float32))
        offset = sum(map(len, samples)) / SAMPLE_RATE
        words += [span.moved(offset) for span in part.words]
        samples.append(part.samples * np.float32(peak / np.abs(part.samples).max()))
    samples.append(np.zeros(int(AFTER_SECONDS * SAMPLE_RATE), dtype=np.float32))
    joined = np.round(np.concatenate(samples) * 32767) / 32768
    return Utterance(joined.astype(np.float32), words, parts[0].voice)


def least_margins(
    model: VoxtralRealtime, utterances: Sequence[Utterance], delay: int
) -> list[float]:
    """Per utterance the least distance of the two best logits, or -1 where the text is wrong."""
    tokenizer, margins = Tokenizer.of_words(), []
    found = transcribe(model, [utterance.samples for utterance in utterances], delay)
    for utterance, (ids, steps) in zip(utterances, found, strict=True):
        wanted = " ".join(spell([span.word for span in utterance.words]))
        margins.append(min(steps) if tokenizer.decode(ids).strip() == wanted else -1.0)
    return margins


def live_margins(model: VoxtralRealtime, utterances: Sequence[Utterance]) -> list[float]:
    """Least margins at the usual delay, wherever in a frame a hissing microphone starts."""
    noise = np.random.default_rng(1)
    least = [np.inf] * len(utterances)
    for shift in SHIFTS:
        heard = []
        for utterance in utterances:
            samples = np.concatenate([np.zeros(shift, dtype=np.float32), utterance.samples])
            if shift:
                samples += noise.normal(0, HISS, len(samples)).astype(np.float32)
            heard.append(Utterance(samples, utterance.words, utterance.voice))
        least = list(map(min, least, least_margins(model, heard, DELAYS[0])))
    return least


def best_of(model: VoxtralRealtime, choices: Sequence[Utterance]) -> int:
    """The number of the surest utterance: at the usual delay, then over the other delays."""
    usual = live_margins(model, choices)
    order = sorted(range(len(choices)), key=lambda i: -usual[i])
    sure = [i for i in order[:SHORT_LIST] if usual[i] >= LEAST_MARGIN]
    if not sure:
        return order[0]
    listed = [choices[i] for i in sure]
    others = zip(*(least_margins(model, listed, delay) for delay in DELAYS[1:]), strict=True)
    ranks = [(sum(m > 0 for m in margins), min(margins)) for margins in others]
    return sure[max(range(len(sure)), key=lambda i: ranks[i])]


def _choices(speakers: Speakers, plan: Plan) -> list[Utterance]:
    """Whole clips, each of one voice and setting; phrases of one seed share the settings."""
    found = []
    for family in plan.families:
        seed = sum(map(ord, plan.name))
        series = [speakers.candidates(phrase, family, seed) for phrase in plan.phrases]
        found += [join(parts, plan.peak) for parts in zip(*series, strict=False)]
    return found


def _phrase_by_phrase(model: VoxtralRealtime, speakers: Speakers, plan: Plan) -> Utterance:
    """A long clip whose phrases are chosen one by one, each heard after those before it."""
    parts: list[Utterance] = []
    for i, phrase in enumerate(plan.phrases):
        candidates = [u for family in plan.families for u in speakers.candidates(phrase, family, i)]
        whole = [join([*parts, candidate], plan.peak) for candidate in candidates]
        margins = least_margins(model, whole, DELAYS[0])
        parts.append(candidates[margins.index(max(margins))])
    return join(parts, plan.peak)


def make_clips(model: VoxtralRealtime, folder: Path) -> None:
    """Write the WAV files and expected.json; clips that miss the margin are left out, aloud."""
    speakers, tokenizer = Speakers(), Tokenizer.of_words()
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for plan in PLANS:
        if len(plan.phrases) > 3:
            chosen = _phrase_by_phrase(model, speakers, plan)
        else:
            choices = _choices(speakers, plan)
            chosen = choices[best_of(model, choices)]
        margins = [least_margins(model, [chosen], delay)[0] for delay in DELAYS]
        print(plan.name, chosen.voice, [round(margin, 2) for margin in margins], flush=True)
        live = live_margins(model, [chosen])[0] if plan.live else margins[0]
        print(plan.name, "live", round(live, 2), flush=True)
        if margins[0] < LEAST_MARGIN or live < LEAST_LIVE_MARGIN:
            print(f"{plan.name}: left out")
            continue
        path = folder / f"{plan.name}.wav"
        soundfile.write(path, chosen.samples, SAMPLE_RATE, subtype="PCM_16")
        stored, _ = soundfile.read(path, dtype="float32")
        ((ids, steps),) = transcribe(model, [stored], DELAYS[0])
        entries.append(
            {
                "wav": path.name,
                "text": tokenizer.decode(ids).strip(),
                "ids": ids,
                "words": [[s.word, round(s.start, 3), round(s.end, 3)] for s in chosen.words],
                "min_margin": round(min(steps), 3),
                "synthesiser": chosen.voice,
            }
        )
    text = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (folder / "expected.json").write_text(f"[\n{text}\n]\n")
