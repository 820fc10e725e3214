"""voxtral --bench: the figures are there and make sense; bad use is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.engine.driver import Engine

FIELDS = [
    *("type", "threads", "bandwidth_gbs", "encoder_ms_per_token", "step_ms", "step_bound_ms"),
    *("pass_ms", "prefill_ms", "utterance_start_ms", "utterance_end_ms", "live_rtf", "wait_ms"),
    *("load_ms", "peak_mb", "acceptance"),
]


def bench(engine: Engine, *args: str | Path) -> dict[str, object]:
    result = engine.run("--bench", "--json", *args)
    assert result.code == 0, result.err
    figures: dict[str, object] = json.loads(result.out)
    return figures


def test_figures(engine: Engine) -> None:
    figures = bench(engine, "--threads", "2")
    assert list(figures) == FIELDS
    assert (figures["type"], figures["threads"]) == ("bf16", 2)
    live = figures["live_rtf"]
    assert isinstance(live, dict)
    assert list(live) == ["0.08", "0.24", "0.5", "1", "2"]
    wait = figures["wait_ms"]
    assert isinstance(wait, dict)
    assert list(wait) == ["mean", "p95", "whole_mean", "whole_p95"]
    passes = figures["pass_ms"]
    assert isinstance(passes, list)
    assert len(passes) == 8
    several = ("pass_ms", "live_rtf", "wait_ms")
    single = [figures[name] for name in FIELDS[2:] if name not in several]
    numbers = [*single, *passes, *live.values(), *wait.values()]
    assert all(isinstance(number, int | float) and number > 0 for number in numbers)


@pytest.mark.parametrize("recorded", ["P" * 100, "32\n" * 100])
def test_nothing_but_pads(engine: Engine, tmp_path: Path, recorded: str) -> None:
    """Then nearly all guesses come true."""
    tokens = tmp_path / "tokens"
    tokens.write_text(recorded)
    pads = bench(engine, "--replay", tokens)["acceptance"]
    tokens.write_text("T" * 100)
    texts = bench(engine, "--replay", tokens)["acceptance"]
    assert isinstance(pads, float)
    assert isinstance(texts, float)
    assert pads > 0.5 > texts


def test_sound_is_worked_on_as_it_comes(engine: Engine) -> None:
    """With time to spare a word waits for its last token's sound and not for half a second."""
    wait = bench(engine)["wait_ms"]
    assert isinstance(wait, dict)
    assert 20 < wait["mean"] < 0.7 * wait["whole_mean"]
    assert wait["whole_mean"] <= wait["whole_p95"]


def test_minutes(engine: Engine) -> None:
    """Each minute's steps are really made, and memory is told."""
    result = engine.run("--bench", "--minutes", "2", "--heard", "11", "--json")
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in result.text.splitlines()]
    assert [line["minute"] for line in lines] == [12, 13]
    assert abs(lines[1]["steps"] - lines[0]["steps"] - 750) < 13  # up to a second waits
    for line in lines:
        assert line["live_rtf"] > 0
        assert line["pass_ms"] > 0
        assert line["processor_s"] > 0
        assert line["memory_mb"] > 5
        assert 1 <= line["steps_per_pass"] < 8
    text = engine.run("--bench", "--minutes", "1").text
    line = (
        r" +1 minutes: .* of real time, .* s of processors, .* ms a pass, \d+ steps in all, .* MB\n"
    )
    assert re.fullmatch(line, text)


def test_text(engine: Engine) -> None:
    result = engine.run("--bench", "--replay", "speech")
    assert result.code == 0
    assert "tokens replayed: 51 % pads, 16 % word marks, 32 % text" in result.text
    assert "only the\ndecoder's choice is replaced" in result.text


def test_bad_use(engine: Engine, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_text("PWX")
    for args, why in (
        (("--bench", "--replay", str(odd)), "neither token numbers"),
        (("--bench", "--replay", str(tmp_path / "none")), "cannot be read"),
        (("--stdin", "--json"), "goes with --bench or --selftest"),
        (("--stdin", "--minutes", "1"), "go with --bench"),
        (("--bench", "--minutes", "0"), "from 1 to 80"),
        (("--bench", "--heard", "3"), "goes with --minutes"),
        (("--bench", "--type", "q8_0"), "it is --precision"),
    ):
        result = engine.run(*args)
        assert result.code == 2
        assert why in result.err
    result = engine.bare("--bench", "--type", "q3")
    assert result.code == 2
    assert "--type is f32" in result.err
