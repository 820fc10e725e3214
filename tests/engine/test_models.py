"""Models that are damaged, incomplete or not there: exit code 2 and one sentence."""

from __future__ import annotations

import json
import random
import shutil
import struct
from pathlib import Path

import pytest

from tests.engine.driver import TINY, Engine, Result, one_sentence, silence, wav

FILES = ("consolidated.safetensors", "params.json", "tekken.json")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in FILES:
        shutil.copyfile(TINY / name, folder / name)
    return folder


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(silence(0.3)))
    return path


def check_refused(result: Result, what: object) -> None:
    assert result.code == 2, (what, result)
    assert one_sentence(result.err), (what, result.err)
    (event,) = result.events
    assert event["type"] == "error"
    assert event["code"] in ("io", "format", "unsupported", "memory", "argument")


def check_ended(result: Result, what: object) -> None:
    """Refused, or run to the end."""
    if result.code == 2:
        check_refused(result, what)
    else:
        assert result.code == 0, (what, result)
        assert result.events[-1]["type"] == "end"


def run(engine: Engine, model: Path, sound: Path) -> Result:
    return engine.run("-i", sound, "--events", "--silent", model=model)


def test_the_copy_works(engine: Engine, model: Path, sound: Path) -> None:
    assert run(engine, model, sound).code == 0


@pytest.mark.parametrize("name", FILES)
def test_missing(engine: Engine, model: Path, sound: Path, name: str) -> None:
    (model / name).unlink()
    result = run(engine, model, sound)
    check_refused(result, name)
    assert name in result.err


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_its_place(engine: Engine, model: Path, sound: Path, name: str) -> None:
    (model / name).unlink()
    (model / name).mkdir()
    check_refused(run(engine, model, sound), name)


@pytest.mark.parametrize("name", FILES)
def test_cut_off_anywhere(engine: Engine, model: Path, sound: Path, name: str) -> None:
    data = (model / name).read_bytes()
    header = struct.unpack("<Q", data[:8])[0] + 8 if name.endswith("safetensors") else 0
    cuts = {0, 1, 7, 8, 9, 100, header - 1, header, header + 1, len(data) // 2, len(data) - 3}
    cuts |= {len(data) * i // 12 for i in range(12)}
    for cut in sorted(cut for cut in cuts if 0 <= cut < len(data)):
        (model / name).write_bytes(data[:cut])
        check_refused(run(engine, model, sound), (name, cut))


@pytest.mark.parametrize("name", FILES)
def test_flipped_bits(engine: Engine, model: Path, sound: Path, name: str) -> None:
    """In headers and configuration; some changes mean nothing, none may crash."""
    data = (model / name).read_bytes()
    end = struct.unpack("<Q", data[:8])[0] + 8 if name.endswith("safetensors") else len(data)
    chance = random.Random(name)
    for _ in range(40):
        place, bit = chance.randrange(end), chance.randrange(8)
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        (model / name).write_bytes(changed)
        check_ended(run(engine, model, sound), (name, place, bit))


def test_wild_weights(engine: Engine, model: Path, sound: Path) -> None:
    """Weights of any value, infinite ones and NaN among them, give some words and an end."""
    path = model / "consolidated.safetensors"
    data = path.read_bytes()
    header = struct.unpack("<Q", data[:8])[0] + 8
    chance = random.Random(7)
    for fill in (b"\xff", b"\x00", b"\x7f\x7f", b"\x80\x7f", None):
        size = len(data) - header
        body = chance.randbytes(size) if fill is None else (fill * size)[:size]
        path.write_bytes(data[:header] + body)
        result = run(engine, model, sound)
        assert result.code == 0, (fill, result)
        assert result.events[-1]["type"] == "end"


def change_params(model: Path, **values: object) -> None:
    path = model / "params.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    "values",
    [
        {"dim": 0},
        {"dim": -64},
        {"dim": 2**40},
        {"dim": "64"},
        {"n_layers": 10**9},
        {"n_heads": 7},
        {"n_kv_heads": 3},
        {"head_dim": 15},
        {"hidden_dim": None},
        {"vocab_size": 1},
        {"sliding_window": 0},
        {"norm_eps": -1},
        {"multimodal": {}},
        {"multimodal": []},
    ],
)
def test_dimensions_that_do_not_fit(
    engine: Engine, model: Path, sound: Path, values: dict[str, object]
) -> None:
    change_params(model, **values)
    check_refused(run(engine, model, sound), values)


def test_a_model_without_a_tensor(engine: Engine, model: Path, sound: Path) -> None:
    path = model / "consolidated.safetensors"
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    names = [name for name in header if name != "__metadata__"]
    for name in random.Random(3).sample(names, 8):
        left = {key: value for key, value in header.items() if key != name}
        text = json.dumps(left).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
        result = run(engine, model, sound)
        check_refused(result, name)
        assert name in result.err
