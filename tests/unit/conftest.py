"""A running pipeline with fakes at its ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chain import Chain


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)
