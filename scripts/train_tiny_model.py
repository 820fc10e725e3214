#!/usr/bin/env python3
"""Make the small built-in model: synthesise speech, train on it, export the official files.

Needs espeak-ng, flite and festival (with festvox-kallpc16k, festvox-kdlpc16k and
festvox-us-slt-hts) and the Python packages torch, safetensors, numpy, soxr and soundfile.

    ./scripts/train_tiny_model.py train --minutes 75
    ./scripts/train_tiny_model.py measure --model /tmp/tiny/run/final
    ./scripts/train_tiny_model.py install --model /tmp/tiny/run/final
    ./scripts/train_tiny_model.py clips
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from tiny import bank, clips, evaluate
from tiny.dataset import FAMILY_SHARES
from tiny.params import make_params
from tiny.reference_model import load_model
from tiny.training import Settings, Trainer
from tiny.vocabulary import Tokenizer

ASSETS = Path(__file__).resolve().parent.parent / "voxtui" / "assets"
TINY = ASSETS / "tiny"

DECODER = {
    "dim": 256,
    "n_layers": 2,
    "n_heads": 8,
    "n_kv_heads": 4,
    "head_dim": 64,
    "hidden_dim": 512,
    "sliding_window": 48,
}
ENCODER = {
    "dim": 256,
    "n_layers": 3,
    "n_heads": 8,
    "head_dim": 32,
    "hidden_dim": 512,
    "sliding_window": 100,
}


def model_params() -> dict[str, Any]:
    """The sizes of the small model."""
    return make_params(Tokenizer.of_words().vocab_size, DECODER, ENCODER)


def train(arguments: argparse.Namespace) -> None:
    """Make the bank if need be, and train."""
    bank.build(arguments.work / "bank")
    settings = Settings(
        bank=arguments.work / "bank",
        output=arguments.work / "run",
        minutes=arguments.minutes,
        peak_rate=arguments.rate,
        seed=arguments.seed,
        threads=arguments.threads,
        start=arguments.start,
        shares=dict(zip(FAMILY_SHARES, arguments.shares, strict=True)),
    )
    Trainer(model_params(), settings).run()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = ("train", "measure", "install", "clips")
    parser.add_argument("command", nargs="?", choices=commands, default="train")
    parser.add_argument("--work", type=Path, default=Path("/tmp/tiny"), help="bank and checkpoints")
    parser.add_argument(
        "--model", type=Path, default=TINY, help="model folder to measure or install"
    )
    parser.add_argument("--minutes", type=float, default=75.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="state.pt of an earlier run to go on from")
    parser.add_argument(
        "--shares",
        type=float,
        nargs=3,
        default=list(FAMILY_SHARES.values()),
        help="how much of the speech espeak-ng, flite and festival give",
    )
    parser.add_argument("--limit", type=int, help="measure so many utterances of each kind only")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.command == "train":
        train(arguments)
    elif arguments.command == "measure":
        bank.build(arguments.work / "bank")
        for line in evaluate.report(
            load_model(arguments.model), arguments.work / "bank", arguments.limit
        ):
            print(line, flush=True)
    elif arguments.command == "install":
        for name in ("consolidated.safetensors", "params.json", "tekken.json"):
            (TINY / name).write_bytes((arguments.model / name).read_bytes())
    else:
        clips.make_clips(load_model(arguments.model), ASSETS / "clips")


if __name__ == "__main__":
    main()
