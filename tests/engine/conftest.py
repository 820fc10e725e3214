"""The engine's program and the bundled clips."""

from __future__ import annotations

import pytest

from tests.engine.driver import Clip, Engine, find_binary, load_clips

CLIPS = load_clips()


@pytest.fixture(scope="session")
def engine() -> Engine:
    binary = find_binary()
    if binary is None:
        pytest.skip("the engine was not built: cmake -S voxtral_c -B voxtral_c/build")
    return Engine((str(binary),))


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    if not CLIPS:
        pytest.skip("the bundled clips are not there")
    return CLIPS


@pytest.fixture(scope="session")
def clip(clips: list[Clip]) -> Clip:
    """A short clip of several words."""
    return next((clip for clip in clips if len(clip.text.split()) >= 3), clips[0])


@pytest.fixture(scope="session")
def short_clips(clips: list[Clip]) -> list[Clip]:
    """Some short clips, for tests that run them many times."""
    return clips[:3]
