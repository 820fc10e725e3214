"""A bundled clip transcribed, spoiled, found, and transcribed again by the real engine."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import pytest

from tests.support.sessions import make

from .conftest import CLIPS, VOXTUI

pytestmark = pytest.mark.e2e


def test_the_real_engine_hears_it_again(
    environment: dict[str, str], texts: dict[str, str], home: Path
) -> None:
    name = "computer_open_music.wav"
    with wave.open(str(CLIPS / name)) as clip:
        sound = clip.readframes(clip.getnframes())
    root = home / "data" / "sessions"
    path = make(root, "computer close music", sound=sound).path

    def sessions(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*VOXTUI, "sessions", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert path.name in sessions("search", "close").stdout
    done = sessions("retranscribe", "--model", "tiny", "--delay", "960", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=1)[1] == "computer [-close-] {+open+} music\n"
    exported = sessions("export", "--format", "txt").stdout
    assert " ".join(exported.split()) == texts[name]
    assert sessions("search", "close").returncode == 1
    assert path.name in sessions("search", "open").stdout
    assert sessions("versions", "--restore", "1").returncode == 0
    assert path.name in sessions("search", "close").stdout
