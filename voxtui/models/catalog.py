"""The models that are known by name: what they are, how large, what each costs and gains.

Sizes are those published; what the server says counts when one is fetched. The errors are words
in a hundred on LibriSpeech test-clean (offline, ±0.18), as handy-computer/transcribe.cpp
published them for these files.
"""

from __future__ import annotations

from dataclasses import dataclass

MB, GB = 1_000_000, 1_000_000_000

OFFICIAL_REPO = "mistralai/Voxtral-Mini-4B-Realtime-2602"
GGUF_REPO = "handy-computer/Voxtral-Mini-4B-Realtime-2602-gguf"
BASE_NAME = "Voxtral-Mini-4B-Realtime-2602"
LICENCE = "Apache-2.0, by Mistral AI"
LANGUAGES = 13

WORKING_MEMORY = 600 * MB
"""What the engine needs beside the weights: what it heard of late, and room to compute."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a model. `sha256` is "" where no hash was recorded: the server's is used."""

    name: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that can be fetched."""

    name: str
    """Its folder below the models' folder, and what the settings call it."""
    short: str
    """What one types: "q4_k_m"."""
    title: str
    repo: str
    files: tuple[KnownFile, ...]
    precision: str
    bits: float
    """Bits a weight while it runs, scales included."""
    errors: float
    """Words in error of a hundred."""
    about: str
    held: int = 0
    """Bytes of the weights while it runs, where they are not those of the files."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def disk(self) -> int:
        """Bytes of its files and of the engine's copy, ordered as it is read (floats need none)."""
        copy = self.held or (self.size if self.bits < 16 else 0)
        return self.size + copy

    @property
    def memory(self) -> int:
        """Bytes of memory that it needs while it writes."""
        return (self.held or self.size) + WORKING_MEMORY


def _gguf(kind: str, title: str, size: int, bits: float, errors: float, about: str) -> KnownModel:
    name = f"{BASE_NAME}-{kind}"
    return KnownModel(
        name=name,
        short=kind.lower(),
        title=title,
        repo=GGUF_REPO,
        files=(KnownFile(f"{name}.gguf", size),),
        precision=kind,
        bits=bits,
        errors=errors,
        about=about,
    )


CATALOG = (
    _gguf(
        "Q4_K_M",
        "Voxtral 4B, 4 bit",
        2_830 * MB,
        4.9,
        2.08,
        "The quickest, and as exact as the rest in tests.",
    ),
    _gguf("Q5_K_M", "Voxtral 4B, 5 bit", 3_280 * MB, 5.7, 2.08, "A little closer to the original."),
    _gguf("Q6_K", "Voxtral 4B, 6 bit", 3_660 * MB, 6.6, 2.08, "Closer still to the original."),
    _gguf(
        "Q8_0",
        "Voxtral 4B, 8 bit",
        4_730 * MB,
        8.5,
        2.07,
        "Next to the original; about half as quick as 4 bit.",
    ),
    KnownModel(
        name=BASE_NAME,
        short="official",
        title="Voxtral 4B, official",
        repo=OFFICIAL_REPO,
        files=(
            KnownFile("params.json", 2_000),
            KnownFile("tekken.json", 15 * MB),
            KnownFile("consolidated.safetensors", 8_860 * MB),
        ),
        precision="BF16",
        bits=8.5,
        errors=2.07,
        about="As Mistral AI published it. Used as 8 bit, made once.",
        held=4_730 * MB,
    ),
    _gguf(
        "BF16",
        "Voxtral 4B, 16 bit",
        8_870 * MB,
        16.0,
        2.08,
        "The official weights in one file.",
    ),
)
"""The quickest first."""


def find_known(name: str) -> KnownModel | None:
    """The known model of this name: its folder's, or the short one, in any case of letters."""
    wanted = name.casefold()
    for model in CATALOG:
        if wanted in (model.name.casefold(), model.short.casefold()):
            return model
    return None
