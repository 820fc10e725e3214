"""The engine on AArch64: built with a cross-compiler, run under qemu-user.

Its kernels are not unrolled here, which is compiled in a tenth of the time and emulated as fast.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.driver import ROOT, Clip, Engine, audio

COMPILER = "aarch64-linux-gnu-gcc"
BUILD = ROOT / "build" / "engine-aarch64"  # kept, so that the next run compiles what changed

# The time-out covers compiling everything on a slow machine.
pytestmark = [pytest.mark.aarch64, pytest.mark.timeout(1200)]


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def arm() -> Engine:
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    cmake = shutil.which("cmake")
    for tool, found in ((COMPILER, shutil.which(COMPILER)), ("qemu-aarch64", emulator)):
        if not found:
            pytest.skip(f"{tool} is not installed")
    if not cmake:
        pytest.skip("cmake is not on the path")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:  # others may test side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(
            cmake, "-S", ROOT / "voxtral_c", "-B", BUILD, "-DVOX_BUILD_TESTS=ON",
            "-DVOX_UNROLL=OFF", "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
            f"-DCMAKE_C_COMPILER={COMPILER}", "-DCMAKE_EXE_LINKER_FLAGS=-static",
        )  # fmt: skip
        targets = ("voxtral", "test_kernels", "test_quant_kernels")
        run(cmake, "--build", BUILD, "--parallel", "2", "--target", *targets)
    return Engine((str(emulator), str(BUILD / "voxtral")))


@pytest.fixture(scope="module")
def clip(short_clips: list[Clip]) -> Clip:
    """The shortest: an emulator takes its time."""
    return min(short_clips, key=lambda clip: len(clip.pcm))


@pytest.mark.parametrize("kernels", ["neon", "generic"])
def test_ids(arm: Engine, clip: Clip, kernels: str) -> None:
    result = arm.run("-i", clip.path, "--tokens", "--silent", "--kernels", kernels)
    assert (result.ids, result.err) == (clip.ids[480], "")


@pytest.mark.parametrize("program", ["test_kernels", "test_quant_kernels"])
def test_kernels(arm: Engine, program: str) -> None:
    """Against the reference, bit for bit the same with every instruction that the emulator has."""
    emulator, binary = arm.command
    run(emulator, "-cpu", "max", Path(binary).with_name(program))


def test_quantised_ids(arm: Engine, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "q4_k_m.gguf"
    made = arm.run("--quantize", path, "--type", "q4_k_m", "--silent")
    assert (made.code, made.err) == (0, "")
    told = {}
    for name in ("neon", "neoni8mm"):
        result = arm.run("-i", clip.path, "--events", "--silent", "--kernels", name, model=path)
        assert result.code == 0, result.err
        told[name] = result.of_type("token")
    assert told["neoni8mm"] == told["neon"]
    assert "".join(token["text"] for token in told["neon"]).strip() == clip.text


def test_frames(arm: Engine, clip: Clip) -> None:
    result = arm.run("--framed", "--events", stdin=audio(clip.pcm))
    assert result.code == 0
    assert result.events[0]["kernels"] in ("neon", "neondot", "neoni8mm")
    assert "".join(e["text"] for e in result.of_type("token")).strip() == clip.text
