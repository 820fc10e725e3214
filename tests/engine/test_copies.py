"""Copies of models in the cache: made once, found again, and nothing of them left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.driver import ROOT, TINY, Clip, Engine, Result, one_sentence
from voxtui import paths
from voxtui.models import store

RANDOM = ROOT / "tests" / "data" / "tiny_random"


def quantise(engine: Engine, out: Path, kind: str = "q4_k_m", model: Path = TINY) -> Path:
    """A quantised file, large by nothing but zeros behind the weights."""
    result = engine.run("--quantize", out, "--type", kind, "--silent", model=model)
    assert (result.code, result.err) == (0, "")
    os.truncate(out, 100_000_000)
    return out


@pytest.fixture(scope="module")
def engine(engine: Engine) -> Engine:
    """On the processor, or what is remembered of GPUs would lie in the cache, too."""
    return replace(engine, command=(*engine.command, "--backend", "cpu"))


@pytest.fixture(scope="module")
def large_file(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantise(engine, tmp_path_factory.mktemp("large") / "large.gguf")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_quantised_once(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    """The first use makes the file and says how far it is; the next ones use it."""
    args = ("-i", clip.path, "--precision", "q4_k_m", "--cache", tmp_path / "cache")
    first = engine.run(*args, "--events", model=TINY)
    assert first.code == 0, first.err
    done = [event["done"] for event in first.events if event["type"] == "progress"]
    assert done
    assert done == sorted(done)
    assert first.events[len(done)]["type"] == "ready"
    assert first.events[len(done)]["precision"] == "q4_k_m"
    assert "100 %" in first.err
    (made,) = (tmp_path / "cache").iterdir()
    before = made.stat().st_mtime_ns
    second = engine.run(*args, "--events", model=TINY)
    assert [event["type"] for event in second.events].count("progress") == 0
    assert made.stat().st_mtime_ns == before
    text = engine.run(*args, "--silent", model=TINY).text
    assert text.split() == clip.text.split()


def test_a_small_model_stays_as_it_is(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    result = engine.run("-i", clip.path, "--events", "--cache", tmp_path, model=TINY)
    assert result.events[0]["precision"] == "bf16"
    assert list(tmp_path.iterdir()) == []


def test_a_large_folder_is_quantised(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    """What is large is told by the file's size, here of nothing but zeros behind the weights."""
    model = tmp_path / "model"
    shutil.copytree(TINY, model)
    with (model / "consolidated.safetensors").open("r+b") as file:
        file.truncate(100_000_000)
    cache = tmp_path / "cache"
    args = ("-i", clip.path, "--events", "--silent", "--cache", cache)
    events = engine.run(*args, model=model).events
    assert [e["precision"] for e in events if e["type"] == "ready"] == ["q8_0"]
    assert len(list(cache.iterdir())) == 1
    exact = engine.run(*args, "--precision", "bf16", model=model).events
    assert exact[0]["precision"] == "bf16"


