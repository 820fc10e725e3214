"""Which model is advised, and what is said of its speed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voxtui.machine.hardware import Hardware
from voxtui.models import catalog as catalog_module
from voxtui.models.catalog import CATALOG, GB, find_known
from voxtui.models.estimate import expected_speed, fits, memory_bandwidth, recommended

LAPTOP = Hardware(
    system="Linux",
    processor="A processor",
    architecture="x86_64",
    instructions=("AVX2",),
    cores=4,
    memory=16 * GB,
    memory_available=12 * GB,
    gpu="",
)
DESK = replace(LAPTOP, instructions=("AVX2", "AVX-512", "VNNI"), cores=16, memory=64 * GB)


@pytest.fixture(autouse=True)
def all_models(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "CATALOG", CATALOG)


def test_a_small_machine_is_advised_the_quickest() -> None:
    assert recommended(LAPTOP, 20e9).short == "q4_k_m"


def test_a_large_machine_is_advised_what_is_most_exact() -> None:
    assert recommended(DESK, 200e9).short == "q8_0"


def test_without_memory_for_any_the_smallest_is_advised() -> None:
    assert recommended(replace(DESK, memory=2 * GB), 200e9).short == "q4_k_m"


def test_what_does_not_fit() -> None:
    large = find_known("bf16")
    small = find_known("Q4_K_M")
    assert large is not None
    assert small is not None
    eight = replace(LAPTOP, memory=8 * GB)
    assert not fits(large, eight)
    assert fits(small, eight)
    assert fits(large, replace(LAPTOP, memory=0))


def test_fewer_bits_are_quicker_and_so_is_faster_memory() -> None:
    speeds = [expected_speed(model, LAPTOP, 20e9) for model in CATALOG]
    assert speeds == sorted(speeds, reverse=True)
    assert expected_speed(CATALOG[0], LAPTOP, 40e9) > speeds[0]


def test_the_memory_here_is_measured() -> None:
    assert 1e8 < memory_bandwidth(1) < 1e13


def test_names_are_found_in_any_case() -> None:
    assert find_known("q8_0") is find_known("voxtral-mini-4b-realtime-2602-Q8_0")
    assert find_known("nonsense") is None
