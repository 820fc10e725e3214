"""The engine's program and its models are found, or a sentence says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voxtui import paths
from voxtui.engine.locate import EngineMissing, find_engine
from voxtui.engine.models import ModelError, find_model, installed_models


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VOXTUI_ENGINE", raising=False)
    monkeypatch.setattr(paths, "package_dir", lambda: tmp_path / "source" / "voxtui")
    return tmp_path


def program(path: Path, *, newer: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    os.utime(path, (1_000 + newer, 1_000 + newer))
    return path


def model(folder: Path, size: int = 10) -> Path:
    folder.mkdir(parents=True)
    for name in ("params.json", "tekken.json"):
        (folder / name).write_text("{}")
    (folder / "consolidated.safetensors").write_bytes(bytes(size))
    return folder


# ---- the program -------------------------------------------------------------------------


def test_the_environment_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(home / "source/voxtui/bin/voxtral")
    named = program(home / "mine")
    monkeypatch.setenv("VOXTUI_ENGINE", str(named))
    assert find_engine() == named
    named.chmod(0o644)
    with pytest.raises(EngineMissing, match="VOXTUI_ENGINE"):
        find_engine()


def test_the_package_before_a_build(home: Path) -> None:
    built = program(home / "source/voxtral_c/build/voxtral")
    assert find_engine() == built
    packaged = program(home / "source/voxtui/bin/voxtral")
    assert find_engine() == packaged


def test_other_builds_but_no_instrumented_ones(home: Path) -> None:
    program(home / "source/voxtral_c/build-asan/voxtral", newer=9)
    old = program(home / "source/voxtral_c/build-release/voxtral", newer=1)
    assert find_engine() == old
    new = program(home / "source/voxtral_c/build-clang/voxtral", newer=2)
    assert find_engine() == new


def test_no_program() -> None:
    with pytest.raises(EngineMissing, match=r"scripts/run"):
        find_engine()


# ---- models ------------------------------------------------------------------------------


def test_tiny_unless_something_is_installed(home: Path) -> None:
    tiny = model(home / "source/voxtui/assets/tiny", 33)
    for spec in (None, "auto", "tiny", str(tiny)):
        found = find_model(spec)
        assert (found.name, found.path, found.builtin, found.size) == ("tiny", tiny, True, 33)
    real = model(paths.models_dir() / "real", 55)
    for spec in (None, "auto", "real", str(real)):
        found = find_model(spec)
        assert (found.name, found.path, found.builtin, found.size) == ("real", real, False, 55)
    assert find_model("tiny").builtin


def test_installed_models(home: Path) -> None:
    assert installed_models() == []
    folder = paths.models_dir()
    model(folder / "large", 300)
    model(folder / "small", 100)
    (folder / "half").mkdir()
    (folder / "half" / "params.json").write_text("{}")
    (folder / "gguf").mkdir()
    (folder / "gguf" / "x-Q4_K_M.gguf").write_bytes(bytes(5))
    (folder / "y.gguf").write_bytes(bytes(7))
    names = [model.name for model in installed_models()]
    assert names == ["x-Q4_K_M", "y", "small", "large"]
    assert find_model("y").path == folder / "y.gguf"
    assert find_model("x-Q4_K_M").path == folder / "gguf" / "x-Q4_K_M.gguf"


def test_a_folder_that_holds_one_gguf_file_is_that_model(home: Path) -> None:
    folder = paths.models_dir() / "Some-Q8_0"
    folder.mkdir(parents=True)
    file = folder / "Some-Q8_0.gguf"
    file.write_bytes(bytes(9))
    for spec in ("auto", "Some-Q8_0", str(folder), str(file)):
        found = find_model(spec)
        assert (found.name, found.path, found.size) == ("Some-Q8_0", file, 9)
    (folder / "other.gguf").write_bytes(bytes(9))
    with pytest.raises(ModelError, match="several GGUF files"):
        find_model("Some-Q8_0")


def test_a_download_in_progress_is_no_model(home: Path) -> None:
    model(paths.models_dir() / ".partial" / "Some-Model")
    (paths.models_dir() / ".partial" / "Some-Model" / "x.gguf").write_bytes(bytes(9))
    assert installed_models() == []


def test_auto_is_the_smallest(home: Path) -> None:
    model(paths.models_dir() / "a-large-one", 300)
    model(paths.models_dir() / "small", 100)
    assert find_model("auto").name == "small"


def test_an_incomplete_folder_names_what_is_missing(home: Path) -> None:
    (model(home / "m") / "tekken.json").unlink()
    with pytest.raises(ModelError, match=r"tekken\.json missing"):
        find_model(str(home / "m"))


def test_a_file_that_is_no_model(home: Path) -> None:
    (home / "x.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="GGUF"):
        find_model(str(home / "x.bin"))


def test_a_name_nobody_knows(home: Path) -> None:
    model(paths.models_dir() / "real")
    with pytest.raises(ModelError, match=r"'nonsense'.*tiny, real"):
        find_model("nonsense")


def test_a_broken_installation() -> None:
    with pytest.raises(ModelError, match="install voxtui again"):
        find_model("tiny")
