"""The command line: help, and sentences about what is wrong with it."""

from __future__ import annotations

import re

import pytest

from tests.engine.driver import Engine, one_sentence


def test_help(engine: Engine) -> None:
    result = engine.bare("--help")
    assert (result.code, result.err) == (0, "")
    assert max(len(line) for line in result.text.splitlines()) <= 80
    options = (
        "-d -i --stdin --from-mic -I --low-latency -o --alt --delay --monitor --silent --debug "
        "--events --framed --tokens --threads --precision --kernels --backend --device "
        "--no-rut-guard --no-draft --bench --type --replay --minutes --heard --json --cache "
        "--quantize --force --selftest --list-devices --version --help"
    )
    for option in options.split():
        assert re.search(rf"(^|\s){option}\b", result.text), option
    assert engine.bare("-h").text == result.text


def test_version(engine: Engine) -> None:
    result = engine.bare("--version")
    assert re.fullmatch(r"voxtral \d+\.\d+\.\d+\S*\n", result.text)


def test_no_arguments(engine: Engine) -> None:
    result = engine.bare()
    assert (result.code, result.out) == (2, b"")
    assert "--help" in result.err


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--nonsense"], "--nonsense"),
        (["-x"], "-x"),
        (["sound.wav"], "sound.wav"),
        (["-d"], "-d"),
        (["-d", "x"], "input"),
        (["-i", "x"], "-d"),
        (["-d", "x", "-i", "y", "--stdin"], "--stdin"),
        (["-d", "x", "--framed", "--from-mic"], "--from-mic"),
        (["-d", "x", "--stdin", "--events", "--tokens"], "--tokens"),
        (["-d", "x", "--stdin", "--device", "y"], "--device"),
        (["-d", "x", "--stdin", "--silent=1"], "--silent"),
        (["-d", "x", "--quantize", "y"], "--type"),
        (["-d", "x", "--quantize", "y", "--type", "q8_0", "--stdin"], "--quantize"),
        (["--quantize", "y", "--type", "q8_0"], "-d"),
        (["-d", "x", "--stdin", "--force"], "--force"),
        *[
            (["-d", "x", "--stdin", option, value], option)
            for option, values in {
                "-I": ["0", "-1", "x", "nan", "inf", "1e9", ""],
                "--alt": ["-0.1", "1.1", "x", "nan"],
                "--delay": ["0", "79", "100", "1280", "2401", "x", "480.0", "99999999999"],
                "--threads": ["-1", "257", "x", "1.5"],
                "--precision": ["q4_0", "Q8_0", ""],
                "--type": ["auto", "q4_0", ""],
                "--backend": ["cuda", "gpu:"],
            }.items()
            for value in values
        ],
    ],
)
def test_wrong_use(engine: Engine, args: list[str], named: str) -> None:
    result = engine.bare(*args)
    assert (result.code, result.out) == (2, b"")
    assert one_sentence(result.err)
    assert named in result.err
    assert "--help" in result.err


def test_unknown_kernels(engine: Engine) -> None:
    result = engine.run("--stdin", "--kernels", "sse9", "--silent")
    assert result.code == 2
    assert one_sentence(result.err)


def test_low_latency_is_half_of_the_interval(engine: Engine) -> None:
    for asked, used in (((), 1.0), (("-I", "0.5"), 0.25), (("-I", "0.1"), 0.08)):
        ready = engine.run("--stdin", "--events", "--low-latency", *asked).events[0]
        assert ready["interval"] == used


def test_values_after_an_equals_sign(engine: Engine) -> None:
    result = engine.run("--stdin", "--delay=240", "--threads=1", "--events", stdin=b"")
    assert (result.events[0]["delay_ms"], result.events[0]["threads"]) == (240, 1)
