"""`voxtui serve --engine realtime`: a gateway before a server of vLLM's protocol, here our own."""

from __future__ import annotations

from pathlib import Path

from tests.serve.conftest import CLIP, SAID, Running, pcm, serving
from tests.serve.test_live import Browser
from voxtui.engine.config import EngineConfig, Remote
from voxtui.session.library import list_sessions, load_session


def test_words_come_from_the_server_behind(server: Running, tmp_path: Path) -> None:
    remote = Remote(server.ws + "/v1/realtime", "vllm", "voxtral")
    engine = EngineConfig(Path("voxtral"), name="realtime", remote=remote)
    with serving(tmp_path, engine=engine, model_name="voxtral", small_model=False) as gateway:
        assert gateway.post_file("/transcribe", "audio", CLIP).json == {"transcription": SAID}
        with Browser(gateway) as browser:
            assert browser.say(pcm()) == SAID
            assert browser.say(pcm()) == SAID
    [session] = list_sessions(gateway.sessions)
    assert load_session(session.path).finished
