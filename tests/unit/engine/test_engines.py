"""Which engines there are, what is said of those that are not, and how each is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from voxtui.engine.engines import config_for, list_engines, look_at, select
from voxtui.engine.locate import EngineMissing
from voxtui.settings import ENGINES, Settings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VOXTUI_ENGINE", sys.executable)
    monkeypatch.delenv("VOXTUI_UPSTREAM", raising=False)


def test_each_engine_says_where_it_is_or_how_to_get_it() -> None:
    found = list_engines(Settings())
    assert [engine.name for engine in found] == [name for name in ENGINES if name != "auto"]
    for engine in found:
        assert engine.title
        assert engine.about
        assert engine.can
        assert engine.detail
        assert bool(engine.get) is not engine.available
    by_name = {engine.name: engine for engine in found}
    assert by_name["voxtral_c"].available
    assert not by_name["upstream"].available
    assert not by_name["realtime"].available
    assert not by_name["realtime"].needs_model


def test_the_engine_asked_for_comes_before_the_settings() -> None:
    settings = Settings().replace("engine", name="realtime")
    settings = settings.replace("remote", url="ws://localhost:8000/v1/realtime")
    assert select(settings).name == "realtime"
    assert select(settings, "voxtral_c").name == "voxtral_c"
    assert select(Settings()).name == "voxtral_c"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("upstream", "Build github.com/antirez/voxtral.c"),
        ("realtime", "remote.url"),
        ("whisper", "no engine 'whisper': choose one of auto, voxtral_c"),
    ],
)
def test_an_engine_that_is_not_here_says_what_to_do(name: str, told: str) -> None:
    with pytest.raises(EngineMissing, match=told):
        select(Settings(), name)


def test_ggml_is_there_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'voxtui[ggml]'" in look_at("ggml", Settings()).get


def test_a_wrong_program_of_voxtral_c_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "voxtral"
    settings = Settings().replace("engine", upstream=str(missing))
    assert str(missing) in look_at("upstream", settings).detail
    missing.write_text("#!/bin/sh\n")
    missing.chmod(0o755)
    assert look_at("upstream", settings).available


def test_what_each_is_started_with(tmp_path: Path) -> None:
    program = tmp_path / "voxtral"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    settings = Settings().replace("engine", upstream=str(program), delay_ms=960)
    settings = settings.replace("remote", url="ws://h/v1/realtime", dialect="openai", model="m")
    model = Path("/models/real")

    def command(name: str) -> str:
        engine = look_at(name, settings)
        config = config_for(engine, settings, model if engine.needs_model else None)
        return " ".join(config.command(lambda: Path("/bin/ours")))

    choices = "--framed --events -I 0.5 --delay 960 --alt 0.95"
    assert command("voxtral_c") == f"/bin/ours -d /models/real {choices}"
    worker = f"{sys.executable} -P -m voxtui.engine.workers"
    assert command("ggml") == f"{worker} ggml -d /models/real {choices}"
    upstream = f"{worker} upstream --binary {program} -d /models/real {choices}"
    assert command("upstream") == upstream
    remote = f"{worker} realtime --url ws://h/v1/realtime --dialect openai -d m {choices}"
    assert command("realtime") == remote
