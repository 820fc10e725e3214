from __future__ import annotations

import numpy as np
import pytest

from voxtui.audio.convert import Converter, Floats, Mixdown, to_s16

from .conftest import as_samples, pitch, tone


def floats(*channels: np.ndarray) -> Floats:
    return np.stack([channel / 32768 for channel in channels], axis=1).astype(np.float32)


def test_16_khz_mono_passes_bit_by_bit() -> None:
    samples = np.arange(-32768, 32768, 7).astype(np.int16)
    assert Converter(16_000).convert(floats(samples)) == samples.tobytes()


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_other_rates_keep_pitch_and_length(rate: int) -> None:
    converter = Converter(rate)
    source = floats(tone(1.0, 440, rate))
    pieces = [converter.convert(source[start : start + 501]) for start in range(0, rate, 501)]
    samples = as_samples(b"".join(pieces) + converter.finish())
    assert samples.size == pytest.approx(16_000, abs=2)
    assert pitch(samples[1000:-1000]) == pytest.approx(440, abs=2)
    assert np.abs(samples).max() == pytest.approx(16_384, rel=0.02)


def test_gain_and_its_limit() -> None:
    assert np.abs(as_samples(Converter(16_000, 6.0206).convert(floats(tone(0.1))))).max() >= 32_760
    assert as_samples(to_s16(np.array([2.0, -2.0], np.float32))).tolist() == [32767, -32768]


def test_both_channels_are_averaged() -> None:
    left, right = tone(0.1, 400), tone(0.1, 700)
    mixed = Mixdown().mix(floats(left, right))
    assert np.allclose(mixed, (left / 32768 + right / 32768) / 2, atol=1e-6)


@pytest.mark.parametrize("side", [0, 1])
def test_one_connected_channel_is_not_halved(side: int) -> None:
    channels = [np.zeros(1600, np.int16), np.zeros(1600, np.int16)]
    channels[side] = tone(0.1)
    mixed = Mixdown().mix(floats(*channels))
    assert np.abs(mixed).max() == pytest.approx(0.5, abs=0.01)


def test_opposite_phases_do_not_cancel() -> None:
    mixed = Mixdown().mix(floats(tone(0.1), -tone(0.1)))
    assert np.abs(mixed).max() == pytest.approx(0.5, abs=0.01)


def test_a_change_of_mind_makes_no_click() -> None:
    mixdown = Mixdown()
    both = floats(tone(0.1, 50), tone(0.1, 50))
    mixdown.mix(both)
    one = both.copy()
    one[:, 1] = 0
    blocks = [mixdown.mix(one) for _ in range(120)]
    assert np.abs(blocks[-1]).max() == pytest.approx(0.5, abs=0.01)
    for block in blocks:
        assert np.abs(np.diff(block)).max() < 0.02


def test_more_channels_than_two_are_not_heard() -> None:
    third = floats(tone(0.1), tone(0.1), tone(0.1, 999))
    assert np.array_equal(Mixdown().mix(third), Mixdown().mix(third[:, :2]))


def test_an_empty_block() -> None:
    assert Converter(48_000).convert(np.zeros((0, 2), np.float32)) == b""
