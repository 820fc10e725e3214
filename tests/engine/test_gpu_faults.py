"""A GPU that fails: a made-up Vulkan passes everything on to the software one until a file appears.

Whatever happens the engine says why in one sentence, writes a report, and the words are those that
would have been written.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.driver import ROOT, TINY, Clip, Engine, Result, audio, frame

ADAPTER = "gpu:llvmpipe"

Words = list[tuple[int, int, str]]
"""Of each token with text: its number, its id, the text."""


def _real_vulkan() -> str:
    """The path of the library that the loader finds."""
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        return ""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return next((line.split()[-1] for line in lines if "/libvulkan.so.1" in line), "")


@dataclass(frozen=True)
class Faulty:
    """The engine over the made-up library."""

    engine: Engine
    environment: dict[str, str]
    cache: Path
    trigger: Path

    def fail_with(self, what: str, **more: str) -> dict[str, str]:
        return self.environment | {"FAKE_VULKAN": f"{what}@{self.trigger}"} | more

    def run(self, clip: Clip, what: str, backend: str, **more: str) -> Result:
        """With what fails from the beginning."""
        self.trigger.touch()
        arguments = ("-d", str(TINY), "-i", str(clip.path), "--cache", str(self.cache))
        return self.engine.bare(
            *arguments, "--backend", backend, "--events", environment=self.fail_with(what, **more)
        )

    def verdicts(self) -> list[str]:
        """Of all self-tests so far: "passed", "wrong"."""
        return sorted(
            path.suffix[1:] for path in self.cache.glob("gpu-*.*") if path.suffix != ".txt"
        )


@pytest.fixture(scope="module")
def passed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """The made-up library, and a cache in which the software has passed its self-test."""
    real, compiler = _real_vulkan(), shutil.which("cc") or shutil.which("gcc")
    if not real or not compiler:
        pytest.skip("there is no Vulkan or no C compiler here")
    folder = tmp_path_factory.mktemp("vulkan")
    source = ROOT / "voxtral_c" / "tests" / "fake_vulkan.c"
    # It stays when a GPU is closed, or the next one would find the real one by its name.
    flags = ("-shared", "-fPIC", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wl,-z,nodelete")
    library = str(folder / "libvulkan.so.1")
    subprocess.run([compiler, *flags, "-o", library, str(source), "-ldl"], check=True)
    faulty = Faulty(
        engine,
        {"LD_LIBRARY_PATH": str(folder), "REAL_VULKAN": real, "RUST_BACKTRACE": "0"},
        folder / "cache",
        folder / "now",
    )
    arguments = ("-d", str(TINY), "--framed", "--cache", str(faulty.cache), "--backend", ADAPTER)
    started = engine.bare(*arguments, environment=faulty.environment)
    if started.code:
        pytest.skip(started.err.strip().splitlines()[-1])
    return faulty


@pytest.fixture(scope="module")
def spoken(engine: Engine, clip: Clip) -> Words:
    """What is written of the clip without a GPU."""
    return words(engine.run("-i", clip.path, "--backend", "cpu", "--events"))


@pytest.fixture(scope="module")
def twice(engine: Engine, clip: Clip) -> Words:
    """And of the clip said twice."""
    sound = audio(clip.pcm * 2) + frame("F")
    return words(engine.run("--framed", "--events", "--backend", "cpu", stdin=sound))


@pytest.fixture
def faulty(passed: Faulty, tmp_path: Path) -> Faulty:
    """The same with a cache and a trigger of its own."""
    shutil.copytree(passed.cache, tmp_path / "cache")
    return Faulty(passed.engine, passed.environment, tmp_path / "cache", tmp_path / "now")


def fail_in_the_middle(faulty: Faulty, clip: Clip, what: str, **more: str) -> Result:
    """The clip is said twice; something is written when it happens."""
    running = faulty.engine.start(
        *("--framed", "--events", "-I", "0.5", "--cache", str(faulty.cache)),
        *("--backend", ADAPTER),
        environment=faulty.fail_with(what, **more),
    )
    running.write(audio(clip.pcm))
    running.wait_for(lambda r: b'"token"' in r.received)
    faulty.trigger.touch()
    with contextlib.suppress(BrokenPipeError):
        running.write(audio(clip.pcm) + frame("F"))
        running.end_input()
    return running.finish()


def words(result: Result) -> Words:
    """What was written, and when."""
    return [(t["index"], t["id"], t["text"]) for t in result.of_type("token")]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("lost", "was lost"),
        ("wait", "was lost"),
        ("hang", "did not answer within 3 s"),
        ("memory", "memory"),  # its caches have to grow after some seconds
    ],
)
def test_in_the_middle_of_a_sentence(
    faulty: Faulty, clip: Clip, what: str, why: str, twice: Words
) -> None:
    result = fail_in_the_middle(faulty, clip, what, VOXTRAL_GPU_DEADLINE="3")
    assert (result.code, words(result)) == (0, twice)
    assert result.of_type("ready")[0]["backend"] == "gpu"
    (warning,) = result.of_type("warning")
    assert warning["code"] == "gpu"
    assert why in warning["message"]
    assert "no words are lost" in warning["message"]
    report = (faulty.cache / "gpu-report.txt").read_text()
    assert report.startswith("GPU: llvmpipe")
    assert why in report


def test_a_crash_is_not_repeated(faulty: Faulty, clip: Clip, spoken: Words) -> None:
    """The engine ends; the one that is started in its place works without the GPU and says why."""
    crashed = fail_in_the_middle(faulty, clip, "crash")
    assert crashed.code == -signal.SIGSEGV
    again = faulty.run(clip, "crash", ADAPTER)
    assert (again.code, words(again)) == (0, spoken)
    assert again.of_type("ready")[0]["backend"] == "cpu"
    (warning,) = again.of_type("warning")
    assert "crashed" in warning["message"]
    later = faulty.run(clip, "crash", "auto")
    assert (later.code, words(later)) == (0, spoken)
    assert later.of_type("warning") == []


@pytest.mark.parametrize("what", ["lost", "memory"])
def test_when_the_model_is_brought(faulty: Faulty, clip: Clip, what: str) -> None:
    result = faulty.run(clip, what, ADAPTER)
    assert result.code == 2
    assert "llvmpipe" in result.of_type("error")[0]["message"]


def test_a_card_is_used_without_being_asked_for(faulty: Faulty, clip: Clip, spoken: Words) -> None:
    """Where a real GPU is found; software that says it were one."""
    for _ in range(2):
        result = faulty.run(clip, "nothing", "auto", FAKE_REAL="1", VOXTRAL_GPU_DEADLINE="60")
        assert (result.code, words(result)) == (0, spoken)
        assert result.of_type("ready")[0]["backend"] == "gpu"
        assert result.of_type("warning") == []
    assert (faulty.cache / "gpu-scout.txt").read_text().split()[1] == "g"


@pytest.mark.parametrize(
    ("what", "after", "why"),
    [
        ("lost", 10, "was lost"),
        ("wait", 60, "was lost"),
        ("hang", 10, "did not answer within 3 s"),
        ("memory", 60, ""),  # too small for this model: nothing is broken
    ],
)
def test_a_card_that_fails_while_the_model_is_brought(
    faulty: Faulty, clip: Clip, spoken: Words, what: str, after: int, why: str
) -> None:
    """Some weights are there already; nobody asked for the card, and the processor does it."""
    more = {"FAKE_REAL": "1", "FAKE_AFTER": str(after), "VOXTRAL_GPU_DEADLINE": "3"}
    result = faulty.run(clip, what, "auto", **more)
    assert (result.code, words(result)) == (0, spoken)
    assert result.of_type("ready")[0]["backend"] == "cpu"
    warnings = [warning["message"] for warning in result.of_type("warning")]
    assert len(warnings) == (1 if why else 0)
    assert all(why in warning for warning in warnings)


def test_subgroups_that_compute_wrongly(
    passed: Faulty, clip: Clip, spoken: Words, tmp_path: Path
) -> None:
    """Then it is done without them, and next time at once."""
    untested = Faulty(passed.engine, passed.environment, tmp_path / "cache", tmp_path / "now")
    for _ in range(2):
        result = untested.run(clip, "mixed", ADAPTER)
        assert (result.code, words(result)) == (0, spoken)
        assert result.of_type("ready")[0]["backend"] == "gpu"
        assert untested.verdicts() == ["passed", "wrong"]
    report = (untested.cache / "gpu-report.txt").read_text()
    assert "subgroups: yes" in report
    told = untested.engine.bare(
        "--selftest", "--json", environment=untested.fail_with("mixed")
    ).of_type("selftest")[0]
    assert (told["passed"], told["subgroups"], told["failed"]) == (True, False, 0)
    assert told["wrong_with_subgroups"] > 0


def test_wrong_results(passed: Faulty, clip: Clip, tmp_path: Path) -> None:
    untested = Faulty(passed.engine, passed.environment, tmp_path / "cache", tmp_path / "now")
    result = untested.run(clip, "wrong", ADAPTER)
    message = result.of_type("error")[0]["message"]
    assert result.code == 2
    assert "computes wrongly" in message
    assert str(untested.cache / "gpu-report.txt") in message
    assert "norm: error" in (untested.cache / "gpu-report.txt").read_text()


def test_a_driver_that_crashes_at_once(faulty: Faulty, clip: Clip, spoken: Words) -> None:
    """It is tried in another process; its fault is told the first time."""
    for warnings in (1, 0):
        result = faulty.run(clip, "start", "auto")
        assert (result.code, words(result)) == (0, spoken)
        assert [w["code"] for w in result.of_type("warning")] == ["gpu"] * warnings
    assert "crashed" in (faulty.cache / "gpu-scout.txt").read_text()
    selftest = faulty.engine.bare("--selftest", environment=faulty.fail_with("start"))
    assert selftest.code < 0


def test_a_driver_that_never_answers(faulty: Faulty, clip: Clip, spoken: Words) -> None:
    """Who waits for it is another process, which is ended; and nobody waits again."""
    for warnings in (1, 0):
        result = faulty.run(clip, "mute", "auto", VOXTRAL_GPU_DEADLINE="3")
        assert (result.code, words(result)) == (0, spoken)
        told = [w["message"] for w in result.of_type("warning")]
        assert len(told) == warnings
        assert all("did not answer within 3 s" in message for message in told)


def test_gone_since_the_last_time(faulty: Faulty, clip: Clip, spoken: Words) -> None:
    result = faulty.run(clip, "gone", "auto")
    assert (result.code, words(result)) == (0, spoken)
    assert result.of_type("warning") == []
    named = faulty.run(clip, "gone", ADAPTER)
    assert named.code == 2
    assert "No GPU" in named.of_type("error")[0]["message"]


def test_nothing_of_it_is_loaded_again(faulty: Faulty, clip: Clip) -> None:
    """That there is only software is remembered: the second start is as small as without."""
    arguments = ("-d", str(TINY), "-i", str(clip.path), "--cache", str(faulty.cache), "--silent")
    sizes = {}
    for backend in ("cpu", "auto", "auto"):
        process = subprocess.Popen(
            [*faulty.engine.command, *arguments, "--backend", backend],
            stdout=subprocess.DEVNULL,
            env=os.environ | faulty.environment,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        sizes[backend] = used.ru_maxrss
    assert sizes["auto"] < sizes["cpu"] + 5000
