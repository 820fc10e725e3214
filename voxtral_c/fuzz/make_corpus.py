"""Write the kept seeds of the fuzz targets: small well-formed files and known traps."""

import json
import math
import struct
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def write(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def safetensors(header: dict[str, object], data: bytes) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def make_safetensors() -> None:
    two = {
        "__metadata__": {"format": "pt"},
        "norm.weight": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [8, 24]},
    }
    write("safetensors", "two", safetensors(two, bytes(24)))
    write(
        "safetensors",
        "f16",
        safetensors(
            {"x": {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]}}, b"\x00<\x01\x00\xff\x7f"
        ),
    )
    write(
        "safetensors",
        "other_type",
        safetensors({"x": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
    )
    write(
        "safetensors",
        "scalar_and_empty",
        safetensors(
            {
                "s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
                "e": {"dtype": "F32", "shape": [0, 9], "data_offsets": [4, 4]},
            },
            bytes(4),
        ),
    )
    write(
        "safetensors",
        "beyond_the_end",
        safetensors({"x": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}, bytes(8)),
    )
    write(
        "safetensors",
        "shape_overflows",
        safetensors({"x": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}, b""),
    )
    write(
        "safetensors",
        "offsets_backwards",
        safetensors({"x": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}, bytes(8)),
    )
    write("safetensors", "header_too_long", struct.pack("<Q", 2**63) + b"{}")
    write("safetensors", "cut_off", safetensors(two, b"")[:40])
    write("safetensors", "empty", b"")


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, value: object) -> bytes:
    """One value of GGUF's metadata; a list is of strings or of int32."""
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    assert isinstance(value, list)
    kind = 8 if isinstance(value[0], str) else 5
    items = b"".join(text(v) if kind == 8 else struct.pack("<i", v) for v in value)
    return text(key) + struct.pack("<IIQ", 9, kind, len(value)) + items


def gguf(
    values: dict[str, object], tensors: list[tuple[str, list[int], int, int]], data: bytes
) -> bytes:
    """Tensors: name, dimensions (the fastest first), type, offset."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(entry(key, value) for key, value in values.items())
    for name, shape, kind, offset in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
    return head + bytes(-len(head) % 32) + data


def make_gguf() -> None:
    own = "stt.voxtral_realtime."
    model: dict[str, object] = {"general.architecture": "voxtral_realtime"}
    for part, names in (
        ("encoder", ("d_model", "ffn_dim", "num_mel_bins")),
        ("decoder", ("hidden_size", "intermediate_size", "vocab_size")),
    ):
        for name in ("n_layers", "n_heads", "n_kv_heads", "head_dim", "sliding_window", *names):
            model[f"{own}{part}.{name}"] = 128 if name == "num_mel_bins" else 64
        model[f"{own}{part}.rope_theta"] = 1e6
        model[f"{own}{part}.rms_norm_eps"] = 1e-5
        model[f"{own}{part}.hidden_act"] = "silu"
    model |= {
        f"{own}time.ada_hidden": 32,
        f"{own}time.embed_theta": 1e4,
        f"{own}time.default_num_delay_tokens": 6,
        f"{own}projector.downsample_factor": 4,
        "stt.frontend.num_mels": 128,
        "stt.frontend.n_fft": 400,
        "stt.frontend.win_length": 400,
        "stt.frontend.hop_length": 160,
        "stt.frontend.sample_rate": 16000,
        "stt.frontend.global_log_mel_max": 1.5,
        "stt.frontend.center": True,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": [f"<{i}>" for i in range(34)]
        + ["\u0120a", "\u00c3\u00a9", "\u0143"],
        "tokenizer.ggml.token_type": [3] * 34 + [1] * 3,
    }
    kinds = [("f", 0, 4), ("h", 1, 2), ("b", 30, 2), ("q8", 8, 34), ("q4", 12, 144)]
    kinds += [("q5", 13, 176), ("q6", 14, 210)]
    tensors, data = [], b""
    for name, kind, size in kinds:
        tensors.append((name, [256 if size > 34 else 32, 2], kind, len(data)))
        data += bytes(range(1, 129)) * (-(-size * 64 // 128))
        data += bytes(-len(data) % 32)
    write("gguf", "model", gguf(model, tensors, data))
    factor = f"{own}projector.downsample_factor"
    write("gguf", "factor_overflows", gguf(model | {factor: 2**20}, tensors, data))
    write("gguf", "other_model", gguf({"general.architecture": "llama"}, [], b""))
    write("gguf", "other_type", gguf({}, [("x", [32], 2, 0)], bytes(18)))
    write("gguf", "alignment", gguf({"general.alignment": 64}, [("x", [4], 0, 0)], bytes(64)))
    write("gguf", "alignment_odd", gguf({"general.alignment": 3}, [("x", [4], 0, 0)], bytes(64)))
    write("gguf", "beyond_the_end", gguf({}, [("x", [9], 0, 32)], bytes(32)))
    write("gguf", "offset_overflows", gguf({}, [("x", [8], 0, 2**64 - 32)], bytes(32)))
    write("gguf", "shape_overflows", gguf({}, [("x", [2**40, 2**40], 0, 0)], bytes(32)))
    write("gguf", "part_of_a_block", gguf({}, [("x", [33, 1], 8, 0)], bytes(64)))
    write("gguf", "scalar_and_empty", gguf({}, [("s", [], 0, 0), ("e", [0, 9], 0, 0)], bytes(32)))
    write("gguf", "many_items", gguf({"a": [1, 2]}, [], b"").replace(b"\2\0\0\0", b"\2\0\0\x80"))
    write("gguf", "version", b"GGUF\0\0\0\3" + bytes(16))
    write("gguf", "cut_off", gguf(model, tensors, data)[:700])
    write("gguf", "empty", b"")


def make_tekken() -> None:
    config = {"default_num_special_tokens": 4, "default_vocab_size": 8, "num_vocab_tokens": 4}
    vocab = [
        {"rank": i, "token_bytes": t, "token_str": None}
        for i, t in enumerate(["IGE=", "w6k=", "ww==", "qQ=="])
    ]
    special = [
        {"rank": i, "token_str": s, "is_control": True}
        for i, s in enumerate(["<unk>", "<s>", "</s>", "[STREAMING_PAD]"])
    ]
    audio = {"transcription_delay_ms": 480, "streaming_n_left_pad_tokens": 32}
    whole = {"config": config, "vocab": vocab, "special_tokens": special, "audio": audio}
    write("tekken", "small", json.dumps(whole).encode())
    many = dict(
        whole,
        config={"default_num_special_tokens": 1000, "default_vocab_size": 1004},
        special_tokens=[],
    )
    write("tekken", "thousand_special", json.dumps(many).encode())
    write("tekken", "rank_twice", json.dumps(dict(whole, vocab=vocab + vocab[:1])).encode())
    write(
        "tekken",
        "bad_base64",
        json.dumps(dict(whole, vocab=[{"rank": 0, "token_bytes": "I=*E"}])).encode(),
    )
    write(
        "tekken",
        "huge_size",
        json.dumps(dict(whole, config=dict(config, default_vocab_size=2**40))).encode(),
    )
    write("tekken", "deep", b"[" * 500)
    write("tekken", "cut_off", json.dumps(whole).encode()[:100])


def make_params() -> None:
    whole = Path(__file__).parents[2] / "tests" / "data" / "tiny_random" / "params.json"
    text = whole.read_bytes()
    write("params", "tiny", text)
    write("params", "cut_off", text[: len(text) // 2])
    write("params", "negative", text.replace(b": 2,", b": -2,"))
    write("params", "huge", text.replace(b": 2,", b": 1e300,"))
    write("params", "empty_object", b"{}")
    write("params", "array", b"[1,2,3]")


def wav(
    form: int,
    channels: int,
    rate: int,
    bits: int,
    data: bytes,
    size: int | None = None,
    extra: bytes = b"",
    before: bytes = b"",
) -> bytes:
    align = channels * ((bits + 7) // 8)
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * align, align, bits) + extra
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def make_wav() -> None:
    tone = [math.sin(i * 0.3) * 0.5 for i in range(40)]
    s16 = b"".join(struct.pack("<h", int(x * 32767)) for x in tone)
    f32 = b"".join(struct.pack("<f", x) for x in tone)
    f64 = b"".join(struct.pack("<d", x) for x in tone)
    s24 = b"".join(struct.pack("<i", int(x * 8388607))[:3] for x in tone)
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    write("wav", "s16", wav(1, 1, 16000, 16, s16))
    write("wav", "s16_44100_stereo", wav(1, 2, 44100, 16, s16))
    write("wav", "u8_8000", wav(1, 1, 8000, 8, bytes(range(100, 140))))
    write("wav", "s24_48000", wav(1, 1, 48000, 24, s24))
    write("wav", "s32_odd_rate", wav(1, 1, 11026, 32, f32))
    write("wav", "f32", wav(3, 1, 16000, 32, f32))
    write("wav", "f64", wav(3, 1, 22050, 64, f64))
    write("wav", "f32_nan", wav(3, 1, 16000, 32, struct.pack("<ffff", math.nan, math.inf, 1e9, 0)))
    write(
        "wav",
        "extensible",
        wav(0xFFFE, 1, 16000, 16, s16, extra=struct.pack("<HHI", 22, 16, 4) + guid),
    )
    write("wav", "streamed", wav(1, 1, 16000, 16, s16, size=0xFFFFFFFF))
    write("wav", "size_zero", wav(1, 1, 16000, 16, s16, size=0))
    write("wav", "cut_off", wav(1, 1, 16000, 16, s16, size=4000))
    write("wav", "odd_chunk", wav(1, 1, 16000, 16, s16, before=b"LIST\x03\x00\x00\x00abc\x00"))
    write("wav", "chunk_too_long", wav(1, 1, 16000, 16, s16, before=b"LIST\xff\xff\xff\xff"))
    write("wav", "no_channels", wav(1, 0, 16000, 16, s16))
    write("wav", "mu_law", wav(7, 1, 8000, 8, bytes(40)))
    write("wav", "rate_zero", wav(1, 1, 0, 16, s16))
    write("wav", "data_first", b"RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd")
    long = wav(1, 1, 16000, 16, s16, size=0xFFFFFFFF)[12:]
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, len(s16), len(s16) // 2, 0)
    write("wav", "rf64", b"RF64\xff\xff\xff\xffWAVE" + ds64 + long)


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload


def make_frames() -> None:
    write(
        "frames",
        "all",
        frame(b"A", bytes(64))
        + frame(b"F")
        + frame(b"R")
        + frame(b"C", b'{"delay_ms":240,"interval":0.25}')
        + frame(b"A", b"ab")
        + frame(b"Q"),
    )
    write(
        "frames",
        "config_wrong",
        frame(b"C", b'{"delay_ms":"x"}')
        + frame(b"C", b"[")
        + frame(b"C", b'{"interval":1e999}')
        + frame(b"C", b'{"interval":-1,"more":[{}]}'),
    )
    write("frames", "odd", frame(b"A", b"abc"))
    write("frames", "unknown", frame(b"X"))
    write("frames", "too_long", b"A" + struct.pack("<I", 1048578))
    write("frames", "cut_off", frame(b"A", bytes(64))[:30])
    write("frames", "half_a_head", b"A\x02")
    write("frames", "flush_with_payload", frame(b"F", b"x"))


if __name__ == "__main__":
    make_safetensors()
    make_gguf()
    make_tekken()
    make_params()
    make_wav()
    make_frames()
