"""How long an engine is waited for when it is measured."""

from __future__ import annotations

import pytest

from tests.unit.engine.conftest import Rig
from voxtui.engine.bench import BenchError, measure


def test_patience_lasts_as_long_as_it_gets_further(rig: Rig) -> None:
    """Preparing takes 1.25 s, more than the patience, but it is told every 0.25 s."""
    rig.environment(FAKE_MODE="prepare")
    told: list[str] = []
    assert measure(rig.config(), 0.9, told.append).text
    assert told[0] == "Preparing, once: 20 %"
    assert told[-1] == "Preparing, once: 100 %"


def test_one_that_gets_no_further_is_named_with_what_it_did(rig: Rig) -> None:
    rig.environment(FAKE_MODE="deaf")
    with pytest.raises(BenchError, match=r"got no further in 1 seconds: writing\."):
        measure(rig.config(), 1.0)
