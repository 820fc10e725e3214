"""`voxtui bench`: what is measured, which one is best, and what `auto` makes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from voxtui.cli.main import run_command
from voxtui.engine import bench
from voxtui.engine.bench import BenchError, Figures, best
from voxtui.engine.choice import choice_file, remember, remembered
from voxtui.engine.config import EngineConfig
from voxtui.engine.engines import select
from voxtui.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def figures(engine: str, speed: float, delay_s: float | None = None) -> Figures:
    return Figures(engine, speed, delay_s, 30.0, 0.1, "cpu", "bf16", "avx2, 2 threads", "one two")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("a", 3.0, 0.6), ("b", 9.0, 1.0)], "a"),  # both keep up: the least delay
        ([("a", 3.0, 0.6), ("b", 9.0, 0.62)], "b"),  # the same delay: the quicker one
        ([("a", 0.5, None), ("b", 0.8, None)], "b"),  # none keeps up: the quicker one
        ([("a", 1.3, 0.9), ("server", 99.0, 0.5)], "a"),  # nothing leaves without need
        ([("a", 0.9, None), ("server", 99.0, 0.5)], "server"),
        ([("a", 0.9, None), ("server", 0.95, None)], "a"),
    ],
)
def test_the_best(found: list[tuple[str, float, float | None]], expected: str) -> None:
    chosen = best([figures(*one) for one in found], lambda name: name != "server")
    assert chosen is not None
    assert chosen.engine == expected
    assert best([], lambda _: True) is None


def test_auto_takes_what_was_remembered_as_long_as_it_is_here(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXTUI_ENGINE", sys.executable)
    program = home / "voxtral"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    settings = Settings().replace("engine", upstream=str(program))
    assert select(settings).name == "voxtral_c"
    remember("upstream", "m", [])
    assert select(settings).name == "upstream"
    assert select(settings, "voxtral_c").name == "voxtral_c"
    program.unlink()
    assert select(settings).name == "voxtral_c"
    choice_file().write_text("[broken")
    assert remembered() == {}
    assert select(settings).name == "voxtral_c"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figures | str]:
    """What measuring finds, by engine; a sentence where it fails."""
    found: dict[str, Figures | str] = {"voxtral_c": figures("voxtral_c", 5.0, 0.6)}

    def measure(config: EngineConfig, tell: object) -> Figures:
        one = found.get(config.name, "It fails.")
        if isinstance(one, str):
            raise BenchError(one)
        return one

    monkeypatch.setattr("voxtui.cli.bench.measure", measure)
    monkeypatch.setenv("VOXTUI_ENGINE", sys.executable)
    return found


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    code = run_command(["bench", "--model", "tiny", *args])
    return code, capsys.readouterr().out


def test_the_table_and_the_recommendation(
    measured: dict[str, Figures | str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys)
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["engine", "speed", "delay", "memory", "loads", "in"]
    assert "voxtral_c       5.0×    0.60 s      30 MB     0.1 s  cpu, bf16" in lines
    assert any(line.startswith("realtime") and "No server is named." in line for line in lines)
    assert "Best here: voxtral_c. It keeps up with speech with ease." in lines[-1]
    assert remembered()["engine"] == "voxtral_c"
    assert remembered()["figures"][0]["speed"] == 5.0


def test_for_programs_and_one_alone(
    measured: dict[str, Figures | str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capsys, "--json", "--engine", "voxtral_c")
    report: dict[str, Any] = json.loads(out)
    assert code == 0
    assert [one["engine"] for one in report["engines"]] == ["voxtral_c"]
    assert (report["best"], report["remembered"]) == ("voxtral_c", False)
    assert remembered() == {}
    assert run(capsys, "--forget")[0] == 0
    assert remembered() == {}
    assert run(capsys, "--engine", "auto")[0] == 2


def test_slow_and_broken_ones_are_told_plainly(
    measured: dict[str, Figures | str], capsys: pytest.CaptureFixture[str]
) -> None:
    measured["voxtral_c"] = figures("voxtral_c", 0.4)
    code, out = run(capsys)
    assert code == 0
    assert "slower than you speak" in out
    measured["voxtral_c"] = "It was not done within 180 seconds."
    code, out = run(capsys)
    assert code == 1
    assert "It was not done within 180 seconds." in out
    assert "No engine could be measured" in out


def test_our_engine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    from voxtui import paths

    found = bench.measure(EngineConfig(paths.builtin_model_dir(), threads=1))
    assert found.text == "one two three four five six seven"
    assert found.speed > 0
    assert found.memory_mb > 1
    assert found.delay_s is None or 0.2 < found.delay_s < 10


def test_an_engine_that_fails_is_not_waited_for(home: Path) -> None:
    with pytest.raises(BenchError, match="missing"):
        bench.measure(EngineConfig(home / "missing", threads=1))
