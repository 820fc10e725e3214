"""A small model at a hub on this machine."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub
from voxtui.models import catalog, download
from voxtui.models.catalog import KnownFile, KnownModel

REPO = "somebody/small-model"


def safetensors(values: int) -> bytes:
    """A file of this kind with one tensor of so many 16-bit values."""
    size = 2 * values
    header = json.dumps(
        {"weight": {"dtype": "BF16", "shape": [values], "data_offsets": [0, size]}}
    ).encode()
    body = bytes(value * 7 % 251 for value in range(size))
    return struct.pack("<Q", len(header)) + header + body


FILES = {
    "params.json": b'{"dim": 4}',
    "tekken.json": b'{"vocab": []}',
    "consolidated.safetensors": safetensors(100_000),
}
WEIGHTS = "consolidated.safetensors"

MODEL = KnownModel(
    name="Small-Model",
    short="small",
    title="Small model",
    repo=REPO,
    files=tuple(KnownFile(name, len(data)) for name, data in FILES.items()),
    precision="BF16",
    bits=16,
    errors=2.0,
    about="For tests.",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "engine"))  # which the engine tidies
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(download, "BACK_OFF_S", (0.01,) * 6)
    monkeypatch.setattr(catalog, "CATALOG", (MODEL,))
    return tmp_path / "home" / "data" / "models"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub({f"{REPO}/{name}": data for name, data in FILES.items()}) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        yield fake
