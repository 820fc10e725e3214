#!/usr/bin/env python3
"""Write a folder in the official layout with random weights of the real size: 8.9 GB.

    random_model.py FOLDER && voxtral -d FOLDER --quantize random.gguf --type q4_k_m

It costs what the real model costs, for comparing programs. It hears nothing: whatever was said, it
writes streaming pads, so that no program ends early. With --layers it is as wide but not as deep;
with --restless what it writes depends on everything that it computes.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tiny.params import make_params

SPECIALS, VOCABULARY, PAD = 1000, 131072, 32
ENCODER = {
    "dim": 1280,
    "n_layers": 32,
    "n_heads": 32,
    "head_dim": 64,
    "hidden_dim": 5120,
    "sliding_window": 750,
}
DECODER = {
    "dim": 3072,
    "n_layers": 26,
    "n_heads": 32,
    "n_kv_heads": 8,
    "head_dim": 128,
    "hidden_dim": 9216,
    "sliding_window": 8192,
}
POOL = 1 << 24
"""Weights are taken from so many random numbers, since making billions would take minutes."""

Shapes = Iterator[tuple[str, tuple[int, ...]]]


def layer_shapes(prefix: str, c: dict[str, Any]) -> Shapes:
    """The tensors that a layer of either stack has."""
    dim, hidden = c["dim"], c["hidden_dim"]
    queries, keys = c["n_heads"] * c["head_dim"], c["n_kv_heads"] * c["head_dim"]
    for name, rows, columns in (("q", queries, dim), ("k", keys, dim), ("v", keys, dim)):
        yield f"{prefix}attention.w{name}.weight", (rows, columns)
    yield f"{prefix}attention.wo.weight", (dim, queries)
    for name in ("w1", "w3"):
        yield f"{prefix}feed_forward.{name}.weight", (hidden, dim)
    yield f"{prefix}feed_forward.w2.weight", (dim, hidden)
    for name in ("attention_norm", "ffn_norm"):
        yield f"{prefix}{name}.weight", (dim,)
    if c["use_biases"]:
        for name, size in (("wq", queries), ("wv", keys), ("wo", dim)):
            yield f"{prefix}attention.{name}.bias", (size,)
        yield f"{prefix}feed_forward.w2.bias", (dim,)


def shapes(params: dict[str, Any]) -> Shapes:
    """Every tensor's official name and shape."""
    module = "mm_streams_embeddings.embedding_module."
    encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
    width, dim, ada = encoder["dim"], params["dim"], params["ada_rms_norm_t_cond_dim"]
    yield f"{module}tok_embeddings.weight", (VOCABULARY, dim)
    for i, inputs in ((0, encoder["audio_encoding_args"]["num_mel_bins"]), (1, width)):
        yield f"{module}whisper_encoder.conv_layers.{i}.conv.weight", (width, inputs, 3)
        yield f"{module}whisper_encoder.conv_layers.{i}.conv.bias", (width,)
    for i in range(encoder["n_layers"]):
        yield from layer_shapes(f"{module}whisper_encoder.transformer.layers.{i}.", encoder)
    yield f"{module}whisper_encoder.transformer.norm.weight", (width,)
    yield f"{module}audio_language_projection.0.weight", (dim, 4 * width)
    yield f"{module}audio_language_projection.2.weight", (dim, dim)
    for i in range(params["n_layers"]):
        yield from layer_shapes(f"layers.{i}.", params)
        yield f"layers.{i}.ada_rms_norm_t_cond.0.weight", (ada, dim)
        yield f"layers.{i}.ada_rms_norm_t_cond.2.weight", (dim, ada)
    yield "norm.weight", (dim,)


def as_bf16(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def write_weights(file: BinaryIO, params: dict[str, Any], restless: bool) -> None:
    """Norms are ones, biases nothing. What layers add is small beside the token before, and no
    other embedding is as long as the pad's: so a pad follows a pad, unless it is restless."""
    rng = np.random.default_rng(1)
    pool = rng.standard_normal(POOL, np.float32)
    pools = {size: as_bf16(size * pool) for size in (0.02, 0.002)}
    header, at = {}, 0
    for name, shape in shapes(params):
        end = at + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": (at, end)}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for name, shape in shapes(params):
        count = int(np.prod(shape))
        if len(shape) == 1:
            value = 1.0 if name.endswith("norm.weight") else 0.0
            file.write(as_bf16(np.full(count, value)).tobytes())
            continue
        small = name.endswith(("wo.weight", "w2.weight", "projection.2.weight"))
        source, start = pools[0.002 if small and not restless else 0.02], file.tell()
        while count:
            begin = int(rng.integers(POOL // 2))
            part = source[begin : begin + count]
            file.write(part.tobytes())
            count -= len(part)
        if name.endswith("tok_embeddings.weight") and not restless:
            here = file.tell()
            file.seek(start + 2 * shape[1] * PAD)
            file.write(as_bf16(0.2 * pool[: shape[1]]).tobytes())
            file.seek(here)


def write_folder(folder: Path, layers: int | None = None, *, restless: bool = False) -> None:
    fewer = {} if layers is None else {"n_layers": layers}
    params = make_params(VOCABULARY, DECODER | fewer, ENCODER | fewer)
    pieces = [bytes([i]) for i in range(256)]
    pieces += [b" %d" % i for i in range(256, VOCABULARY - SPECIALS)]
    tekken = {
        "config": {
            "default_vocab_size": VOCABULARY,
            "default_num_special_tokens": SPECIALS,
            "version": "v13",
        },
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(piece).decode()}
            for rank, piece in enumerate(pieces)
        ],
        "special_tokens": [],
        "audio": {"transcription_delay_ms": 480, "streaming_n_left_pad_tokens": 32},
    }
    folder.mkdir(parents=True)
    (folder / "params.json").write_text(json.dumps(params, indent=1) + "\n")
    (folder / "tekken.json").write_text(json.dumps(tekken) + "\n")
    with (folder / "consolidated.safetensors").open("wb") as file:
        write_weights(file, params, restless)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="made anew; must not be there")
    parser.add_argument(
        "--layers", type=int, metavar="N", help="of both stacks; else the real ones"
    )
    parser.add_argument("--restless", action="store_true", help="no pad follows a pad by rule")
    args = parser.parse_args()
    write_folder(args.folder, args.layers, restless=args.restless)


if __name__ == "__main__":
    main()
