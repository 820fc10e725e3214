"""Plain output: the habits of voxtral.c."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.engine.driver import Clip, Engine, audio, frame, silence, wav


def test_words_of_every_clip(engine: Engine, clips: list[Clip]) -> None:
    for clip in clips:
        result = engine.run("-i", clip.path)
        assert result.text == clip.text + "\n", clip.path.name
        assert result.code == 0


def test_summary(engine: Engine, clip: Clip) -> None:
    err = engine.run("-i", clip.path).err
    assert re.search(r"^Encoder: \d+ mel -> \d+ tokens \(\d+ ms\)$", err, re.MULTILINE)
    assert re.search(
        r"^Decoder: \d+ text tokens \(\d+ steps\) in \d+ ms \(prefill \d+ ms \+ \d+\.\d ms/step\)$",
        err,
        re.MULTILINE,
    )
    steps = re.search(r"\((\d+) steps\)", err)
    assert steps is not None
    assert int(steps[1]) == len(clip.ids[480])
    passes = re.search(r"^Passes: (\d+) \(\d+\.\d\d steps in each\)$", err, re.MULTILINE)
    assert passes is not None
    assert 0 < int(passes[1]) < int(steps[1])


def test_silent(engine: Engine, clip: Clip) -> None:
    result = engine.run("-i", clip.path, "--silent")
    assert (result.text, result.err) == (clip.text + "\n", "")


def test_debug_says_more(engine: Engine, clip: Clip) -> None:
    result = engine.run("-i", clip.path, "--debug")
    assert "kernels" in result.err
    assert result.text == clip.text + "\n"


def test_monitor_symbols(engine: Engine, clip: Clip) -> None:
    result = engine.run("-i", clip.path, "--monitor", "--silent")
    assert result.text == clip.text + "\n"
    assert "▶" in result.err
    assert "·" in result.err
    assert re.search("[▪▸]", result.err)
    assert set(result.err) <= set("▶⌛·▪▸▫▹◦\n")


def test_no_words(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    path.write_bytes(wav(silence(1)))
    assert engine.run("-i", path, "--silent").text == "\n"
    path.write_bytes(wav(b""))
    assert engine.run("-i", path, "--silent").text == "\n"


def test_alternatives(engine: Engine, clip: Clip) -> None:
    def best(text: str) -> str:
        return re.sub(r"\[([^|\]]*)\|[^\]]*\]", r"\1", text)

    none = engine.run("-i", clip.path, "--silent", "--alt", "0.0").text
    every = engine.run("-i", clip.path, "--silent", "--alt", "1").text
    assert none == clip.text + "\n"
    assert best(every) == clip.text + "\n"
    found = re.findall(r"\[([^\]]*)\]", every)
    assert len(found) >= len(clip.text.split())
    assert all(2 <= len(group.split("|")) <= 3 for group in found)


def test_output_file(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("what was there before, and is longer than the new text" * 9)
    result = engine.run("-i", clip.path, "-o", path)
    assert result.out == b""
    assert path.read_text() == clip.text + "\n"


def test_output_file_is_left_alone_when_nothing_can_be_written(
    engine: Engine, clip: Clip, tmp_path: Path
) -> None:
    path = tmp_path / "out.txt"
    path.write_text("keep")
    assert engine.run("-i", clip.path, "-o", path, model=tmp_path / "nothing").code == 2
    assert engine.run("-i", tmp_path / "no.wav", "-o", path).code == 2
    assert path.read_text() == "keep"
    assert engine.run("-i", clip.path, "-o", tmp_path).code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("kind", [(), ("--events",), ("--tokens",)])
def test_full_disk(engine: Engine, clip: Clip, kind: tuple[str, ...]) -> None:
    result = engine.run("-i", clip.path, "-o", "/dev/full", "--silent", *kind)
    assert result.code == 1
    assert "No space left" in result.err


@pytest.mark.parametrize("kind", [(), ("--events",), ("--tokens",)])
def test_closed_output_ends_quietly(engine: Engine, clip: Clip, kind: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [*engine.command, "-d", str(engine.model), "-i", str(clip.path), "--silent", *kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_frames_give_a_line_per_utterance(engine: Engine, clip: Clip) -> None:
    said = audio(clip.pcm) + frame("F")
    result = engine.run("--framed", "--silent", stdin=said * 2 + frame("F") + audio(clip.pcm))
    assert result.text == (clip.text + "\n") * 3
