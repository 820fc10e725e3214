"""Chromium without a window, with a recording as its microphone."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voxtui import paths

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def recording_of(folder: Path, clip: str, before_s: float = 1.0, after_s: float = 8.0) -> Path:
    """A bundled clip with silence around it, as the microphone's sound."""
    path = folder / f"microphone-{clip}"
    with wave.open(str(paths.clips_dir() / clip)) as source, wave.open(str(path), "wb") as out:
        out.setparams(source.getparams())
        rate = source.getframerate()
        out.writeframes(bytes(2 * round(rate * before_s)))
        out.writeframes(source.readframes(source.getnframes()))
        out.writeframes(bytes(2 * round(rate * after_s)))
    return path


@contextlib.contextmanager
def browsing(microphone: Path, **choices: Any) -> Iterator[Any]:
    """A page of Chromium (playwright's, synchronous) that hears the recording once, from the
    moment on at which the microphone is opened."""
    from playwright.sync_api import sync_playwright

    arguments = [*ARGUMENTS, f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            headless=True,
            args=arguments,
            **{"permissions": ["microphone"], **choices},
        )
        try:
            yield context.pages[0]
        finally:
            context.close()


def until(page: Any, true: str, timeout_s: float = 20.0) -> None:
    """Wait for an expression. (playwright's own way needs `eval`, which the page forbids.)"""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(true):
        assert time.monotonic() < deadline, f"never: {true}"
        page.wait_for_timeout(30)
