"""The fake server does what the table says."""

from __future__ import annotations

import pytest

from tests.realtime.fake_server import FakeServer
from tests.realtime.scenarios import SCENARIOS, Scenario, check, play


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_the_fake_agrees(scenario: Scenario) -> None:
    async with FakeServer() as server:
        check(scenario, await play(server.url, scenario))
