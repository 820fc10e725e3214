"""The engine's copies of models, in its cache: quantised, or arranged as it reads them.

They are named FOLDER-PLACE-PRECISION-STATE.gguf, PLACE being a hash of the model's path
(`voxtral_c/src/weights/cache.c`).
"""

from __future__ import annotations

import glob
import os
from pathlib import Path


def copies_of(path: Path) -> list[Path]:
    """Of a model, or of those in the folder `path`; also such as were not finished."""
    inside = sorted(path.glob("*.gguf")) if path.is_dir() else []
    found: list[Path] = []
    for model in (path, *inside):
        place = model.resolve()
        name = os.fsencode(place.name)[:200].decode(errors="surrogateescape")
        start = f"{glob.escape(name)}-{_hash(os.fsencode(place)):08x}-"
        for end in (".gguf", ".gguf.part"):
            found += sorted(_folder().glob(f"{start}*-{'[0-9a-f]' * 16}{end}"))
    return found


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "voxtral"


def _hash(data: bytes) -> int:
    """The lower half of FNV-1a's 64 bits."""
    value = 14695981039346656037
    for byte in data:
        value = (value ^ byte) * 1099511628211 % (1 << 64)
    return value & 0xFFFFFFFF
