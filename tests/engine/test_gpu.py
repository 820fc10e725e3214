"""The GPU from the command line. Software Vulkan counts as one when it is named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.driver import ROOT, TINY, Clip, Engine, one_sentence


@pytest.fixture(scope="module")
def tested(engine: Engine) -> dict[str, object]:
    """What the self-test says; its tests are skipped where there is no GPU of any kind."""
    result = engine.bare("--selftest", "--json")
    report = json.loads(result.text)
    assert isinstance(report, dict)
    assert (result.code == 0) == report["passed"]
    if "gpu" not in report:
        assert report["reason"]
        pytest.skip(str(report["reason"]))
    return report


def test_the_self_test_passes(tested: dict[str, object]) -> None:
    checks = tested["checks"]
    assert isinstance(checks, list)
    assert [check for check in checks if not check["passed"]] == []
    assert tested["failed"] == 0
    assert {"q8_0 x 1", "q4_k x 1", "q6_k x 1", "norm"} <= {check["name"] for check in checks}


def test_the_same_words(
    engine: Engine, tested: dict[str, object], clip: Clip, tmp_path: Path
) -> None:
    backend = f"gpu:{str(tested['gpu'])[:6]}"
    arguments = ("-d", str(TINY), "-i", str(clip.path), "--cache", str(tmp_path))
    result = engine.bare(*arguments, "--backend", backend, "--events")
    assert (result.code, result.of_type("ready")[0]["backend"]) == (0, "gpu")
    assert "".join(e["text"] for e in result.of_type("token")).strip() == clip.text
    assert len(list(tmp_path.glob("gpu-*.passed"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("bits", [128, 256, 512])
def test_software_of_any_width(engine: Engine, tested: dict[str, object], bits: int) -> None:
    """Its subgroups have 4, 8 or 16 threads."""
    if "llvmpipe" not in str(tested["gpu"]):
        pytest.skip("this GPU is not Mesa's software")
    environment = {"LP_NATIVE_VECTOR_WIDTH": str(bits)}
    report = json.loads(engine.bare("--selftest", "--json", environment=environment).text)
    assert f"{bits} bits" in report["gpu"]
    assert (report["passed"], report["subgroups"]) == (True, True)


@pytest.mark.slow
def test_the_real_width(
    engine: Engine, tested: dict[str, object], clip: Clip, tmp_path: Path
) -> None:
    """A layer of each stack in the real dimensions, the whole vocabulary: a head of 805 MB, in
    parts where a GPU binds no more than 128 MiB. 1.2 GB on the disk, some minutes in software."""
    model = tmp_path / "wide"
    script = ROOT / "scripts" / "random_model.py"
    subprocess.run(
        [sys.executable, str(script), str(model), "--layers", "1", "--restless"], check=True
    )
    arguments = ("-d", str(model), "-i", str(clip.path), "--cache", str(tmp_path), "--events")
    said = []
    for backend in ("cpu", f"gpu:{str(tested['gpu'])[:6]}"):
        result = engine.bare(*arguments, "--precision", "bf16", "--backend", backend)
        assert (result.code, result.of_type("ready")[0]["backend"]) == (0, backend[:3])
        said.append([(e["id"], e["probability"]) for e in result.of_type("token")])
    assert len(said[0]) > 20
    assert [token for token, _ in said[1]] == [token for token, _ in said[0]]
    assert [p for _, p in said[1]] == pytest.approx([p for _, p in said[0]], abs=2e-6)


@pytest.mark.slow
def test_bench(engine: Engine, tested: dict[str, object]) -> None:
    """Software is slow, so only that the figures are there."""
    backend = f"gpu:{str(tested['gpu'])[:6]}"
    result = engine.bare("--bench", "-d", str(TINY), "--backend", backend, "--json")
    assert result.code == 0, result.err
    figures = json.loads(result.text)
    assert figures["gpu"] == tested["gpu"]
    assert all(figures[name] > 0 for name in ("bandwidth_gbs", "step_ms", "encoder_ms_per_token"))


def test_no_such_gpu(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    arguments = ("-d", str(TINY), "-i", str(clip.path), "--cache", str(tmp_path))
    result = engine.bare(*arguments, "--backend", "gpu:no such thing")
    assert result.code == 2
    assert one_sentence(result.err.replace("Loading weights...\n", ""))


def test_without_the_library(engine: Engine, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXTRAL_WGPU", "/nowhere/libwgpu_native.so")
    result = engine.bare("--selftest")
    assert result.code == 1
    assert "/nowhere/libwgpu_native.so" in result.err
    result = engine.bare("-d", str(TINY), "-i", str(clip.path), "--events")
    assert (result.code, result.of_type("ready")[0]["backend"]) == (0, "cpu")


def _wheel(packages: Path, major: int) -> None:
    """A library of that version where the wheel of wgpu has it; of none for 0."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler")
    source = (ROOT / "voxtral_c" / "src" / "gpu" / "webgpu.h").read_text()
    names = re.findall(r"^    F\([\w *]+, (\w+),", source, re.MULTILINE)
    functions = [f"int wgpu{name}(void) {{ return 0; }}" for name in names if name != "GetVersion"]
    if major:
        functions.append(f"unsigned wgpuGetVersion(void) {{ return {major}u << 24; }}")
    folder = packages / "wgpu" / "resources"
    folder.mkdir(parents=True)
    (packages / "fake.c").write_text("\n".join(functions))
    suffix = "dylib" if sys.platform == "darwin" else "so"
    library = folder / f"libwgpu_native-release.{suffix}"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(packages / "fake.c")], check=True
    )


@pytest.mark.parametrize(
    ("major", "told"),
    [(28, "version 28 of wgpu-native"), (0, "is not wgpu-native"), (-1, "loaded")],
)
def test_a_library_that_does_not_fit(
    engine: Engine, clip: Clip, tmp_path: Path, major: int, told: str
) -> None:
    """An old one, another one, a broken file: one sentence with what to do, and the processor."""
    _wheel(tmp_path, max(0, major))
    library = next((tmp_path / "wgpu" / "resources").iterdir())
    if major < 0:
        library.write_bytes(b"what a proxy answers instead of a file")
    environment = {"VOXTRAL_PACKAGES": str(tmp_path), "VOXTRAL_WGPU": ""}
    result = engine.bare("--selftest", environment=environment)
    assert result.code == 1
    assert one_sentence(result.err)
    assert told in result.err
    assert str(library) in result.err
    assert "pip install" in result.err
    arguments = ("-d", str(TINY), "-i", str(clip.path), "--cache", str(tmp_path), "--debug")
    result = engine.bare(*arguments, environment=environment)
    assert (result.code, result.text.strip()) == (0, clip.text)
    assert told in result.err
