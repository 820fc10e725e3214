"""Files of weights that are whole, cut off, or none at all."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from tests.unit.models.conftest import safetensors
from voxtui.models.headers import problem


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(kind: int = 8, weights: int = 256, body: int = 8 * 34, alignment: int = 32) -> bytes:
    """One tensor of 8-bit blocks, and values of several kinds before it."""
    words = struct.pack("<IQ", 8, 2) + text("a") + text("b")
    numbers = struct.pack("<IQ", 5, 3) + bytes(12)
    values = [
        text("general.alignment") + struct.pack("<II", 4, alignment),
        text("words") + struct.pack("<I", 9) + words,
        text("numbers") + struct.pack("<I", 9) + numbers,
        text("name") + struct.pack("<I", 8) + text("x"),
        text("flag") + struct.pack("<IB", 7, 1),
    ]
    tensor = text("weight") + struct.pack("<IQ", 1, weights) + struct.pack("<IQ", kind, 0)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(values)) + b"".join(values) + tensor
    return head + bytes(-len(head) % alignment) + bytes(body)


@pytest.mark.parametrize("alignment", [32, 64])
def test_whole_files(tmp_path: Path, alignment: int) -> None:
    whole = tmp_path / "a.gguf"
    whole.write_bytes(gguf(alignment=alignment))
    assert problem(whole) == ""
    weights = tmp_path / "a.safetensors"
    weights.write_bytes(safetensors(10))
    assert problem(weights) == ""


@pytest.mark.parametrize("name", ["a.gguf", "a.safetensors"])
def test_every_cut_is_noticed(tmp_path: Path, name: str) -> None:
    data = gguf() if name.endswith("gguf") else safetensors(10)
    path = tmp_path / name
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert problem(path), length
    path.write_bytes(data[:-3])
    assert problem(path) == "3 bytes are missing at its end"


@pytest.mark.parametrize("name", ["a.gguf", "a.safetensors"])
def test_something_else_is_noticed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for data in (b"<html>" * 99, bytes(500), b"\xff" * 500, b"GGUF" + b"\xff" * 500):
        path.write_bytes(data)
        assert problem(path)


def test_whatever_stands_in_a_header_is_whole_or_a_problem(tmp_path: Path) -> None:
    rng = random.Random(5)
    for name, data, end in (("a.gguf", gguf(), 200), ("a.safetensors", safetensors(10), 90)):
        path = tmp_path / name
        for _ in range(600):
            bad = bytearray(data)
            for _ in range(rng.randint(1, 3)):
                bad[rng.randrange(end)] = rng.choice([0, 9, 34, 44, 91, 123, 125, 255])
            path.write_bytes(bad)
            assert isinstance(problem(path), str)


def test_odd_headers_are_problems(tmp_path: Path) -> None:
    weights = tmp_path / "a.safetensors"
    for header in ("[]", '{"a": {}}', '{"a": {"data_offsets": 1}}', '{"a": {"data_offsets": []}}',
                   '{"a": {"data_offsets": [0, "x"]}}', '{"a": {"data_offsets": [0, 1e999]}}',
                   "[" * 100_000):  # fmt: skip
        weights.write_bytes(text(header))
        assert problem(weights) == "its beginning is damaged", header
    deep = tmp_path / "a.gguf"
    lists = struct.pack("<IQ", 9, 1) * 5000
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + text("deep") + struct.pack("<I", 9)
    deep.write_bytes(head + lists)
    assert problem(deep) == "its beginning is damaged"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in problem(tmp_path / "a.gguf")
