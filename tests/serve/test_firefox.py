"""The page in Firefox, which hears a virtual microphone: are the right words on it?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.conftest import CLIP, SAID, Running
from tests.serve.firefox import FIREFOX, Page, browsing
from tests.support.sound import VirtualMicrophone, missing

pytestmark = [
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed"),
    pytest.mark.skipif(bool(missing()), reason=missing() or "-"),
]
READY = "document.querySelector('#checks')?.textContent.includes('It runs')"
WORDS = "[...document.querySelectorAll('.line:not([hidden]) p')].map(p => p.textContent).join(' ')"


@pytest.fixture(scope="module")
def microphone() -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone() as microphone:
        yield microphone


@pytest.fixture(scope="module")
def firefox(microphone: VirtualMicrophone) -> Iterator[Page]:
    with browsing(microphone.environment) as page:
        yield page
        assert page.errors == []


@pytest.mark.parametrize("query", ["", "?recorder"])  # by AudioWorklet, by MediaRecorder
def test_holding_space_writes_what_is_said(
    server: Running, firefox: Page, microphone: VirtualMicrophone, query: str
) -> None:
    page = firefox
    page.goto(server.url + "/" + query)
    page.until(READY)
    page.key("keyDown", " ")
    page.until("document.body.classList.contains('listening')")
    microphone.play(CLIP)
    page.until("document.querySelector('#tail').textContent.includes('music')")
    page.key("keyUp", " ")
    page.until(f"{WORDS} === '{SAID}'")
    page.until("!document.body.classList.contains('listening')")
    assert page.evaluate("document.querySelectorAll('#checks li.broken, .notice').length") == 0
