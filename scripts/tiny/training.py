"""The training loop: curriculum, losses, learning rate, averaged weights."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from tiny.dataset import FAMILY_SHARES, IGNORED, N_STATES, SHORT_DELAYS, Batch, Examples, Stage
from tiny.reference_model import VoxtralRealtime, save_model
from tiny.vocabulary import WORDS, Tokenizer


@dataclass
class Settings:
    """What a run may be told."""

    bank: Path
    output: Path
    minutes: float
    peak_rate: float = 1.5e-3
    seed: int = 0
    threads: int = 2
    start: Path | None = None
    shares: dict[str, float] = field(default_factory=lambda: dict(FAMILY_SHARES))


# Share of the time at which each stage ends, then the stage itself.
CURRICULUM = (
    (0.35, Stage(batch_size=16, tokens=48, delays=SHORT_DELAYS)),
    (0.85, Stage(batch_size=20, tokens=72)),
    (1.00, Stage(batch_size=14, tokens=128)),
)
# A run that goes on from an earlier one needs no short examples any more.
CONTINUED = CURRICULUM[1:]


class Helpers(nn.Module):
    """Classifiers on inner layers that teach the encoder; they are not exported."""

    def __init__(self, encoder_dim: int, decoder_dim: int) -> None:
        super().__init__()
        self.state = nn.Linear(encoder_dim, N_STATES)
        self.ended_word = nn.Linear(decoder_dim, len(WORDS) + 1)


def initialise(model: VoxtralRealtime) -> None:
    """Random weights; matrices that write to the residual stream start smaller."""
    for name, weight in model.named_parameters():
        if weight.dim() < 2:
            continue
        deviation = 0.05 if "tok_embeddings" in name else weight[0].numel() ** -0.5
        if name.endswith(("wo.weight", "w2.weight")):
            deviation *= 0.4
        nn.init.normal_(weight, std=deviation)


class Trainer:
    """One run: owns the model, its averaged copy and the optimiser."""

    def __init__(self, params: dict[str, Any], settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        torch.set_num_threads(settings.threads)
        self.settings, self.params = settings, params
        self.tokenizer = Tokenizer.of_words()
        self.model = VoxtralRealtime(params)
        initialise(self.model)
        encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
        self.helpers = Helpers(encoder["dim"], params["dim"])
        if settings.start is not None:
            saved = torch.load(settings.start)
            self.model.load_state_dict(saved["model"])
            self.helpers.load_state_dict(saved["helpers"])
        weights = [*self.model.parameters(), *self.helpers.parameters()]
        groups = [
            {"params": [w for w in weights if w.dim() > 1], "weight_decay": 0.03},
            {"params": [w for w in weights if w.dim() <= 1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=True)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.steps = 0

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The token loss, the helpers' losses, and the share of words' tokens that were right."""
        frames = self.model.encode(batch.mel)
        audio = self.model.project(frames)
        logits = self.model.decode(audio, batch.previous, batch.delay)
        states = self.helpers.state(frames)
        ended = self.helpers.ended_word(audio)
        text = batch.target >= self.tokenizer.n_special
        with torch.no_grad():
            right = (logits.argmax(-1) == batch.target)[text].float().mean()
        flat = logits.flatten(0, 1)
        return {
            "token": functional.cross_entropy(flat, batch.target.flatten(), ignore_index=IGNORED),
            "size": 1e-4 * (torch.logsumexp(flat, -1) ** 2).mean(),
            "state": functional.cross_entropy(states.flatten(0, 1), batch.state.flatten()),
            "ended": functional.cross_entropy(ended.flatten(0, 1), batch.ended_word.flatten()),
            "right": right,
        }

    def step(self, batch: Batch, share: float) -> dict[str, float]:
        """One update; `share` is how much of the run is over."""
        warm = min(1.0, (self.steps + 1) / (150 if self.settings.start is None else 50))
        fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
        rate = self.settings.peak_rate * warm * fall
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        parts = self.losses(batch)
        help_weight = 0.5 * (1 - share) + 0.1
        help_loss = 0.4 * parts["state"] + parts["ended"]
        loss = parts["token"] + parts["size"] + help_weight * help_loss
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.steps += 1
        keep = min(0.998, self.steps / (self.steps + 20))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
        return {name: float(value.detach()) for name, value in parts.items()}

    def save(self, folder: Path) -> None:
        """The averaged weights as a model folder, and all that a later run may start from."""
        save_model(folder, self.params, self.tokenizer.tekken(), self.average)
        whole = {"model": self.model.state_dict(), "helpers": self.helpers.state_dict()}
        torch.save(whole, self.settings.output / "state.pt")

    def run(self) -> None:
        """Train until the time is over; progress on standard output and in log.json."""
        begin, log = time.time(), []
        smooth: dict[str, float] = {}
        self.settings.output.mkdir(parents=True, exist_ok=True)
        last_save, heard = begin, 0.0
        curriculum = CURRICULUM if self.settings.start is None else CONTINUED
        for number, (end_share, stage) in enumerate(curriculum):
            seed = self.settings.seed * 100 + number
            examples = Examples(self.settings.bank, stage, seed, self.settings.shares)
            loader = DataLoader(examples, batch_size=None, num_workers=1, prefetch_factor=4)
            for batch in loader:
                share = (time.time() - begin) / (self.settings.minutes * 60)
                if share >= end_share:
                    break
                for name, value in self.step(batch, share).items():
                    if not math.isnan(value):
                        smooth[name] = 0.98 * smooth.get(name, value) + 0.02 * value
                heard += batch.target.numel() * 0.08
                if self.steps % 50 == 0:
                    seconds = time.time() - begin
                    entry = {"step": self.steps, "s": round(seconds), "h": round(heard / 3600, 2)}
                    entry |= {name: round(value, 4) for name, value in smooth.items()}
                    log.append(entry)
                    print(json.dumps(entry), flush=True)
                if time.time() - last_save > 240:
                    last_save = time.time()
                    self.save(self.settings.output / f"at-{round((last_save - begin) / 60):03d}min")
        self.save(self.settings.output / "final")
        (self.settings.output / "log.json").write_text(json.dumps(log))