def test_a_cache_that_cannot_be(engine: Engine, clip: Clip, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    args = ("-i", clip.path, "--precision", "q8_0", "--cache", place / "cache", "--silent")
    result = engine.run(*args, model=TINY)
    assert result.code == 2
    assert one_sentence(result.err)
    assert str(place) in result.err


def test_a_large_file_is_arranged_once(
    engine: Engine, clip: Clip, large_file: Path, tmp_path: Path
) -> None:
    """Its copy gives the same tokens and probabilities as weights arranged in memory."""
    args = ("-i", clip.path, "--events", "--silent", "--cache")
    first = engine.run(*args, tmp_path / "cache", model=large_file)
    assert first.code == 0, first.err
    assert first.of_type("progress")[-1]["done"] == 1
    (made,) = (tmp_path / "cache").iterdir()
    assert b"general.alignment" in made.read_bytes()
    second = engine.run(*args, tmp_path / "cache", model=large_file)
    assert second.events[0]["type"] == "ready"
    by_name = engine.run(*args, tmp_path / "cache", "--precision", "q4_k_m", model=large_file)
    itself = engine.run(*args, tmp_path / "none", model=made)
    (tmp_path / "file").write_text("")
    in_memory = engine.run(*args, tmp_path / "file" / "cache", model=large_file)
    (warning,) = in_memory.of_type("warning")
    assert warning["code"] == "no_copy"
    assert str(tmp_path / "file") in warning["message"]
    for other in (second, by_name, itself, in_memory):
        assert other.of_type("token") == first.of_type("token")
    assert not (tmp_path / "none").exists()
    assert "".join(e["text"] for e in first.of_type("token")).split() == clip.text.split()


# ---- what goes wrong --------------------------------------------------------------------------


class Listener:
    """The engine writing what a clip says, from the large file or another model."""

    def __init__(self, engine: Engine, clip: Clip, cache: Path) -> None:
        self._engine = engine
        self._args = ("-i", clip.path, "--events", "--silent", "--cache", cache)
        self.words = clip.text.split()

    def start(self, model: Path, shell: str = "") -> subprocess.Popen[bytes]:
        command = [*self._engine.command, "-d", model, *self._args]
        script = ["sh", "-c", shell + 'exec "$@"', "sh"] if shell else []
        return subprocess.Popen([*script, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, process: subprocess.Popen[bytes]) -> Result:
        out, err = process.communicate(timeout=120)
        return Result(process.returncode, out, err.decode())

    def hear(self, model: Path, shell: str = "") -> Result:
        """It must write the right words."""
        result = self.end(self.start(model, shell))
        assert result.code == 0, result.err
        heard = "".join(event["text"] for event in result.of_type("token"))
        assert heard.split() == self.words
        return result


@pytest.fixture
def listener(engine: Engine, clip: Clip, cache: Path) -> Listener:
    return Listener(engine, clip, cache)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_killed_in_the_midst(
    engine: Engine, listener: Listener, large_file: Path, cache: Path
) -> None:
    """Half a copy is never used; the next copy made, of whatever model, takes it away."""
    killed = listener.end(listener.start(large_file, "ulimit -f 1000; "))
    assert killed.code == -signal.SIGXFSZ
    (half,) = names(cache)
    assert half.endswith(".gguf.part")
    other = quantise(engine, cache.with_name("other.gguf"), "q6_k")
    listener.hear(other)
    (made,) = names(cache)
    assert made.startswith("other.gguf-")
    listener.end(listener.start(large_file, "ulimit -f 1000; "))
    listener.hear(large_file)
    assert names(cache) == sorted([made, half.removesuffix(".part")])


def test_a_disk_that_fills_up(listener: Listener, large_file: Path, cache: Path) -> None:
    """It goes on without a copy and says so."""
    result = listener.hear(large_file, 'trap "" XFSZ; ulimit -f 1000; ')
    (warning,) = result.of_type("warning")
    assert warning["code"] == "no_copy"
    assert "cannot be written" in warning["message"]
    assert names(cache) == []


def test_two_make_the_same_copy(listener: Listener, large_file: Path, cache: Path) -> None:
    both = [listener.start(large_file) for _ in range(2)]
    assert [listener.end(process).code for process in both] == [0, 0]
    assert len(names(cache)) == 1


def test_another_is_making_the_copy(listener: Listener, large_file: Path, cache: Path) -> None:
    """It is waited for, and what it made is used; nothing of it is taken away meanwhile."""
    listener.hear(large_file)
    (made,) = cache.iterdir()
    content = made.read_bytes()
    made.unlink()
    part = made.with_name(made.name + ".part")
    with part.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = listener.start(large_file)
        assert process.stdout is not None
        assert b"progress" in process.stdout.readline()
        assert names(cache) == [part.name]
        file.write(content)
        file.flush()
        part.rename(made)
    assert listener.end(process).code == 0
    assert names(cache) == [made.name]
    assert made.read_bytes() == content


def test_another_model_under_the_same_name(
    engine: Engine, listener: Listener, clip: Clip, tmp_path: Path, cache: Path
) -> None:
    """Of the same size and time. The copy of the old one is taken away."""
    model = quantise(engine, tmp_path / "model.gguf", model=RANDOM)
    engine.run("-i", clip.path, "--silent", "--cache", cache, model=model)
    (before,) = names(cache)
    was = model.stat()
    quantise(engine, tmp_path / "new.gguf").replace(model)
    os.utime(model, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (model.stat().st_size, model.stat().st_mtime_ns) == (was.st_size, was.st_mtime_ns)
    listener.hear(model)
    (after,) = names(cache)
    assert after != before


def test_copies_of_no_use_go(
    engine: Engine, listener: Listener, large_file: Path, tmp_path: Path, cache: Path
) -> None:
    """Of an older engine, and of a model that is gone; not what others keep in that folder."""
    gone = quantise(engine, tmp_path / "gone.gguf")
    listener.hear(gone)
    gone.unlink()
    (orphan,) = names(cache)
    older = orphan.replace("gone", "older")[:-21] + "0123456789abcdef.gguf"
    data = (cache / orphan).read_bytes().replace(b"voxtral.copy_of", b"voxtral.copy_no")
    (cache / older).write_bytes(data)
    others = ["my.gguf", "notes-01234567-q8_0-0123456789abcdef.gguf.txt"]
    for name in others:
        (cache / name).write_text("mine")
    listener.hear(large_file)
    made = next(name for name in names(cache) if name.startswith("large"))
    assert names(cache) == sorted([made, *others])
    (cache / made).rename(cache / (made[:-21] + "0123456789abcdef.gguf"))
    listener.hear(large_file)
    assert names(cache) == sorted([made, *others])


def test_a_damaged_copy_is_made_anew(listener: Listener, large_file: Path, cache: Path) -> None:
    listener.hear(large_file)
    (made,) = cache.iterdir()
    size = made.stat().st_size
    os.truncate(made, size // 2)
    listener.hear(large_file)
    (again,) = cache.iterdir()
    assert (again.name, again.stat().st_size) == (made.name, size)


def test_the_cache_is_tidied_when_asked(
    engine: Engine, listener: Listener, large_file: Path, tmp_path: Path, cache: Path
) -> None:
    """Not what another one is making, nor what others keep there; it says what went."""
    gone = quantise(engine, tmp_path / "gone.gguf")
    listener.hear(gone)
    (orphan,) = names(cache)
    listener.hear(large_file)
    (made,) = set(names(cache)) - {orphan}
    half, held = (f"{name}-01234567-q8_0-0123456789abcdef.gguf.part" for name in "ab")
    for name in (half, held, "my.gguf"):
        (cache / name).write_text("mine")
    gone.unlink()
    with (cache / held).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        told = engine.run("--tidy-cache", "--cache", cache)
    assert sorted(told.text.split()) == sorted(str(cache / name) for name in (half, orphan))
    assert names(cache) == sorted([made, held, "my.gguf"])
    assert engine.run("--tidy-cache", "--cache", tmp_path / "nowhere").code == 0


def test_removing_a_model_removes_its_copies(
    engine: Engine, large_file: Path, clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`voxtui model remove` has the engine do it, those made for the file and for its folder."""
    monkeypatch.setenv("VOXTUI_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VOXTUI_ENGINE", str(engine.command[0]))
    kept = shutil.copytree(large_file.parent, tmp_path / "kept")
    folder = shutil.copytree(kept, paths.models_dir() / "tëst [1]")
    assert engine.run("-i", clip.path, "--silent", model=kept).code == 0
    cache = tmp_path / "cache" / "voxtral"
    (stays,) = cache.iterdir()
    for model in (folder, folder / large_file.name):
        assert engine.run("-i", clip.path, "--silent", model=model).code == 0
    copies = {*cache.iterdir()} - {stays}
    assert set(store.remove(store.find_entry("large"))) == {folder, *copies}
    assert list(cache.iterdir()) == [stays]
