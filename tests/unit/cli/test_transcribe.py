"""`voxtui transcribe` from the file to the words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import PATIENCE_S, Result, speech, start
from voxtui.cli.common import WrongInput
from voxtui.cli.transcribe import output_format, plan
from voxtui.session.errors import SessionError
from voxtui.session.session import Session

Run = Callable[..., Result]
Clip = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("engine")


def test_text_on_standard_output(run: Run, clip: Clip, home: Path) -> None:
    result = run("transcribe", "--model", "tiny", clip("a.wav", 1, 2, 3))
    assert result == Result(0, "w1 w2 w3\n", "")
    assert not (home / "data").exists()  # no session is kept


def test_the_small_model_is_named_once(run: Run, clip: Clip) -> None:
    result = run("transcribe", clip("a.wav", 1), clip("b.wav", 2))
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert "voxtui model download" in result.err
    assert run("transcribe", "--quiet", clip("a.wav", 1)).err == ""


def test_several_files_have_heads(run: Run, clip: Clip) -> None:
    a, b = clip("a.wav", 1), clip("b.wav", 2, 3)
    result = run("transcribe", "--model", "tiny", a, b)
    assert result.out == f"==> {a} <==\nw1\n\n==> {b} <==\nw2 w3\n"


def test_other_formats(run: Run, clip: Clip) -> None:
    file = clip("a.wav", 1, 2)
    srt = run("transcribe", "-q", "--format", "srt", file).out
    assert srt.startswith("1\n00:00:00,")
    assert srt.endswith("\nw1 w2\n\n")
    assert run("transcribe", "-q", "--format", "vtt", file).out.startswith("WEBVTT\n")
    assert "**0:00** w1 w2\n" in run("transcribe", "-q", "--format", "md", file).out
    value = json.loads(run("transcribe", "-q", "--format", "json", file).out)
    assert value["segments"][0]["text"] == "w1 w2"
    assert value["session"]["source"] == str(file)
    several = run("transcribe", "-q", "--format", "json", file, clip("b.wav", 3)).out
    assert [item["segments"][0]["text"] for item in json.loads(several)] == ["w1 w2", "w3"]


def test_into_a_file(run: Run, clip: Clip, tmp_path: Path) -> None:
    result = run("transcribe", "-q", "-o", tmp_path / "out.vtt", clip("a.wav", 1))
    assert result == Result(0, "", "")
    assert (tmp_path / "out.vtt").read_text().startswith("WEBVTT\n")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.wav", "engine", "home", "out.vtt"]


def test_into_a_folder(run: Run, clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    files = clip("a.wav", 1), clip("x/a.wav", 2), clip("b.wav", 3)
    result = run("transcribe", "-q", "-o", tmp_path / "out", "--format", "txt", *files)
    assert result == Result(0, "", "")
    texts = {f.name: f.read_text() for f in (tmp_path / "out").iterdir()}
    assert texts == {"a.wav.txt": "w1\n", "a.wav-2.txt": "w2\n", "b.txt": "w3\n"}


def test_a_bad_file_is_named_and_the_others_are_done(run: Run, clip: Clip, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.mp3"
    garbage.write_bytes(os.urandom(5000))
    good = clip("a.wav", 1)
    result = run("transcribe", "-q", "nowhere.wav", garbage, good, tmp_path)
    assert result.code == 2
    assert result.out.endswith("w1\n")
    errors = result.err.splitlines()
    assert errors[0] == "voxtui: There is no file nowhere.wav."
    assert errors[1] == f"voxtui: {tmp_path} is a folder: name a file."
    assert "garbage.mp3" in errors[2]
    assert len(errors) == 3
    again = run("transcribe", "-q", good, garbage, good)
    assert again.code == 2
    assert again.out.count("w1\n") == 2


def test_a_file_that_ends_early_gives_its_words_and_2(run: Run, clip: Clip) -> None:
    file = clip("a.wav", *range(1, 21))
    os.truncate(file, 44 + 16000 * 4)
    result = run("transcribe", "-q", file)
    assert result.code == 2
    assert result.out == "w1 w2 w3 w4\n"
    assert "ends early" in result.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("to_file", [False, True])
@pytest.mark.parametrize("command", [("transcribe",), ("listen", "--no-save", "--input")])
def test_an_output_that_is_full_is_named(
    clip: Clip, command: tuple[str, ...], to_file: bool, tmp_path: Path
) -> None:
    if to_file and command[0] == "transcribe":
        pytest.skip("writes files whole, beside their place")
    link = tmp_path / "words.txt"
    link.symlink_to("/dev/full")
    with link.open("w") as full:
        target = ("-o", str(link)) if to_file else ()
        program = start(*command, str(clip("a.wav", 1, 2)), "-q", *target, stdout=full)
        err = program.communicate(timeout=PATIENCE_S)[1].decode()
    assert program.returncode == 1
    assert "cannot be written: No space left" in err
    assert ("words.txt" if to_file else "Standard output") in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [("transcribe",), ("listen", "--no-save", "--input")])
def test_a_full_disk_gives_the_words_so_far_and_1(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    append = Session.append_audio

    def full(self: Session, pcm: bytes) -> int:
        total = append(self, pcm)
        if total >= 16000 * 4:
            raise SessionError("The disk is full.")
        return total

    monkeypatch.setattr(Session, "append_audio", full)
    result = run(*command, clip("a.wav", *range(1, 21)))
    assert result.code == 1
    assert result.err.count("The disk is full.") == 1
    assert result.out.startswith("w1")


def test_standard_input(clip: Clip) -> None:
    with start("transcribe", "-q", "-", stdin=subprocess.PIPE) as process:
        out, err = process.communicate(speech(4, 5), timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, b"w4 w5\n", b"")


def test_words_come_while_there_is_more_to_hear(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SPEED", "0.1")
    file = clip("a.wav", *range(1, 101))
    with start("transcribe", "-q", str(file)) as process:
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 2) in (b"w", b"w1")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"w100" not in out


def test_what_the_engine_does_first_is_told_now_and_then(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "prepare")  # five steps in 1.25 s
    result = run("transcribe", str(clip("a.wav", 1, 2)))
    assert result.out == "w1 w2\n"
    assert result.err.count("Preparing, once: 20 %") == 1
    assert result.err.count("Preparing") < 5


def test_a_closed_pipe_is_quiet(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SPEED", "0.02")
    with start("transcribe", "-q", str(clip("a.wav", *range(1, 100)))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_S) == 0


def test_an_engine_that_dies_loses_no_word(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_MODE", "crash")
    monkeypatch.setenv("FAKE_CRASH_AT", "2")
    monkeypatch.setenv("FAKE_TIMES", "1")
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    result = run("transcribe", "-q", clip("a.wav", *range(1, 30)))
    assert result.code == 0
    assert result.out.split() == [f"w{n}" for n in range(1, 30)]


def test_an_engine_that_cannot_use_the_model(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "exit2")
    began = time.monotonic()
    result = run("transcribe", "-q", clip("a.wav", 1))
    assert result.code == 1
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert time.monotonic() - began < PATIENCE_S


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--model", "nosuch"], "There is no model 'nosuch'"),
        (["-o", "/no/such/folder/x.txt"], "There is no folder"),
        (["--format", "srt", "b.wav"], "need a folder"),
        (["-o", "a.wav"], "one of the inputs"),
        (["--format", "doc"], "not one of"),
        (["--threads", "-1"], "Invalid value"),
    ],
)
def test_wrong_use(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch, args: list[str], sentence: str
) -> None:
    monkeypatch.chdir(clip("a.wav", 1).parent)
    result = run("transcribe", "a.wav", *args)
    assert result.code == 2
    assert sentence in result.err
    assert result.err.count("\n") == 1


def test_a_missing_engine_says_what_to_do(
    run: Run, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOXTUI_ENGINE", "/no/such/engine")
    result = run("transcribe", clip("a.wav", 1))
    assert result.code == 2
    assert "VOXTUI_ENGINE" in result.err


def test_formats_of_outputs() -> None:
    assert output_format(None, None) == "txt"
    assert output_format(None, Path("a.SRT")) == "srt"
    assert output_format(None, Path("a.doc")) == "txt"
    assert output_format("json", Path("a.srt")) == "json"


def test_plans(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="only once"):
        plan(("-", "-"), "txt", None)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(WrongInput, match="need a folder"):
        plan(("a", "b"), "txt", file)
    with pytest.raises(WrongInput, match="Cannot make the folder"):
        plan(("a", "b"), "txt", file / "x")
    (job,) = plan(("-",), "md", tmp_path)
    assert job.target == tmp_path / "stdin.md"
