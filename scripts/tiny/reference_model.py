"""Voxtral Realtime in plain PyTorch, float32: the yardstick of the engine and the net we train.

Parameter names equal those of the official `consolidated.safetensors`; every size comes from
`params.json`. Rotary embeddings turn interleaved pairs, as in the official files.
Shapes: B batch, T frames or tokens, D width.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from tiny.vocabulary import BOS, PAD

Taps = dict[str, Tensor]
Cache = list[tuple[Tensor, Tensor] | None]


class RMSNorm(nn.Module):
    """Root-mean-square norm with a weight, over the last axis."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


def rotation(positions: Tensor, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines [T, head_dim / 2] of the rotary embedding at the positions [T]."""
    inverse = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angles = positions.float()[:, None] * inverse
    return angles.cos(), angles.sin()


def rotate(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the interleaved pairs of x [B, H, T, head_dim]."""
    cos, sin = (part.to(x.dtype) for part in turn)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)


def window_mask(n: int, window: int) -> Tensor:
    """Causal mask [n, n]: each row sees itself and the `window - 1` before it."""
    i = torch.arange(n)
    return (i[None] <= i[:, None]) & (i[None] > i[:, None] - window)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, dim: int, heads: int, kv_heads: int, head_dim: int, bias: bool) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, head_dim
        self.wq = nn.Linear(dim, heads * head_dim, bias=bias)
        self.wk = nn.Linear(dim, kv_heads * head_dim, bias=False)
        self.wv = nn.Linear(dim, kv_heads * head_dim, bias=bias)
        self.wo = nn.Linear(heads * head_dim, dim, bias=bias)

    def project(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, H, T, head_dim] of x [B, T, D], rotated."""
        b, t, _ = x.shape
        q = self.wq(x).view(b, t, self.heads, self.head_dim).transpose(1, 2)
        k = self.wk(x).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        v = self.wv(x).view(b, t, self.kv_heads, self.head_dim).transpose(1, 2)
        return rotate(q, turn), rotate(k, turn), v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Weighted values through the output matrix: [B, T, D]."""
        repeat = self.heads // self.kv_heads
        if repeat > 1:
            k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.wo(out.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """w2(silu(w1 x) * w3 x)."""

    def __init__(self, dim: int, hidden: int, bias: bool) -> None:
        super().__init__()
        self.w1 = nn.Linear(dim, hidden, bias=False)
        self.w2 = nn.Linear(hidden, dim, bias=bias)
        self.w3 = nn.Linear(dim, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(functional.silu(self.w1(x)) * self.w3(x))


class Layer(nn.Module):
    """A transformer layer; the decoder's (`ada` > 0) scales the second norm by the delay."""

    def __init__(self, args: dict[str, Any], bias: bool, ada: int = 0) -> None:
        super().__init__()
        dim, eps = args["dim"], args["norm_eps"]
        kv_heads, head_dim = args["n_kv_heads"], args["head_dim"]
        self.attention = Attention(dim, args["n_heads"], kv_heads, head_dim, bias)
        self.attention_norm = RMSNorm(dim, eps)
        self.feed_forward = FeedForward(dim, args["hidden_dim"], bias)
        self.ffn_norm = RMSNorm(dim, eps)
        if ada:
            self.ada_rms_norm_t_cond = nn.Sequential(
                nn.Linear(dim, ada, bias=False), nn.GELU(), nn.Linear(ada, dim, bias=False)
            )

    def finish(self, x: Tensor, attended: Tensor, time: Tensor | None) -> Tensor:
        """Everything after attention; `time` [D] is the delay's embedding."""
        x = x + attended
        y = self.ffn_norm(x)
        if time is not None:
            y = y * (1 + self.ada_rms_norm_t_cond(time))
        return x + self.feed_forward(y)

    def forward(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        time: Tensor | None = None,
    ) -> Tensor:
        q, k, v = self.attention.project(self.attention_norm(x), turn)
        return self.finish(x, self.attention.attend(q, k, v, mask), time)

    def step(
        self,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        past: tuple[Tensor, Tensor] | None,
        window: int,
        time: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One position x [B, 1, D] on the keys and values kept so far; gives the new ones too."""
        q, k, v = self.attention.project(self.attention_norm(x), turn)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        k, v = k[:, :, -window:], v[:, :, -window:]
        return self.finish(x, self.attention.attend(q, k, v, None), time), (k, v)


class CausalConv(nn.Module):
    """A convolution of three frames, padded on the left only, and GELU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.left = 3 - stride
        self.conv = nn.Conv1d(inputs, outputs, 3, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(self.conv(functional.pad(x, (self.left, 0))))


class Encoder(nn.Module):
    """The audio encoder: log-mel [B, 128, T] to frames [B, T / 2, D]."""

    def __init__(self, args: dict[str, Any]) -> None:
        super().__init__()
        self.args = args
        dim, mels = args["dim"], args["audio_encoding_args"]["num_mel_bins"]
        self.conv_layers = nn.ModuleList([CausalConv(mels, dim, 1), CausalConv(dim, dim, 2)])
        self.transformer = nn.Module()
        layers = [Layer(args, bias=True) for _ in range(args["n_layers"])]
        self.transformer.layers = nn.ModuleList(layers)
        self.transformer.norm = RMSNorm(dim, args["norm_eps"])

    def forward(self, mel: Tensor, taps: Taps | None = None) -> Tensor:
        x = mel
        for i, conv in enumerate(self.conv_layers):
            x = conv(x)
            if taps is not None:
                taps[f"conv{i}"] = x if i == 0 else x.transpose(1, 2)
        x = x.transpose(1, 2)
        n = x.shape[1]
        turn = rotation(torch.arange(n), self.args["head_dim"], self.args["rope_theta"])
        mask = window_mask(n, self.args["sliding_window"])
        for i, layer in enumerate(self.transformer.layers):
            x = layer(x, turn, mask)
            if taps is not None:
                taps[f"enc.{i}"] = x
        x = self.transformer.norm(x)
        if taps is not None:
            taps["enc.norm"] = x
        return x


class VoxtralRealtime(nn.Module):
    """The whole model; `params` is the content of `params.json`."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__()
        self.params = params
        audio = params["multimodal"]["whisper_model_args"]
        encoder, dim = audio["encoder_args"], params["dim"]
        self.downsample = audio["downsample_args"]["downsample_factor"]
        module = nn.Module()
        module.tok_embeddings = nn.Embedding(params["vocab_size"], dim)
        module.whisper_encoder = Encoder(encoder)
        module.audio_language_projection = nn.Sequential(
            nn.Linear(encoder["dim"] * self.downsample, dim, bias=False),
            nn.GELU(),
            nn.Linear(dim, dim, bias=False),
        )
        self.mm_streams_embeddings = nn.Module()
        self.mm_streams_embeddings.embedding_module = module
        ada = params["ada_rms_norm_t_cond_dim"]
        layers = [Layer(params, bias=False, ada=ada) for _ in range(params["n_layers"])]
        self.layers = nn.ModuleList(layers)
        self.norm = RMSNorm(dim, params["norm_eps"])

    @property
    def embedding(self) -> Any:
        """Token embeddings, encoder and projection."""
        return self.mm_streams_embeddings.embedding_module

    def delay_embedding(self, delay: int | Tensor) -> Tensor:
        """Cosines and sines [D] of the delay in tokens; [B, 1, D] for delays [B]."""
        half = self.params["dim"] // 2
        inverse = torch.exp(-math.log(10000.0) * torch.arange(half).float() / half)
        angles = delay * inverse if isinstance(delay, int) else delay[:, None, None] * inverse
        return torch.cat([angles.cos(), angles.sin()], -1)

    def encode(self, mel: Tensor, taps: Taps | None = None) -> Tensor:
        """Log-mel [B, 128, 8 T] to encoder frames [B, 4 T, D]."""
        frames: Tensor = self.embedding.whisper_encoder(mel, taps)
        return frames

    def project(self, frames: Tensor, taps: Taps | None = None) -> Tensor:
        """Encoder frames [B, 4 T, D] to one decoder input per token [B, T, D]."""
        b, n, _ = frames.shape
        stacked = frames.reshape(b, n // self.downsample, -1)
        audio: Tensor = self.embedding.audio_language_projection(stacked)
        if taps is not None:
            taps["adapter"] = audio
        return audio

    def decode(
        self, audio: Tensor, ids: Tensor, delay: int | Tensor, taps: Taps | None = None
    ) -> Tensor:
        """Logits [B, T, vocabulary] for given previous tokens ids [B, T]; delays may be [B]."""
        x = audio + self.embedding.tok_embeddings(ids)
        n, args = x.shape[1], self.params
        turn = rotation(torch.arange(n), args["head_dim"], args["rope_theta"])
        mask = window_mask(n, args["sliding_window"])
        time = self.delay_embedding(delay)
        for i, layer in enumerate(self.layers):
            x = layer(x, turn, mask, time)
            if taps is not None:
                taps[f"dec.{i}"] = x
        x = self.norm(x)
        logits = functional.linear(x, self.embedding.tok_embeddings.weight)
        if taps is not None:
            taps["dec.norm"], taps["logits"] = x, logits
        return logits

    @torch.no_grad()
    def generate(self, audio: Tensor, delay: int, left_pads: int = 32) -> tuple[Tensor, Tensor]:
        """Greedy ids [B, n] after the prompt for audio [B, T, D], and each step's margin [B, n].

        The margin is the distance of the two best logits. EOS stops nothing: the audio's end does.
        """
        args = self.params
        prompt = prompt_ids(delay, left_pads)
        time = self.delay_embedding(delay)
        table = self.embedding.tok_embeddings.weight
        cache: Cache = [None] * len(self.layers)
        token = torch.full((len(audio),), prompt[0])
        ids, margins = [], []
        for position in range(audio.shape[1]):
            if position < len(prompt):
                token = torch.full((len(audio),), prompt[position])
            x = audio[:, position : position + 1] + table[token][:, None]
            turn = rotation(torch.tensor([position]), args["head_dim"], args["rope_theta"])
            for i, layer in enumerate(self.layers):
                x, cache[i] = layer.step(x, turn, cache[i], args["sliding_window"], time)
            if position >= len(prompt) - 1:
                best = functional.linear(self.norm(x[:, 0]), table).topk(2, -1)
                token = best.indices[:, 0]
                ids.append(token)
                margins.append(best.values[:, 0] - best.values[:, 1])
        return torch.stack(ids, 1), torch.stack(margins, 1)


def prompt_ids(delay: int, left_pads: int = 32) -> list[int]:
    """BOS and the streaming pads before the first generated token."""
    return [BOS] + [PAD] * (left_pads + delay)


def save_model(
    folder: Path, params: dict[str, Any], tekken: dict[str, Any], state: dict[str, Tensor]
) -> None:
    """Write the three official files; weights as BF16."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().bfloat16().contiguous() for name, value in state.items()}
    save_file(weights, folder / "consolidated.safetensors", metadata={"format": "pt"})
    (folder / "params.json").write_text(json.dumps(params, indent=2) + "\n")
    (folder / "tekken.json").write_text(json.dumps(tekken, ensure_ascii=False) + "\n")


def load_model(folder: Path) -> VoxtralRealtime:
    """The model of an official folder, in float32, ready to run."""
    model = VoxtralRealtime(json.loads((folder / "params.json").read_text()))
    weights = load_file(folder / "consolidated.safetensors")
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model.eval()
