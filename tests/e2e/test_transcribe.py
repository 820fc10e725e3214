"""`voxtui transcribe` on the bundled clips, as a newcomer would try it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from .conftest import CLIPS, VOXTUI

pytestmark = pytest.mark.e2e


def transcribe(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VOXTUI, "transcribe", "--model", "tiny", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_bundled_clip_gives_its_text(
    environment: dict[str, str], texts: dict[str, str]
) -> None:
    for name, text in texts.items():
        done = transcribe(environment, str(CLIPS / name))
        assert done.returncode == 0, done.stderr
        assert " ".join(done.stdout.split()) == text


def test_json_has_the_words_with_their_times(
    environment: dict[str, str], texts: dict[str, str]
) -> None:
    name = "computer_open_music.wav"
    done = transcribe(environment, "--format", "json", str(CLIPS / name))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert "computer open music" in json.dumps(said)


def test_garbage_is_refused_with_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"not sound at all" * 100)
    done = transcribe(environment, str(bad))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "bad.wav" in done.stderr
    assert "Traceback" not in done.stderr
