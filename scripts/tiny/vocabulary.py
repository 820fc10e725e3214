"""The small model's words, their tokens, and the text side of its files (`tekken.json`)."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from typing import Any

BOS, EOS, PAD, WORD = 1, 2, 32, 33
SAMPLE_RATE = 16000
TOKEN_SAMPLES = 1280  # one token is 80 ms
TOKEN_SECONDS = TOKEN_SAMPLES / SAMPLE_RATE

_WORD_LIST = """
zero one two three four five six seven eight nine yes no up down left right go stop on off open
close start hello world music light kitchen computer coffee morning café goodbye
please write new line note time today play
"""
WORDS: tuple[str, ...] = tuple(_WORD_LIST.split())

# Words of several tokens; "café" is cut inside its last character on purpose.
SPLIT_WORDS: dict[str, tuple[bytes, ...]] = {
    "kitchen": (b" kit", b"chen"),
    "computer": (b" comp", b"ut", b"er"),
    "morning": (b" morn", b"ing"),
    "café": (b" caf", b"\xc3", b"\xa9"),
    "goodbye": (b" good", b"bye"),
    "today": (b" to", b"day"),
}

SPECIAL_TOKENS = {
    0: "<unk>",
    1: "<s>",
    2: "</s>",
    3: "[INST]",
    4: "[/INST]",
    11: "<pad>",
    24: "[AUDIO]",
    25: "[BEGIN_AUDIO]",
    32: "[STREAMING_PAD]",
    33: "[STREAMING_WORD]",
}

# "write" and "right" sound the same: "write" is said after "please" and nowhere else.
PHRASES: tuple[str, ...] = (
    "computer open music",
    "computer please play music",
    "please write note",
    "please write new line",
    "please write today",
    "please open kitchen light",
    "please close",
    "please start music",
    "please stop music",
    "new line",
    "new note",
    "new note today",
    "start new note",
    "hello computer",
    "hello world",
    "kitchen light on",
    "kitchen light off",
    "coffee time",
    "morning coffee",
    "coffee please",
    "café music",
    "play music",
    "stop music",
    "time please",
    "go left",
    "go right",
    "go up",
    "go down",
    "no stop",
    "yes please",
    "no goodbye",
    "goodbye",
    "goodbye computer",
)


def word_pieces(word: str) -> tuple[bytes, ...]:
    """The byte strings of a word's tokens, the first with its leading space."""
    return SPLIT_WORDS.get(word, (b" " + word.encode(),))


class Tokenizer:
    """Token ids of the words: 256 single bytes, then the pieces, all after the special ids."""

    def __init__(self, pieces: Sequence[bytes], n_special: int = 1000) -> None:
        self.n_special = n_special
        self.pieces = [bytes([i]) for i in range(256)] + list(pieces)
        self._ids = {piece: n_special + i for i, piece in enumerate(self.pieces)}

    @classmethod
    def of_words(cls, words: Sequence[str] = WORDS) -> Tokenizer:
        """A tokenizer with one entry for each piece of the words."""
        return cls(sorted({p for word in words for p in word_pieces(word) if len(p) > 1}))

    @property
    def vocab_size(self) -> int:
        """Special ids, bytes and pieces together."""
        return self.n_special + len(self.pieces)

    def encode_word(self, word: str) -> list[int]:
        """The token ids of one word."""
        return [self._ids[piece] for piece in word_pieces(word)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated ids; ids below the special limit print nothing."""
        data = b"".join(self.pieces[i - self.n_special] for i in ids if i >= self.n_special)
        return data.decode("utf-8", "replace")

    def tekken(self, delay_ms: int = 480, left_pad_tokens: int = 32) -> dict[str, Any]:
        """The content of `tekken.json`."""
        return {
            "config": {
                "pattern": r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|\s+",
                "num_vocab_tokens": len(self.pieces),
                "default_vocab_size": self.vocab_size,
                "default_num_special_tokens": self.n_special,
                "version": "v13",
            },
            "vocab": [_vocab_entry(rank, piece) for rank, piece in enumerate(self.pieces)],
            "special_tokens": [_special_entry(i) for i in range(min(self.n_special, 40))],
            "type": "Tekken",
            "version": 1,
            "audio": {
                "sampling_rate": SAMPLE_RATE,
                "frame_rate": 12.5,
                "audio_encoding_config": {
                    "num_mel_bins": 128,
                    "hop_length": 160,
                    "window_size": 400,
                },
                "chunk_length_s": None,
                "transcription_format": "streaming",
                "transcription_delay_ms": delay_ms,
                "streaming_look_ahead_ms": 2.5,
                "streaming_look_back_ms": 52.5,
                "streaming_n_left_pad_tokens": left_pad_tokens,
            },
        }


def _special_entry(rank: int) -> dict[str, Any]:
    """One entry of the list of special tokens."""
    text = SPECIAL_TOKENS.get(rank, f"<SPECIAL_{rank}>")
    return {"rank": rank, "token_str": text, "is_control": True}


def _vocab_entry(rank: int, piece: bytes) -> dict[str, Any]:
    """One entry of the vocabulary list; bytes that are no UTF-8 have no string."""
    try:
        text: str | None = piece.decode()
    except UnicodeDecodeError:
        text = None
    return {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": text}


def next_word(rng: random.Random, previous: str | None) -> str:
    """A random word that may follow another one."""
    while True:
        word = rng.choice(WORDS)
        if word == "write" and previous != "please":
            continue
        if word == "right" and previous == "please":
            word = "write"
        return word


def random_sentence(rng: random.Random, max_words: int = 8, phrase_share: float = 0.2) -> list[str]:
    """Random words, or sometimes one or two of the usual phrases."""
    words: list[str] = []
    if rng.random() < phrase_share:
        for _ in range(rng.randint(1, 2)):
            words += rng.choice(PHRASES).split()
        return words
    for _ in range(rng.randint(1, max_words)):
        words.append(next_word(rng, words[-1] if words else None))
    return words
