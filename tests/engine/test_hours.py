"""Memory over hours: one utterance that never ends, with attention windows of the real sizes."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.engine.driver import CLIPS, TINY, Engine, parse_event, read_pcm

WINDOWS = {"decoder": 8192, "encoder": 750}  # positions, as of the full-size model


def with_windows(folder: Path, decoder: int, encoder: int, positions: int) -> Path:
    """The bundled model with other windows, and so many positions that it knows."""
    shutil.copytree(TINY, folder)
    file = folder / "params.json"
    params = json.loads(file.read_text())
    params["sliding_window"] = decoder
    params["model_max_length"] = positions
    params["multimodal"]["whisper_model_args"]["encoder_args"]["sliding_window"] = encoder
    file.write_text(json.dumps(params))
    return folder


def memory(engine: Engine, model: Path, minutes: float) -> dict[float, float]:
    """Seconds of speech heard, all in one utterance, and the engine's memory in MB then."""
    pcm = read_pcm(CLIPS / "demo.wav")
    process = subprocess.Popen(
        [*engine.command, "-d", str(model), "--stdin", "--events", "--silent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    sound = process.stdin

    def feed() -> None:
        left = round(minutes * 60 * 32000)
        with sound:
            while left > 0:
                left -= sound.write(pcm[:left])

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    found, last = {}, ""
    with process.stdout:
        for line in process.stdout:
            event = parse_event(line)
            last = event["type"]
            assert last not in ("warning", "error"), event
            if last == "stats":
                assert event["utterance"] == 0
                found[event["audio_done"]] = event["memory_mb"]
    feeder.join()
    assert process.wait() == 0
    assert last == "end"
    return found


def assert_flat(found: dict[float, float], settled_s: float) -> None:
    """From that second on no more memory was used."""
    settled = max(mb for second, mb in found.items() if second <= settled_s)
    later = {second: mb for second, mb in found.items() if second > settled_s}
    assert len(later) > 3
    assert max(later.values()) <= settled + 1.0, later


def test_memory_stays(engine: Engine, tmp_path: Path) -> None:
    """Windows full after 82 s; positions run out twice."""
    model = with_windows(tmp_path / "model", 1024, WINDOWS["encoder"], 2000)
    assert_flat(memory(engine, model, 6), 150)


@pytest.mark.slow
def test_memory_stays_for_hours(engine: Engine, tmp_path: Path) -> None:
    """Three hours, beyond the last position that the model knows; the windows are full after 11
    minutes."""
    model = with_windows(tmp_path / "model", **WINDOWS, positions=131072)
    found = memory(engine, model, 181)
    for minute in (1, 5, 11, 15, 30, 60, 120, 180):
        second = min(found, key=lambda at: abs(at - 60 * minute))
        print(f"{minute} minutes: {found[second]:.1f} MB")
    assert_flat(found, 900)
