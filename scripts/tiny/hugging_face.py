"""The same model in Hugging Face `transformers`, to check our reference against."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import VoxtralRealtimeConfig, VoxtralRealtimeForConditionalGeneration

_MODULE = "mm_streams_embeddings.embedding_module."
_ENCODER = _MODULE + "whisper_encoder."
_LAYER_NAMES = {
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
    "ada_rms_norm_t_cond.0": "ada_rms_norm.linear1",
    "ada_rms_norm_t_cond.2": "ada_rms_norm.linear2",
}
_FIXED_NAMES = {
    _MODULE + "tok_embeddings.weight": "model.language_model.embed_tokens.weight",
    "norm.weight": "model.language_model.norm.weight",
    _MODULE + "audio_language_projection.0.weight": "model.multi_modal_projector.linear_1.weight",
    _MODULE + "audio_language_projection.2.weight": "model.multi_modal_projector.linear_2.weight",
    _ENCODER + "transformer.norm.weight": "model.audio_tower.norm.weight",
}


def _halves(weight: Tensor, heads: int) -> Tensor:
    """Reorder a projection's rows from interleaved pairs to split halves, per head."""
    pairs = weight.view(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:])
    return pairs.transpose(1, 2).reshape(weight.shape)


def _rename(name: str) -> str:
    """The name in `transformers` of one of the official names."""
    if name in _FIXED_NAMES:
        return _FIXED_NAMES[name]
    if name.startswith(_ENCODER + "conv_layers."):
        *_, number, _, kind = name.split(".")
        return f"model.audio_tower.embedder.conv{int(number) + 1}.{kind}"
    audio = name.startswith(_ENCODER)
    rest = name.removeprefix(_ENCODER + "transformer.").removeprefix("layers.")
    number, _, rest = rest.partition(".")
    part, _, kind = rest.rpartition(".")
    if part == "attention_norm":
        part = "self_attn_layer_norm" if audio else "input_layernorm"
    elif part == "ffn_norm":
        part = "final_layer_norm" if audio else "post_attention_layernorm"
    else:
        part = _LAYER_NAMES[part]
    tower = "audio_tower" if audio else "language_model"
    return f"model.{tower}.layers.{number}.{part}.{kind}"


def _sizes(args: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """A configuration's fields that encoder and decoder share."""
    return {
        "vocab_size": params["vocab_size"],
        "hidden_size": args["dim"],
        "intermediate_size": args["hidden_dim"],
        "num_hidden_layers": args["n_layers"],
        "num_attention_heads": args["n_heads"],
        "head_dim": args["head_dim"],
        "rms_norm_eps": args["norm_eps"],
        "rope_parameters": {"rope_type": "default", "rope_theta": args["rope_theta"]},
        "sliding_window": args["sliding_window"],
    }


def to_hugging_face(
    state: dict[str, Tensor], params: dict[str, Any]
) -> VoxtralRealtimeForConditionalGeneration:
    """A `transformers` model with our weights, in float32."""
    encoder = params["multimodal"]["whisper_model_args"]["encoder_args"]
    config = VoxtralRealtimeConfig(
        audio_config=_sizes(encoder, params),
        text_config={
            **_sizes(params, params),
            "num_key_value_heads": params["n_kv_heads"],
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 11,
            "tie_word_embeddings": True,
        },
    )
    config._attn_implementation = "eager"
    renamed = {}
    for name, weight in state.items():
        args = encoder if name.startswith(_ENCODER) else params
        heads = {"wq": args["n_heads"], "wk": args["n_kv_heads"]}.get(name.split(".")[-2])
        renamed[_rename(name)] = (_halves(weight, heads) if heads else weight).float()
    renamed["lm_head.weight"] = renamed[_FIXED_NAMES[_MODULE + "tok_embeddings.weight"]]
    model = VoxtralRealtimeForConditionalGeneration(config)
    model.load_state_dict(renamed)
    return model.eval()


@torch.no_grad()
def hugging_face_logits(
    model: VoxtralRealtimeForConditionalGeneration, mel: Tensor, ids: Tensor, delay: int
) -> Tensor:
    """Logits [B, T, vocabulary] for log-mel [B, 128, 8 T] and previous tokens [B, T]."""
    logits: Tensor = model(input_ids=ids, input_features=mel, num_delay_tokens=delay).logits
    return logits
