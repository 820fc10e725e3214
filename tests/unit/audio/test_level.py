from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.audio.level import measure
from voxtui.audio.preroll import PreRoll

from .conftest import tone


def test_a_full_sine_is_3_db_below_its_peak() -> None:
    level = measure(tone(1.0, 1000, level=1.0).tobytes())
    assert level.peak_dbfs == pytest.approx(0.0, abs=0.01)
    assert level.rms_dbfs == pytest.approx(-3.01, abs=0.01)


def test_half_the_level_is_6_db_less() -> None:
    assert measure(tone(1.0, level=0.5).tobytes()).peak_dbfs == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("pcm", [b"", b"\x01", bytes(1000)])
def test_silence_is_the_floor(pcm: bytes) -> None:
    level = measure(pcm)
    assert (level.rms_dbfs, level.peak_dbfs, level.clipped) == (-120.0, -120.0, False)


@pytest.mark.parametrize(
    ("samples", "clipped"),
    [
        ([0, 32767, 0], True),
        ([0, -32768, 0], True),
        ([0, 32720, 32720, 32720, 0], True),  # a flat top
        ([0, 32720, 32720, 0, 32720], False),
        ([100, 100, 100, 100], False),
        ([32720], False),
    ],
)
def test_clipping(samples: list[int], clipped: bool) -> None:
    assert measure(np.array(samples, dtype="<i2").tobytes()).clipped is clipped


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=600))
def test_levels_are_ordered_and_bounded(samples: list[int]) -> None:
    level = measure(np.array(samples, dtype="<i2").tobytes())
    assert -120.0 <= level.rms_dbfs <= level.peak_dbfs + 1e-9 <= 0.001


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=40), st.integers(0, 2000))
def test_the_pre_roll_is_the_end_of_what_was_pushed(sizes: list[int], samples: int) -> None:
    roll = PreRoll(samples / 16_000)
    everything = b""
    for index, size in enumerate(sizes):
        block = bytes([index % 256, 1]) * size
        everything += block
        roll.push(block)
    expected = everything[max(0, len(everything) - 2 * samples) :] if samples else b""
    assert roll.take() == expected
    assert roll.take() == b""
