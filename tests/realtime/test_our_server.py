"""The table of scenarios against `voxtui serve`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.realtime.scenarios import SCENARIOS, Scenario, check, play
from tests.serve.conftest import Running, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("realtime")) as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_voxtui_serve_agrees(server: Running, scenario: Scenario) -> None:
    check(scenario, await play(server.ws + "/v1/realtime", scenario))
