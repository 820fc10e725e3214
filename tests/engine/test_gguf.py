"""Models as GGUF files: what the engine writes others read, and it reads what others write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.engine.driver import TINY, Clip, Engine, one_sentence

gguf = pytest.importorskip("gguf", reason="the package gguf is not installed")
from gguf import GGMLQuantizationType as Type  # noqa: E402
from gguf import quants  # noqa: E402

from tests.support import gguf_files  # noqa: E402

KINDS = ("q8_0", "q6_k", "q5_k_m", "q4_k_m", "bf16", "f16", "f32")
MIXES = {
    "q8_0": (Type.Q8_0, Type.Q8_0, Type.Q8_0),
    "q6_k": (Type.Q6_K, Type.Q6_K, Type.Q6_K),
    "q5_k_m": (Type.Q5_K, Type.Q8_0, Type.Q6_K),
    "q4_k_m": (Type.Q4_K, Type.Q8_0, Type.Q6_K),
    "bf16": (Type.BF16,) * 3,
    "f16": (Type.F16,) * 3,
    "f32": (Type.F32,) * 3,
}
"""Most matrices, the attention's outputs, the embeddings."""


def convert(engine: Engine, out: Path, kind: str, *more: str, model: Path = TINY) -> Path:
    result = engine.run("--quantize", out, "--type", kind, "--silent", *more, model=model)
    assert (result.code, result.err) == (0, "")
    return out


