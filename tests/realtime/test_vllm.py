"""The table of scenarios against vLLM's own router and connection code, on the processor.

Slow: fetches vLLM's wheel (336 MB) once, with pip, into the cache folder of voxtui.
Needs the dependency group `vllm`. `VOXTUI_VLLM` names an unzipped wheel instead.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.realtime.client_rig import FLUSH, audio, transcribe
from tests.realtime.scenarios import SCENARIOS, Scenario, check, play
from tests.support.hearing import words
from voxtui import paths

VERSION = "0.33.0"
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def fetch() -> Path:
    """The Python files of vLLM's wheel, in a folder."""
    if named := os.environ.get("VOXTUI_VLLM"):
        return Path(named)
    folder = paths.cache_dir() / f"vllm-{VERSION}"
    if folder.is_dir():
        return folder
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest"]
    command += [str(folder) + ".wheel", f"vllm=={VERSION}"]
    try:
        done = subprocess.run(command, timeout=600, capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("vLLM's wheel did not come within ten minutes")
    if done.returncode:
        pytest.skip(f"vLLM's wheel cannot be fetched: {done.stderr.strip()[-200:]}")
    wheel = next(Path(str(folder) + ".wheel").glob("*.whl"))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder, [name for name in packed.namelist() if name.endswith(".py")])
    wheel.unlink()
    return folder


@pytest.fixture(scope="module")
def vllm() -> Iterator[str]:
    """The address of the server."""
    for needed in ("fastapi", "uvicorn", "pybase64"):
        pytest.importorskip(needed, reason="needs: pip install --group vllm")
    folder = fetch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.realtime.vllm_server", str(folder), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        try:
            for _ in range(300):
                assert process.poll() is None, process.stderr and process.stderr.read()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"ws://127.0.0.1:{port}/v1/realtime"
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_vllm_agrees(vllm: str, scenario: Scenario) -> None:
    check(scenario, await play(vllm, scenario))


async def test_our_client_hears_every_word(vllm: str) -> None:
    page = await transcribe(vllm, [*audio(words(1, 2, 3)), FLUSH, *audio(words(4)), FLUSH])
    assert page.text() == " w1 w2 w3 w4"
    assert not page.of("warning")
