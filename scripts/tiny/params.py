"""`params.json` of a model in the official layout."""

from __future__ import annotations

from typing import Any


def make_params(
    vocab_size: int, decoder: dict[str, int], encoder: dict[str, int]
) -> dict[str, Any]:
    """The content of `params.json` for decoder and encoder sizes (dim, n_layers, n_heads, …)."""
    shared: dict[str, Any] = {"rope_theta": 1e6, "norm_eps": 1e-5, "causal": True}
    audio = {
        "sampling_rate": 16000,
        "frame_rate": 12.5,
        "num_mel_bins": 128,
        "hop_length": 160,
        "window_size": 400,
        "chunk_length_s": None,
        "global_log_mel_max": 1.5,
        "transcription_format": "streaming",
    }
    encoder_args = {
        "audio_encoding_args": audio,
        **encoder,
        **shared,
        "n_kv_heads": encoder["n_heads"],
        "vocab_size": vocab_size,
        "use_biases": True,
        "use_cache": False,
        "pos_embed": "rope",
        "max_source_positions": None,
        "ffn_type": "swiglu",
        "norm_type": "rms_norm",
    }
    return {
        **decoder,
        **shared,
        "use_biases": False,
        "vocab_size": vocab_size,
        "model_parallel": 1,
        "tied_embeddings": True,
        "model_max_length": 131072,
        "multimodal": {
            "whisper_model_args": {
                "encoder_args": encoder_args,
                "downsample_args": {"downsample_factor": 4},
            }
        },
        "ada_rms_norm_t_cond": True,
        "ada_rms_norm_t_cond_dim": 32,
    }
