"""The engine's token ids are those of the reference implementation, however it is run."""

from __future__ import annotations

import pytest

from tests.engine.driver import Clip, Engine, audio, frame


def test_every_clip_at_every_delay(engine: Engine, clips: list[Clip]) -> None:
    for clip in clips:
        for delay_ms, expected in clip.ids.items():
            result = engine.run("-i", clip.path, "--tokens", "--delay", str(delay_ms))
            assert result.code == 0, result.err
            assert result.ids == expected, f"{clip.path.name} at {delay_ms} ms"


def test_the_default_delay_is_the_models(engine: Engine, clip: Clip) -> None:
    assert engine.run("-i", clip.path, "--tokens").ids == clip.ids[480]


@pytest.mark.parametrize("samples", [1, 37, 1280, 9000])
def test_pieces(engine: Engine, short_clips: list[Clip], samples: int) -> None:
    for clip in short_clips:
        result = engine.run("--framed", "--tokens", stdin=audio(clip.pcm, samples))
        assert result.ids == clip.ids[480], clip.path.name


@pytest.mark.parametrize("interval", ["0.08", "0.33", "5"])
def test_intervals(engine: Engine, clip: Clip, interval: str) -> None:
    assert engine.run("-i", clip.path, "--tokens", "-I", interval).ids == clip.ids[480]


@pytest.mark.parametrize("threads", ["1", "2", "3"])
def test_threads(engine: Engine, short_clips: list[Clip], threads: str) -> None:
    for clip in short_clips:
        result = engine.run("-i", clip.path, "--tokens", "--threads", threads)
        assert result.ids == clip.ids[480], clip.path.name


@pytest.mark.parametrize(
    "kernels", ["generic", "avx2", "avxvnni", "avx512", "avx512vnni", "neon", "neondot", "neoni8mm"]
)
def test_kernels(engine: Engine, short_clips: list[Clip], kernels: str) -> None:
    for clip in short_clips:
        result = engine.run("-i", clip.path, "--tokens", "--kernels", kernels)
        if result.code == 2 and kernels != "generic":
            pytest.skip(f"this machine has no {kernels}")
        assert result.ids == clip.ids[480], clip.path.name


@pytest.mark.parametrize("precision", ["auto", "bf16", "f32"])
def test_precisions(engine: Engine, short_clips: list[Clip], precision: str) -> None:
    for clip in short_clips:
        result = engine.run("-i", clip.path, "--tokens", "--precision", precision)
        assert result.ids == clip.ids[480], clip.path.name


def test_utterances_do_not_know_of_each_other(engine: Engine, short_clips: list[Clip]) -> None:
    """Flushed utterances give what each gives alone, at the delay set before each."""
    frames, expected = b"", []
    for clip in short_clips:
        for delay_ms, ids in clip.ids.items():
            frames += frame("C", b'{"delay_ms":%d}' % delay_ms) + audio(clip.pcm) + frame("F")
            expected += ids
    assert engine.run("--framed", "--tokens", stdin=frames).ids == expected


def test_a_reset_leaves_no_trace(engine: Engine, clip: Clip) -> None:
    half = clip.pcm[: len(clip.pcm) // 4 * 2]
    events = engine.run(
        "--framed", "--events", stdin=audio(half) + frame("R") + audio(clip.pcm) + frame("Q")
    ).events
    alone = engine.run("--framed", "--events", stdin=audio(clip.pcm)).events
    whole = [e for e in events if e["type"] == "token" and e["utterance"] == 1]
    for event in whole:
        event["utterance"] = 0
    assert whole == [e for e in alone if e["type"] == "token"]
