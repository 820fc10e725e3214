"""`voxtui model`, with a hub on this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub, Line
from tests.unit.models.conftest import FILES, MODEL, WEIGHTS, safetensors
from voxtui import paths, settingsfile
from voxtui.cli import model as module
from voxtui.cli.main import run_command
from voxtui.models.download import Download

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("voxtui.models.estimate.memory_bandwidth", lambda threads: 20e9)

    def call(*args: str) -> tuple[int, str, str]:
        code = run_command(["model", *args])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.fixture
def fetched(hub: FakeHub) -> Path:
    return Download(MODEL).run()


def chosen() -> str:
    return settingsfile.load(paths.config_file())[0].engine.model


# ---- download


def test_download(run: Run, hub: FakeHub, home: Path) -> None:
    code, out, err = run("download", "small")
    assert (code, out) == (0, f"{home / MODEL.name}\n")
    assert "100 %" not in err  # no bar where there is no terminal
    assert "whole and installed" in err
    assert (home / MODEL.name / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_without_a_name_what_fits_is_taken(run: Run, hub: FakeHub, home: Path) -> None:
    assert run("download")[0] == 0
    assert (home / MODEL.name).is_dir()


def test_what_is_there_is_not_fetched_again(run: Run, hub: FakeHub, fetched: Path) -> None:
    sent = hub.sent
    code, _, err = run("download", MODEL.name)
    assert code == 0
    assert "already" in err
    assert hub.sent == sent


def test_a_fault_is_a_sentence_and_a_code(run: Run, hub: FakeHub) -> None:
    hub.line.page_for_all = True
    code, out, err = run("download", "small")
    assert (code, out) == (1, "")
    assert "web page" in err
    assert "Traceback" not in err


def test_ctrl_c_keeps_the_part(
    run: Run, hub: FakeHub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Download) -> Path:
        hub.line = Line(cuts=[999_999, 999_999, 60_000])

        def wait(seconds: float, why: str) -> None:
            raise KeyboardInterrupt

        self._wait = wait  # type: ignore[method-assign]
        return Download.run(self)

    class Interrupted(Download):
        run = interrupted

    with monkeypatch.context() as patch:
        patch.setattr(module, "Download", Interrupted)
        code, out, err = run("download", "small")
    assert (code, out) == (130, "")
    assert "goes on from there" in err
    assert "60 KB loaded" in run("list")[1]
    assert run("download", "small")[0] == 0


def test_a_model_too_large_for_the_memory_is_named(
    run: Run, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxtui.models.estimate.fits", lambda model, machine: False)
    code, _, err = run("download", "small")
    assert code == 0
    assert "slow" in err


def test_an_unknown_name(run: Run) -> None:
    code, _, err = run("download", "nonsense")
    assert code == 2
    assert "there are small, tiny" in err


# ---- list, path, use


def test_list(run: Run, fetched: Path) -> None:
    code, out, _ = run("list")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("* small")  # auto takes it
    assert "in use" in lines[0]
    assert "real time" in lines[0]
    assert "built in" in lines[1]
    assert run() == (0, out, "")


def test_list_for_programs(run: Run, fetched: Path) -> None:
    small, tiny = json.loads(run("list", "--json")[1])
    assert small["installed"]
    assert small["in_use"]
    assert small["path"] == str(fetched)
    assert small["recommended"]
    assert small["expected_times_real_time"] > 0
    assert tiny["builtin"]
    assert tiny["expected_times_real_time"] is None


def test_models_of_other_origin_are_listed(run: Run, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "mine-Q8_0.gguf").write_bytes(bytes(5_000_000))
    assert any("mine-Q8_0" in line and "5 MB" in line for line in run("list")[1].splitlines())


def test_path(run: Run, fetched: Path, home: Path) -> None:
    assert run("path")[1] == f"{home}\n"
    assert run("path", "small")[1] == f"{fetched}\n"
    assert run("path", "tiny")[1].endswith("tiny\n")


def test_path_of_what_is_not_installed(run: Run) -> None:
    code, _, err = run("path", "small")
    assert code == 2
    assert "voxtui model download small" in err


def test_use(run: Run, fetched: Path, tmp_path: Path) -> None:
    assert run("use", "tiny")[0] == 0
    assert chosen() == "tiny"
    assert run("use", "small")[0] == 0
    assert chosen() == MODEL.name
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name, data in FILES.items():
        (elsewhere / name).write_bytes(data)
    assert run("use", str(elsewhere))[0] == 0
    assert chosen() == str(elsewhere)
    assert run("use", "nonsense")[0] == 2
    assert run("use", "auto")[0] == 0
    assert chosen() == "auto"


# ---- verify


def test_verify(run: Run, fetched: Path) -> None:
    code, out, _ = run("verify", "small")
    assert code == 0
    assert out.splitlines() == [
        "params.json: whole",
        "tekken.json: whole",
        "consolidated.safetensors: whole",
    ]
    assert run("verify")[:2] == (0, out)  # it is the one in use


def test_a_changed_byte_is_found(run: Run, fetched: Path) -> None:
    with (fetched / WEIGHTS).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    code, out, err = run("verify", "small")
    assert code == 1
    assert "not those that were published" in out
    assert "model remove" in err


def test_a_model_copied_by_hand_is_checked_against_the_hub(run: Run, fetched: Path) -> None:
    (fetched / "source.json").unlink()
    assert run("verify", "small")[1].count(": whole") == 3
    assert run("verify", "small", "--offline")[1].count("no hash is known") == 3
    (fetched / WEIGHTS).write_bytes(safetensors(100_000)[:-1])
    code, out, _ = run("verify", "small", "--offline")
    assert code == 1
    assert "1 bytes are missing" in out


# ---- remove


def test_remove(run: Run, fetched: Path, home: Path) -> None:
    assert run("remove", "small", "--yes")[0] == 0
    assert not fetched.exists()
    assert home.is_dir()
    assert run("remove", "small", "--yes")[0] == 1


def test_remove_asks(run: Run, fetched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "n")
    assert run("remove", "small")[0] == 130
    assert fetched.exists()
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: "y")
    assert run("remove", "small")[0] == 0
    assert not fetched.exists()


def test_remove_only_unlinks_a_link(run: Run, fetched: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    fetched.rename(elsewhere)
    fetched.symlink_to(elsewhere)
    assert run("remove", "small", "--yes")[0] == 0
    assert not fetched.is_symlink()
    assert (elsewhere / WEIGHTS).exists()


def test_remove_leaves_what_lies_beside(run: Run, home: Path) -> None:
    folder = home / "several"
    folder.mkdir(parents=True)
    for name in ("one.gguf", "two.gguf"):
        (folder / name).write_bytes(bytes(9))
    assert run("remove", "one", "--yes")[0] == 0
    assert [path.name for path in folder.iterdir()] == ["two.gguf"]
    assert run("remove", "two", "--yes")[0] == 0
    assert not folder.exists()


def test_the_small_model_stays(run: Run) -> None:
    code, _, err = run("remove", "tiny", "--yes")
    assert code == 1
    assert "stays" in err
    assert (paths.builtin_model_dir() / WEIGHTS).exists()


def test_remove_an_unfinished_download(run: Run, hub: FakeHub, home: Path) -> None:
    hub.line.hashes = {WEIGHTS: "0" * 64}
    assert run("download", "small")[0] == 1
    assert run("remove", "small", "--yes")[0] == 0
    assert not (home / ".partial" / MODEL.name).exists()


# ---- convert

QUANTISER = """
import pathlib, sys
args = sys.argv[1:]
out = pathlib.Path(args[args.index("--quantize") + 1])
if {fails}:
    sys.exit("voxtral: there is not enough memory.")
