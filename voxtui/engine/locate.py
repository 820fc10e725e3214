"""Finds the engine's binary."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

from voxtui import paths

_INSTRUMENTED = ("asan", "ubsan", "tsan", "msan", "san", "fuzz", "aarch64", "arm64", "debug", "cov")


class EngineMissing(Exception):  # noqa: N818 - says what it is
    """There is no engine to start; the message is one sentence that says what to do."""


def find_engine() -> Path:
    """`$VOXTUI_ENGINE`, else the binary in the package, else the newest development build."""
    named = os.environ.get("VOXTUI_ENGINE")
    if named:
        path = Path(named).expanduser()
        if not runs(path):
            raise EngineMissing(
                f"VOXTUI_ENGINE names {path}, which is not a program that can be started."
            )
        return path
    for path in (paths.package_dir() / "bin" / "voxtral", *_development_builds()):
        if runs(path):
            return path
    raise EngineMissing(
        "The engine's program is missing: run ./scripts/run, or pip install . again."
    )


def environment() -> dict[str, str]:
    """For the engine: ours, and where this Python's wheels lie, which carry its libraries."""
    return {"VOXTRAL_PACKAGES": sysconfig.get_path("platlib"), **os.environ}


def precisions(binary: Path | None = None) -> list[str]:
    """What the engine takes for --precision, "auto" first; empty when it does not tell."""
    return _offered("precision", r"auto|b?f\d+|q\d\w*|int\d", binary)


def backends(binary: Path | None = None) -> list[str]:
    """What the engine takes for --backend, "auto" first; empty when it does not tell."""
    return _offered("backend", "auto|cpu|gpu", binary)


def _offered(option: str, values: str, binary: Path | None) -> list[str]:
    """The values of an option that the engine's help names."""
    try:
        told = subprocess.run(
            [binary or find_engine(), "--help"],
            capture_output=True,
            text=True,
            timeout=5.0,
            check=False,
        ).stdout
    except (OSError, EngineMissing, subprocess.TimeoutExpired):
        return []
    found = re.search(rf"^ *--{option} .*(?:\n {{10,}}.*)*", told, re.MULTILINE)
    names = re.findall(rf"\b({values})\b", found[0]) if found else []
    return list(dict.fromkeys(names))


def _development_builds() -> list[Path]:
    """Builds beside the package's source: `build`, `make`'s, then the others, newest first."""
    source = paths.package_dir().parent / "voxtral_c"
    others = [
        path
        for path in source.glob("build*/voxtral")
        if not any(word in path.parent.name.lower() for word in _INSTRUMENTED)
    ]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [source / "build" / "voxtral", source / "voxtral", *others]


def runs(path: Path) -> bool:
    """It is a file that may be started."""
    return path.is_file() and os.access(path, os.X_OK)