@pytest.fixture(scope="session")
def files(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small model in each type."""
    folder = tmp_path_factory.mktemp("gguf")
    return {kind: convert(engine, folder / f"{kind}.gguf", kind) for kind in KINDS}


@pytest.fixture(scope="session")
def weights() -> dict[str, np.ndarray]:
    """The official tensors under the names and in the order of GGUF."""
    named = {}
    official = gguf_files.read_safetensors(TINY / "consolidated.safetensors")
    for name, values in official.items():
        new = gguf_files.gguf_name(name)
        heads = 8 if new.startswith("enc.") or ".attn.q." in new else 4
        permuted = re.search(r"\.attn\.[qk]\.", new)
        named[new] = gguf_files.split_halves(values, heads) if permuted else values
    return named


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_are_right(
    engine: Engine, files: dict[str, Path], clips: list[Clip], kind: str
) -> None:
    for clip in clips:
        result = engine.run("-i", clip.path, "--silent", model=files[kind])
        assert result.text.split() == clip.text.split(), (kind, clip.path.name)


@pytest.mark.parametrize("kind", ["bf16", "f32"])
def test_the_tokens_are_the_folders(
    engine: Engine, files: dict[str, Path], clips: list[Clip], kind: str
) -> None:
    for clip in clips:
        result = engine.run("-i", clip.path, "--tokens", model=files[kind])
        assert result.ids == clip.ids[480], (kind, clip.path.name)


@pytest.mark.parametrize("kind", KINDS)
def test_python_reads_our_file(
    files: dict[str, Path], weights: dict[str, np.ndarray], kind: str
) -> None:
    """Every tensor is there, of the type it should be, and stands for the weights it is of."""
    linear, attention_out, embedding = MIXES[kind]
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(files[kind]).tensors}
    tables = {"frontend.mel_filterbank", "frontend.window", "dec.time_embed.inv_freq"}
    assert tensors.keys() == weights.keys() | tables
    for name, expected in weights.items():
        tensor = tensors[name]
        assert list(reversed(tensor.shape)) == list(expected.shape)
        wanted = linear
        if expected.ndim != 2:
            wanted = Type.F32
        elif name == "dec.token_embd.weight":
            wanted = embedding
        elif name.endswith(("attn.out.weight", "attn.o.weight")):
            wanted = attention_out
        if expected.shape[-1] % gguf.GGML_QUANT_SIZES[wanted][0]:
            wanted = Type.Q8_0
        assert tensor.tensor_type == wanted, name
        got = quants.dequantize(tensor.data, wanted).reshape(expected.shape)
        error = np.sqrt(np.mean((got - expected) ** 2) / max(np.mean(expected**2), 1e-12))
        assert error <= {8: 0.008, 14: 0.03, 13: 0.06, 12: 0.11}.get(int(wanted), 1e-3), name
    names = [tensor.name for tensor in tensors.values()]
    for layer in range(2):
        gate = names.index(f"dec.blocks.{layer}.ffn.gate.weight")
        assert names[gate + 1] == f"dec.blocks.{layer}.ffn.up.weight"
    filters = quants.dequantize(tensors["frontend.mel_filterbank"].data, Type.F32)
    np.testing.assert_allclose(filters, gguf_files.mel_filters(128, 400), rtol=1e-4, atol=1e-8)


def test_metadata(files: dict[str, Path], tmp_path: Path) -> None:
    """All that the other writer says, our file says, too, in the same types."""
    other = tmp_path / "other.gguf"
    gguf_files.write_gguf(TINY, other, Type.Q8_0)
    ours, theirs = gguf.GGUFReader(files["q8_0"]), gguf.GGUFReader(other)
    for key, field in theirs.fields.items():
        if key in ("general.alignment", "general.name") or key.startswith("GGUF."):
            continue
        assert key in ours.fields, key
        assert ours.fields[key].types == field.types, key
        assert ours.fields[key].contents() == field.contents(), key
    assert ours.fields["general.file_type"].contents() == 7


@pytest.mark.parametrize(
    ("kind", "alignment", "shuffle"),
    [
        (Type.BF16, 32, 1),
        (Type.F16, 64, None),
        (Type.F32, 8, 2),
        (Type.Q8_0, 32, 3),
        (Type.Q8_0, 4096, None),
    ],
)
def test_we_read_other_writers_files(
    engine: Engine,
    clips: list[Clip],
    tmp_path: Path,
    kind: Type,
    alignment: int,
    shuffle: int | None,
) -> None:
    path = tmp_path / "other.gguf"
    gguf_files.write_gguf(TINY, path, kind, alignment=alignment, shuffle=shuffle)
    for clip in clips[:4]:
        result = engine.run("-i", clip.path, "--tokens", model=path)
        if kind == Type.Q8_0:
            words = engine.run("-i", clip.path, "--silent", model=path).text.split()
            assert words == clip.text.split(), clip.path.name
        else:
            assert result.ids == clip.ids[480], clip.path.name


@pytest.mark.parametrize("name", ["q8_0", "q4_k", "q5_k", "q6_k"])
def test_blocks_are_read_as_gguf_means_them(engine: Engine, tmp_path: Path, name: str) -> None:
    """Bit for bit, of any blocks whose scales are numbers."""
    program = Path(engine.command[0]).with_name("dequantize")
    if not program.exists():
        pytest.skip("the engine was built without its tests")
    kind = Type[name.upper()]
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = np.random.default_rng(5).integers(0, 256, (400, size), dtype=np.uint8)
    for at in {"q8_0": (0,), "q6_k": (208,)}.get(name, (0, 2)):
        blocks[:, at + 1] &= 0xBB
    (tmp_path / "blocks").write_bytes(blocks.tobytes())
    run = subprocess.run([program, name, tmp_path / "blocks"], capture_output=True, check=True)
    expected = quants.dequantize(blocks, kind)
    assert np.array_equal(np.frombuffer(run.stdout, np.uint32), np.ravel(expected).view(np.uint32))


def test_eight_bits_are_gguf_s(files: dict[str, Path], weights: dict[str, np.ndarray]) -> None:
    """Q8_0 and BF16 have one obvious rounding; it is the same as everybody's, bit for bit."""
    for kind, type_ in (("q8_0", Type.Q8_0), ("bf16", Type.BF16), ("f16", Type.F16)):
        for tensor in gguf.GGUFReader(files[kind]).tensors:
            if tensor.tensor_type == type_:
                expected = quants.quantize(weights[tensor.name], type_)
                assert np.array_equal(
                    np.ascontiguousarray(tensor.data).view(np.uint8).ravel(),
                    np.ascontiguousarray(expected).view(np.uint8).ravel(),
                ), tensor.name


_TRANSCRIBE = """
import sys, wave
import numpy as np
import transcribe_cpp
stream = sys.argv[2] == "stream"
with transcribe_cpp.Model(sys.argv[1]) as model:
    for path in sys.argv[3:]:
        with wave.open(path) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        pcm = pcm.astype(np.float32) / 32768
        with model.session() as session:
            if not stream:
                print(session.run(pcm).text)
                continue
            with session.stream() as live:
                live.feed(pcm)
                live.finalize()
                print(live.text().display)
"""


def transcribe_cpp(file: Path, how: str, clips: list[Clip]) -> list[str]:
    """What it writes for each clip, live ("stream") or given the whole clip at once ("run")."""
    pytest.importorskip("transcribe_cpp", reason="the package transcribe-cpp is not installed")
    result = subprocess.run(
        [sys.executable, "-c", _TRANSCRIBE, str(file), how, *(str(clip.path) for clip in clips)],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    return result.stdout.splitlines()


@pytest.mark.parametrize("kind", ["q8_0", "q6_k", "q5_k_m", "q4_k_m", "bf16"])
def test_transcribe_cpp_reads_our_file(
    files: dict[str, Path], clips: list[Clip], kind: str
) -> None:
    """Live it hears the same words, up to the token that means an end: there it stops for good."""
    expected = []
    for clip in clips:
        ids = clip.ids[480]
        heard = ids[: ids.index(2)] if 2 in ids else ids
        expected.append(" ".join(clip.text.split()[: heard.count(33)]))
    assert any(2 in clip.ids[480] for clip in clips)
    assert transcribe_cpp(files[kind], "stream", clips) == expected


def test_transcribe_cpp_at_once(
    engine: Engine, files: dict[str, Path], clips: list[Clip], tmp_path: Path
) -> None:
    """A whole clip it decodes with the longest delay and with no end to the decoder's window."""
    clips = [clip for clip in clips if len(clip.ids[480]) < 100]
    wide = tmp_path / "wide"
    shutil.copytree(TINY, wide)
    params = (wide / "params.json").read_text()
    assert '"sliding_window": 48,' in params
    (wide / "params.json").write_text(params.replace('window": 48,', 'window": 4096,'))
    ours = [
        engine.run("-i", clip.path, "--silent", "--delay", "2400", model=wide).text.strip()
        for clip in clips
    ]
    assert ours != [clip.text for clip in clips], "no clip shows the difference"
    assert transcribe_cpp(files["f32"], "run", clips) == ours


def test_a_file_is_enough(
    engine: Engine, files: dict[str, Path], clip: Clip, tmp_path: Path
) -> None:
    """Alone in a folder, the file is the model; beside another one it must be named."""
    alone = tmp_path / "model"
    alone.mkdir()
    (alone / "a.gguf").symlink_to(files["q8_0"])
    result = engine.run("-i", clip.path, "--silent", model=alone)
    assert result.text.split() == clip.text.split()
    (alone / "b.gguf").symlink_to(files["bf16"])
    result = engine.run("-i", clip.path, "--silent", model=alone)
    assert result.code == 2
    assert one_sentence(result.err)
    assert "several" in result.err


def test_ready_says_the_precision(engine: Engine, files: dict[str, Path], clip: Clip) -> None:
    for kind, path in files.items():
        ready = engine.run("-i", clip.path, "--events", "--silent", model=path).events[0]
        assert (ready["type"], ready["precision"]) == ("ready", kind)


# ---- conversion -------------------------------------------------------------------------------


def test_progress_and_result(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    result = engine.run("--quantize", out, "--type", "q4_k_m", model=TINY)
    assert (result.code, result.out) == (0, b"")
    shares = [int(share) for share in re.findall(r"(\d+) %", result.err)]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert str(out) in result.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["out.gguf"]


def test_what_is_there_is_kept(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    out.write_bytes(b"precious")
    result = engine.run("--quantize", out, "--type", "q8_0", "--silent", model=TINY)
    assert result.code == 2
    assert one_sentence(result.err)
    assert "--force" in result.err
    assert out.read_bytes() == b"precious"
    convert(engine, out, "q8_0", "--force")
    assert out.read_bytes()[:4] == b"GGUF"


def test_only_files_are_replaced(engine: Engine, tmp_path: Path) -> None:
    """No folder, and no device, of which there would be a file then."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    for name in ("pipe", "folder"):
        out = tmp_path / name
        result = engine.run("--quantize", out, "--type", "q8_0", "--silent", "--force", model=TINY)
        assert result.code == 2
        assert one_sentence(result.err)
        assert "not a file" in result.err
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "pipe").is_fifo()


def test_what_is_quantised_is_not_quantised_again(
    engine: Engine, files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.gguf"
    result = engine.run("--quantize", out, "--type", "q4_k_m", "--silent", model=files["q8_0"])
    assert result.code == 2
    assert one_sentence(result.err)
    assert "q8_0" in result.err
    assert not out.exists()


def test_from_one_file_to_another(engine: Engine, files: dict[str, Path], tmp_path: Path) -> None:
    """From BF16 GGUF comes what comes from the folder, metadata and all."""
    again = convert(engine, tmp_path / "again.gguf", "q4_k_m", model=files["bf16"])
    ours = {tensor.name: tensor for tensor in gguf.GGUFReader(files["q4_k_m"]).tensors}
    for tensor in gguf.GGUFReader(again).tensors:
        assert np.array_equal(tensor.data, ours[tensor.name].data), tensor.name
    keys = gguf.GGUFReader(again).fields.keys()
    assert keys == gguf.GGUFReader(files["q4_k_m"]).fields.keys()


def test_a_full_disk(engine: Engine, tmp_path: Path) -> None:
    """A limit on the size of files stands for it."""
    out = tmp_path / "out.gguf"
    script = 'trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"'
    result = subprocess.run(
        [
            "sh",
            "-c",
            script,
            *engine.command,
            "-d",
            TINY,
            "--type",
            "q8_0",
            "--quantize",
            out,
            "--silent",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 1
    assert one_sentence(result.stderr)
    assert str(out) in result.stderr
    assert list(tmp_path.iterdir()) == []
