"""The table of scenarios against `voxtui serve`."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator

import pytest

from tests.realtime.client_rig import FLUSH, audio, transcribe
from tests.realtime.scenarios import SCENARIOS, Scenario, check, play
from tests.serve.conftest import Running, serving
from voxtui import paths


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("realtime")) as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_voxtui_serve_agrees(server: Running, scenario: Scenario) -> None:
    check(scenario, await play(server.ws + "/v1/realtime", scenario))


async def test_our_client_hears_every_word_and_when(server: Running) -> None:
    """The number of deltas before a word tells when it was said."""
    name = "kitchen_light.wav"
    with wave.open(str(paths.clips_dir() / name)) as file:
        pcm = file.readframes(file.getnframes())
    listed = json.loads((paths.clips_dir() / "expected.json").read_text())
    said = next(clip["words"] for clip in listed if clip["wav"] == name)
    page = await transcribe(server.ws, [*audio(pcm), FLUSH])
    words = [token for token in page.tokens() if token["word_start"]]
    assert page.text() == "".join(f" {word}" for word, _, _ in said)
    for token, (_, _, end_s) in zip(words, said, strict=True):
        assert token["time"] == pytest.approx(end_s, abs=0.13)
