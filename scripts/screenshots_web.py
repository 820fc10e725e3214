#!/usr/bin/env python3
"""Pictures of the web page: the real server, the small model, and a recording as microphone.

    .venv/bin/python scripts/screenshots_web.py [NAME...]

Needs Chromium (Debian: apt install chromium) and the package playwright. Each picture is what the
page shows at that moment, dark and light, on a desktop and on a phone, written to screenshots/.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.serve.browser import browsing, recording_of, until  # noqa: E402
from tests.serve.conftest import film, serving  # noqa: E402
from voxtui import paths  # noqa: E402

OUT = ROOT / "screenshots"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def welcome(page: Any, take: Any) -> None:
    page.wait_for_selector("#checks li:nth-child(3)")
    until(page, "document.querySelector('#checks').textContent.includes('It runs')")
    take("welcome")


def live(page: Any, take: Any) -> None:
    page.keyboard.press("l")
    until(page, "document.querySelectorAll('.line').length >= 2")
    page.wait_for_selector("#tail:not([hidden])")
    take("live")
    page.keyboard.press("l")
    until(page, "!document.body.classList.contains('listening')")


def sessions(page: Any, take: Any) -> None:
    cafe = (paths.clips_dir() / "cafe.wav").read_bytes()
    for name, content in (("kitchen.mp4", film()), ("cafe.wav", cafe)):
        page.set_input_files(
            "#file-input", {"name": name, "mimeType": "video/mp4", "buffer": content}
        )
        page.wait_for_selector("#reading:not([hidden])")
        page.click("#back")
    page.click("#show-sessions")
    page.wait_for_selector("#session-list .session:nth-child(1)")
    page.click("#session-list li:nth-child(2) button")
    page.wait_for_selector("#transcript .line")
    if page.viewport_size["width"] < 500:
        page.click("#show-sessions")
    page.wait_for_timeout(300)
    take("sessions")


STATES = {"welcome": welcome, "live": live, "sessions": sessions}


def main() -> None:
    chosen = sys.argv[1:] or list(STATES)
    with tempfile.TemporaryDirectory() as folder:
        microphone = recording_of(Path(folder), "demo.wav")
        for look in ("dark", "light"):
            for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
                place = Path(folder) / f"{look}-{device}"
                with (
                    serving(place) as server,
                    browsing(
                        microphone,
                        viewport=size,
                        color_scheme=look,
                        device_scale_factor=1.5,
                        has_touch=size is PHONE,
                        is_mobile=size is PHONE,
                    ) as page,
                ):
                    page.goto(server.url)

                    def take(
                        name: str, look: str = look, device: str = device, page: Any = page
                    ) -> None:
                        if name in chosen:
                            path = OUT / f"web-{name}-{look}-{device}.png"
                            page.screenshot(path=path)
                            print(path.relative_to(ROOT))

                    for state in STATES.values():
                        state(page, take)


if __name__ == "__main__":
    main()
