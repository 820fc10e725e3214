"""What the end-to-end tests share: the bundled clips, a home folder of their own, a microphone."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sound
from tests.support.sound import VirtualMicrophone
from voxtui import paths

CLIPS = paths.clips_dir()
VOXTUI = [sys.executable, "-m", "voxtui"]


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The right text of each bundled clip, by file name."""
    clips = json.loads((CLIPS / "expected.json").read_text())
    return {clip["wav"]: clip["text"].strip() for clip in clips}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the application under test keeps everything."""
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Environment for a child process: the home above, a terminal with colours."""
    return {
        **os.environ,
        "VOXTUI_HOME": str(home),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(paths.package_dir().parent),
    }


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    if why := sound.missing():
        pytest.skip(f"virtual microphone {why}")
    with VirtualMicrophone(hiss=True) as device:
        yield device


@pytest.fixture
def tmux() -> None:
    if not shutil.which("tmux"):
        pytest.skip("needs tmux")


def only_session(home: Path) -> Path:
    """The one session that was kept below `home`."""
    folders = [f for f in (home / "data" / "sessions").iterdir() if (f / "events.jsonl").exists()]
    assert len(folders) == 1, folders
    return folders[0]
