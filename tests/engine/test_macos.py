"""The engine for Apple's own processors, linked here by zig: does it build, and what does it want?

pip install ziglang && pytest tests/engine/test_macos.py -m slow
"""

from __future__ import annotations

import importlib.util
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.driver import ROOT

ENGINE = ROOT / "voxtral_c"
LOAD_DYLIB, ARM64 = 0xC, 0x0100000C


def libraries(binary: bytes) -> set[str]:
    """What a Mach-O program for AArch64 loads at its start."""
    magic, kind, _, _, commands = struct.unpack_from("<5I", binary)
    assert (magic, kind) == (0xFEEDFACF, ARM64)
    found, at = set(), 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", binary, at)
        if command == LOAD_DYLIB:
            (name,) = struct.unpack_from("<I", binary, at + 8)
            found.add(binary[at + name : at + size].rstrip(b"\0").decode())
        at += size
    return found


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed")
def test_it_links_for_macos(tmp_path: Path) -> None:
    shaders, program = tmp_path / "shaders_text.c", tmp_path / "voxtral"
    folder = ENGINE / "src" / "gpu" / "shaders"
    subprocess.run(
        ["cmake", f"-DFOLDER={folder}", f"-DOUT={shaders}", "-P", str(folder / "embed.cmake")],
        check=True,
    )
    sources = [
        str(path) for path in sorted(ENGINE.glob("src/*/*.c")) + sorted(ENGINE.glob("cli/*.c"))
    ]
    flags = "-target aarch64-macos.13.0 -O1 -std=c11 -D_DARWIN_C_SOURCE="
    options = ['-DVOX_VERSION="0"', f"-I{ENGINE}", f"-I{ENGINE}/src", "-o", str(program)]
    done = subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *flags.split(), *options, *sources, str(shaders)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ZIG_LOCAL_CACHE_DIR": str(tmp_path / "zig")},
    )
    assert done.returncode == 0, done.stderr
    binary = program.read_bytes()
    assert libraries(binary) == {"/usr/lib/libSystem.B.dylib"}
    assert b"Library/Caches/voxtral\0" in binary
    assert b"libwgpu_native-release.dylib\0" in binary
    assert b"portaudio-binaries/libportaudio.dylib\0" in binary
