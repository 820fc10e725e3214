"""Writes a model's folder as GGUF with the `gguf` package, after transcribe.cpp's convention.

Independent of the engine's own writer, so that each can be held against the other.
"""

from __future__ import annotations

import base64
import json
import random
import re
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

_ENCODER = "mm_streams_embeddings.embedding_module.whisper_encoder."
_TOP = {
    f"{_ENCODER}conv_layers.0.conv.": "enc.conv.0.",
    f"{_ENCODER}conv_layers.1.conv.": "enc.conv.1.",
    f"{_ENCODER}transformer.norm.": "enc.final_norm.",
    f"{_ENCODER}transformer.layers.": "enc.blocks.",
    "mm_streams_embeddings.embedding_module.audio_language_projection.0.": "proj.linear_1.",
    "mm_streams_embeddings.embedding_module.audio_language_projection.2.": "proj.linear_2.",
    "mm_streams_embeddings.embedding_module.tok_embeddings.": "dec.token_embd.",
    "layers.": "dec.blocks.",
    "norm.": "dec.output_norm.",
}
_LAYER = {
    "attention_norm": "norm_attn",
    "attention.wq": "attn.q",
    "attention.wk": "attn.k",
    "attention.wv": "attn.v",
    "attention.wo": "attn.out",
    "ffn_norm": "norm_ffn",
    "feed_forward.w1": "ffn.gate",
    "feed_forward.w2": "ffn.down",
    "feed_forward.w3": "ffn.up",
    "ada_rms_norm_t_cond.0": "ada.linear_1",
    "ada_rms_norm_t_cond.2": "ada.linear_2",
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a BF16 file, as float32."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "BF16", name
        begin, end = entry["data_offsets"]
        words = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype=np.uint16)
        tensors[name] = (words.astype(np.uint32) << 16).view(np.float32).reshape(entry["shape"])
    return tensors


def gguf_name(official: str) -> str:
    for prefix, new in _TOP.items():
        if official.startswith(prefix):
            name = new + official.removeprefix(prefix)
            break
    for old, new in _LAYER.items():
        name = name.replace(f".{old}.", f".{new}.")
    return name.replace("attn.out", "attn.o") if name.startswith("dec.") else name