for share in (0, 50, 100):
    print(f"quantizing {{share}} %", end="\\r", file=sys.stderr)
out.write_bytes(" ".join(args).encode())
print(f"{{out}}: 1.00 GB", file=sys.stderr)
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    def make(fails: bool) -> None:
        script = tmp_path / "engine"
        code = tmp_path / "engine.py"
        code.write_text(QUANTISER.format(fails=fails))
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{code}" "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("VOXTUI_ENGINE", str(script))

    return make


def test_convert(run: Run, engine: Callable[[bool], None], fetched: Path, home: Path) -> None:
    engine(False)
    code, out, err = run("convert", "small", "--type", "q8_0")
    made = home / "Small-Model-Q8_0"
    assert (code, out) == (0, f"{made}\n")
    asked = (made / "Small-Model-Q8_0.gguf").read_text()
    assert asked.startswith(f"-d {fetched} --quantize ")
    assert asked.endswith("--type q8_0")
    assert "quantizing 100 %" in err
    assert ".partial" not in err, "where it lay while it was made"
    assert "Small-Model-Q8_0" in run("list")[1]
    assert run("convert", "small", "--type", "q8_0")[0] == 1
    (made / "Small-Model-Q8_0.gguf").write_bytes(b"x")
    assert run("verify", "Small-Model-Q8_0")[0] == 1


def test_an_argument_too_many(run: Run) -> None:
    code, _, err = run("convert", "small", "q8_0")
    assert code == 2
    assert err.endswith("(q8_0). See voxtui model convert --help.\n")


def test_a_conversion_that_fails_leaves_nothing(
    run: Run, engine: Callable[[bool], None], fetched: Path, home: Path
) -> None:
    engine(True)
    code, _, err = run("convert", "small")
    assert code == 1
    assert "could not be converted: there is not enough memory." in err
    assert not list(home.glob("*Q4*"))
    assert not list((home / ".partial").glob("*Q4*"))
