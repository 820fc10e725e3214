#!/usr/bin/env python3
"""Make the reference data that the engine's tests compare with.

Writes `tests/data/tiny_random/`, a random model with every intermediate tensor of one run, and
`tests/data/tiny_ids.json`, the built-in small model's ids for the bundled clips. Each number comes
from our PyTorch reference and is first checked against Hugging Face `transformers`.
Needs the Python packages torch, transformers, safetensors, numpy and soundfile.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tiny.hugging_face import hugging_face_logits, to_hugging_face
from tiny.mel import log_mel, pad_offline
from tiny.params import make_params
from tiny.reference_model import (
    Taps,
    VoxtralRealtime,
    load_model,
    prompt_ids,
    save_model,
)
from tiny.vocabulary import SAMPLE_RATE, Tokenizer
from torch import Tensor, nn
from transformers import VoxtralRealtimeFeatureExtractor

ROOT = Path(__file__).resolve().parent.parent
RANDOM = ROOT / "tests" / "data" / "tiny_random"
TINY = ROOT / "voxtui" / "assets" / "tiny"
CLIPS = ROOT / "voxtui" / "assets" / "clips"

# Windows smaller than the prompt, grouped heads, and a query width unlike the model's.
DECODER = {
    "dim": 96,
    "n_layers": 3,
    "n_heads": 8,
    "n_kv_heads": 2,
    "head_dim": 16,
    "hidden_dim": 160,
    "sliding_window": 30,
}
ENCODER = {
    "dim": 64,
    "n_layers": 2,
    "n_heads": 6,
    "head_dim": 16,
    "hidden_dim": 128,
    "sliding_window": 50,
}
PIECES = (b" the", b" a", b" yes")
GOLDEN_DELAY = 6
RUNS = (
    # signal, delay in tokens, left pads in tokens
    ("samples", 1, 32),
    ("samples", 2, 32),
    ("samples", 6, 32),
    ("samples", 15, 32),
    ("samples", 30, 32),
    ("samples2", 6, 32),
    ("samples2", 6, 8),
    ("samples2", 3, 17),
    ("samples2", 15, 40),
)
CLIP_DELAYS_MS = (80, 160, 480, 960, 2400)
LEAST_MARGIN = 0.02


def test_signal(seconds: float, seed: int) -> NDArray[np.float32]:
    """Something like speech: bursts of gliding harmonics and of noise with pauses; int16 steps."""
    rng = np.random.default_rng(seed)
    n = int(seconds * SAMPLE_RATE)
    signal, at = np.zeros(n), int(0.15 * SAMPLE_RATE)
    while at < n:
        length = min(int(rng.uniform(0.08, 0.3) * SAMPLE_RATE), n - at)
        t = np.arange(length) / SAMPLE_RATE
        if rng.random() < 0.7:
            pitch = rng.uniform(90, 240) * (1 + rng.uniform(-0.3, 0.3) * t / 0.3)
            phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
            burst = sum(np.sin(k * phase) * rng.uniform(0.1, 1) / k for k in range(1, 16))
        else:
            burst = rng.standard_normal(length)
        envelope = np.sin(np.pi * np.arange(length) / length) ** 0.5
        signal[at : at + length] = burst * envelope * rng.uniform(0.05, 0.2)
        at += length + int(rng.uniform(0.0, 0.2) * SAMPLE_RATE)
    return (np.round(np.clip(signal, -1, 1) * 32767) / 32768).astype(np.float32)


def random_model(params: dict[str, Any], seed: int) -> VoxtralRealtime:
    """A model of random weights, biases and norms, each exact in BF16."""
    torch.manual_seed(seed)
    model = VoxtralRealtime(params)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                deviation = 0.5 if "tok_embeddings" in name else weight[0].numel() ** -0.5
                nn.init.normal_(weight, std=1.5 * deviation)
            elif name.endswith("norm.weight"):
                nn.init.uniform_(weight, 0.5, 1.5)
            else:
                nn.init.normal_(weight, std=0.1)
            weight.copy_(weight.bfloat16().float())
    return model.eval()


class Checker:
    """Runs our reference and compares each run with Hugging Face."""

    def __init__(self, model: VoxtralRealtime) -> None:
        self.model = model
        self.other = to_hugging_face(model.state_dict(), model.params)
        self.extractor = VoxtralRealtimeFeatureExtractor()
        self.worst = 0.0

    @torch.no_grad()
    def run(
        self, samples: NDArray[np.float32], delay: int, left_pads: int = 32
    ) -> tuple[list[int], float, Taps]:
        """Free-running ids after the prompt, the least margin, and all tensors of the run."""
        padded = pad_offline(samples, delay, left_pads)
        taps: Taps = {"mel": log_mel(padded)}
        self._check_mel(padded, taps["mel"])
        audio = self.model.project(self.model.encode(taps["mel"], taps), taps)
        ids, margins = self.model.generate(audio, delay, left_pads)
        fed = torch.tensor([prompt_ids(delay, left_pads) + ids[0, :-1].tolist()])
        taps["ids"] = fed
        logits = self.model.decode(audio, fed, delay, taps)
        first = left_pads + delay
        if not torch.equal(logits[0, first:].argmax(-1), ids[0]):
            raise SystemExit("stepping and the whole pass disagree")
        theirs = hugging_face_logits(self.other, taps["mel"], fed, delay)
        self.worst = max(self.worst, float((theirs - logits).abs().max()))
        if self.worst > 2e-3 or not torch.equal(theirs[0, first:].argmax(-1), ids[0]):
            raise SystemExit(f"Hugging Face disagrees: logits differ by {self.worst}")
        return ids[0].tolist(), float(margins.min()), taps

    def _check_mel(self, padded: Tensor, mel: Tensor) -> None:
        theirs = self.extractor._torch_extract_fbank_features(padded[0])
        if float((theirs - mel[0]).abs().max()) > 1e-4:
            raise SystemExit("the mel spectrograms differ")


def make_random(seed: int) -> None:
    """`tests/data/tiny_random/`: model, golden.safetensors and ids.json."""
    tokenizer = Tokenizer(PIECES, n_special=40)
    model = random_model(make_params(tokenizer.vocab_size, DECODER, ENCODER), seed)
    save_model(RANDOM, model.params, tokenizer.tekken(), model.state_dict())
    checker = Checker(load_model(RANDOM))
    signals = {"samples": test_signal(3.0, 1), "samples2": test_signal(1.7, 2)}
    runs, least = [], 1e9
    for name, delay, left_pads in RUNS:
        ids, margin, taps = checker.run(signals[name], delay, left_pads)
        least = min(least, margin)
        runs.append(
            {
                "samples": name,
                "delay_tokens": delay,
                "left_pad_tokens": left_pads,
                "prompt": prompt_ids(delay, left_pads),
                "ids": ids,
                "min_margin": round(margin, 4),
            }
        )
        if (name, delay, left_pads) == ("samples", GOLDEN_DELAY, 32):
            golden = {key: value.float().contiguous() for key, value in taps.items()}
    golden |= {name: torch.from_numpy(signal) for name, signal in signals.items()}
    save_file(golden, RANDOM / "golden.safetensors")
    text = ",\n".join(json.dumps(run) for run in runs)
    head = f'{{"golden_delay_tokens": {GOLDEN_DELAY}, "runs": ['
    (RANDOM / "ids.json").write_text(f"{head}\n{text}\n]}}\n")
    distinct = len({i for run in runs for i in run["ids"]})
    print(f"random model: margin {least:.3f}, {distinct} ids, logits within {checker.worst:.1e}")
    if least < LEAST_MARGIN:
        raise SystemExit("some step is too close; take another --seed")


def make_tiny_ids() -> None:
    """`tests/data/tiny_ids.json`: the small model's ids for each clip and delay."""
    checker = Checker(load_model(TINY))
    entries = []
    for wav in sorted(CLIPS.glob("*.wav")):
        samples, rate = soundfile.read(wav, dtype="float32")
        if rate != SAMPLE_RATE:
            raise SystemExit(f"{wav}: not 16 kHz")
        for delay_ms in CLIP_DELAYS_MS:
            ids, margin, _ = checker.run(samples, delay_ms // 80)
            entries.append(
                {
                    "wav": wav.name,
                    "delay_ms": delay_ms,
                    "min_margin": round(margin, 4),
                    "ids": ids,
                }
            )
    text = ",\n".join(json.dumps(entry) for entry in entries)
    (ROOT / "tests" / "data" / "tiny_ids.json").write_text(f"[\n{text}\n]\n")
    print(f"small model: {len(entries)} runs, logits within {checker.worst:.1e}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("all", "random", "tiny"), default="all")
    parser.add_argument("--seed", type=int, default=4, help="of the random weights")
    arguments = parser.parse_args()
    if arguments.what in ("all", "random"):
        make_random(arguments.seed)
    if arguments.what in ("all", "tiny"):
        make_tiny_ids()


if __name__ == "__main__":
    main()