def split_halves(rows: np.ndarray, heads: int) -> np.ndarray:
    """The rows of each head: the first of every pair, then the second of every pair."""
    shape = rows.shape
    paired = rows.reshape(heads, shape[0] // heads // 2, 2, *shape[1:])
    return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(shape)


def byte_alphabet() -> list[str]:
    """The character that GPT-2's vocabularies write for each byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return [chr(b) if b in plain else chr(256 + others.index(b)) for b in range(256)]


def _tokens(tekken: dict[str, Any]) -> tuple[list[str], list[int]]:
    special = tekken["config"]["default_num_special_tokens"]
    total = tekken["config"]["default_vocab_size"]
    names = {entry["rank"]: entry["token_str"] for entry in tekken["special_tokens"]}
    alphabet = byte_alphabet()
    tokens = [names.get(i, f"<SPECIAL_{i}>") for i in range(special)]
    tokens += [
        "".join(alphabet[byte] for byte in base64.b64decode(entry["token_bytes"]))
        for entry in sorted(tekken["vocab"], key=lambda entry: entry["rank"])[: total - special]
    ]
    return tokens, [3] * special + [1] * (total - special)


def _add_metadata(writer: gguf.GGUFWriter, params: dict[str, Any], tekken: dict[str, Any]) -> None:
    whisper = params["multimodal"]["whisper_model_args"]
    encoder, audio = whisper["encoder_args"], whisper["encoder_args"]["audio_encoding_args"]
    down = whisper["downsample_args"]["downsample_factor"]
    tokens, types = _tokens(tekken)
    writer.add_string("stt.variant", "voxtral-mini-4b-realtime-2602")
    for name in ("lang_detect", "streaming"):
        writer.add_bool(f"stt.capability.{name}", True)
    writer.add_bool("stt.capability.translate", False)
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", "tekken")
    writer.add_array("tokenizer.ggml.tokens", tokens)
    writer.add_array("tokenizer.ggml.token_type", types)
    for name, value in (("bos", 1), ("eos", 2), ("unknown", 0), ("padding", 11)):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", value)
    own = "stt.voxtral_realtime."
    writer.add_uint32(f"{own}streaming_pad_token_id", 32)
    for part, source, renamed in (
        ("encoder", encoder, {"dim": "d_model", "hidden_dim": "ffn_dim"}),
        ("decoder", params, {"dim": "hidden_size", "hidden_dim": "intermediate_size"}),
    ):
        for key in ("dim", "n_layers", "n_heads", "n_kv_heads", "head_dim", "hidden_dim"):
            writer.add_uint32(f"{own}{part}.{renamed.get(key, key)}", source[key])
        writer.add_uint32(f"{own}{part}.sliding_window", source["sliding_window"])
        writer.add_float32(f"{own}{part}.rope_theta", source["rope_theta"])
        writer.add_float32(f"{own}{part}.rms_norm_eps", source["norm_eps"])
        writer.add_string(f"{own}{part}.hidden_act", "silu")
    writer.add_uint32(f"{own}encoder.num_mel_bins", audio["num_mel_bins"])
    writer.add_uint32(f"{own}encoder.max_position_embeddings", 1500)
    writer.add_uint32(f"{own}decoder.max_position_embeddings", params["model_max_length"])
    writer.add_uint32(f"{own}decoder.vocab_size", params["vocab_size"])
    writer.add_bool(f"{own}decoder.tie_word_embeddings", True)
    writer.add_uint32(f"{own}projector.downsample_factor", down)
    writer.add_uint32(f"{own}projector.input_dim", encoder["dim"] * down)
    writer.add_string(f"{own}projector.hidden_act", "gelu")
    writer.add_uint32(f"{own}projector.audio_length_per_tok", 8)
    writer.add_uint32(
        f"{own}time.default_num_delay_tokens", tekken["audio"]["transcription_delay_ms"] // 80
    )
    writer.add_float32(f"{own}time.embed_theta", 10000.0)
    writer.add_uint32(f"{own}time.embed_dim", params["dim"])
    writer.add_uint32(f"{own}time.ada_hidden", params["ada_rms_norm_t_cond_dim"])
    for name, text in (
        ("type", "mel"),
        ("window", "hann_periodic"),
        ("normalize", "global"),
        ("pad_mode", "reflect"),
        ("mel_norm", "slaney"),
    ):
        writer.add_string(f"stt.frontend.{name}", text)
    for name, number in (
        ("num_mels", audio["num_mel_bins"]),
        ("sample_rate", audio["sampling_rate"]),
        ("n_fft", audio["window_size"]),
        ("win_length", audio["window_size"]),
        ("hop_length", audio["hop_length"]),
    ):
        writer.add_uint32(f"stt.frontend.{name}", number)
    for name, value in (
        ("global_log_mel_max", audio["global_log_mel_max"]),
        ("dither", 0.0),
        ("pre_emphasis", 0.0),
        ("f_min", 0.0),
        ("f_max", 8000.0),
    ):
        writer.add_float32(f"stt.frontend.{name}", value)
    writer.add_bool("stt.frontend.center", True)


def mel_filters(n_mels: int, n_fft: int) -> np.ndarray:
    """[n_mels, n_fft / 2 + 1]: Slaney's filters from 0 to 8000 Hz."""
    logstep = np.log(6.4) / 27
    mels = np.linspace(0, 15 + np.log(8) / logstep, n_mels + 2)
    points = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(logstep * (mels - 15)))
    bins = np.arange(n_fft // 2 + 1) * 16000 / n_fft
    low, mid, high = (points[i : i + n_mels, None] for i in range(3))
    slopes = np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid))
    return (np.maximum(0, slopes) * 2 / (high - low)).astype(np.float32)


def write_gguf(
    folder: Path, path: Path, kind: Type, *, alignment: int = 32, shuffle: int | None = None
) -> None:
    """`folder` (official, BF16) as a GGUF file with linears of type `kind`.

    `shuffle` seeds another order of the tensors than the usual one.
    """
    params = json.loads((folder / "params.json").read_text())
    tekken = json.loads((folder / "tekken.json").read_text())
    encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
    writer = gguf.GGUFWriter(path, "voxtral_realtime")
    writer.add_custom_alignment(alignment)
    writer.add_name("Voxtral Mini 4B Realtime")
    _add_metadata(writer, params, tekken)
    audio = encoder["audio_encoding_args"]
    n_fft, half = audio["window_size"], params["dim"] // 2
    tensors = {
        "frontend.mel_filterbank": mel_filters(audio["num_mel_bins"], n_fft),
        "frontend.window": 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft),
        "dec.time_embed.inv_freq": np.exp(-np.log(10000.0) * np.arange(half) / half),
    }
    for name, values in read_safetensors(folder / "consolidated.safetensors").items():
        new = gguf_name(name)
        stack = encoder if new.startswith("enc.") else params
        rotated = re.search(r"\.attn\.([qk])\.", new)
        heads = stack["n_heads" if rotated and rotated[1] == "q" else "n_kv_heads"]
        tensors[new] = split_halves(values, heads) if rotated else values
    names = list(tensors)
    if shuffle is not None:
        random.Random(shuffle).shuffle(names)
    for name in names:
        values = np.ascontiguousarray(tensors[name], dtype=np.float32)
        if values.ndim == 3:
            writer.add_tensor(name, values.astype(np.float16))
        elif values.ndim == 1 or name.startswith("frontend.") or kind == Type.F32:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
