"""The page in a real browser, which hears a recording: are the right words on it?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.serve.browser import CHROMIUM, browsing, recording_of, until
from tests.serve.conftest import SAID, TOKEN, Running, film, serving
from voxtui.session.library import list_sessions, load_session

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

CLIP = "computer_open_music.wav"
SETTLED = "document.querySelectorAll('.line:not([hidden])').length >= {}"


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording_of(tmp_path_factory.mktemp("microphone"), CLIP)


@contextlib.contextmanager
def opened(server: Running, microphone: Path, query: str = "", **choices: Any) -> Iterator[Any]:
    """The page, loaded; nothing may be asked from elsewhere, and nothing may fail in it."""
    with browsing(microphone, **choices) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if said.type == "error" else None,
        )
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url + "/" + query)
        until(page, "document.querySelector('#checks')?.textContent.includes('runs')")
        yield page
        assert not problems
        assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)


def words(page: Any) -> str:
    return " ".join(page.locator(".line p").all_inner_texts())


def test_holding_space_writes_what_is_said(server: Running, microphone: Path) -> None:
    with opened(server, microphone, permissions=["microphone", "clipboard-read"]) as page:
        assert page.locator("#checks li.broken").count() == 0
        page.keyboard.down("Space")
        page.wait_for_selector("#tail:not([hidden])")  # while speaking
        assert page.get_attribute("#talk", "aria-pressed") == "true"
        until(page, "document.querySelector('#tail').textContent.includes('music')")
        level = page.evaluate("document.getElementById('meter').getAttribute('aria-valuenow')")
        assert -60 <= int(level) <= 0
        page.keyboard.up("Space")
        until(page, SETTLED.format(1))
        assert words(page) == SAID
        until(page, "!document.body.classList.contains('listening')")
        assert page.get_attribute("#talk", "aria-pressed") == "false"

        page.keyboard.press("c")
        page.wait_for_selector(".notice.info")
        assert page.evaluate("navigator.clipboard.readText()") == SAID

        page.click("#save summary")
        with page.expect_download() as download:
            page.click("#save-items a >> nth=0")
        assert Path(download.value.path()).read_text() == SAID + "\n"


def test_live_with_the_mouse_and_a_mark(server: Running, microphone: Path) -> None:
    with opened(server, microphone) as page:
        page.click("#live")
        until(page, "document.querySelector('#tail').textContent.includes('open')")
        page.keyboard.press("m")
        page.fill("#ask-value", "so it goes")
        page.keyboard.press("Enter")
        page.wait_for_selector(".line.note")
        page.click("#live")
        until(page, "!document.body.classList.contains('listening')")
        page.wait_for_selector("#tail", state="hidden")
        assert sorted(words(page).split()) == sorted(f"{SAID} so it goes".split())


@pytest.mark.parametrize("how", ["tap", "hold"])
def test_a_finger_on_a_phone(server: Running, microphone: Path, how: str) -> None:
    """A tap starts and the next one stops; or it stays on the button while somebody speaks."""
    phone = {"width": 390, "height": 844}
    with opened(server, microphone, viewport=phone, has_touch=True, is_mobile=True) as page:
        finger = page.context.new_cdp_session(page)
        box = page.locator("#talk").bounding_box()
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

        def touch(kind: str, *points: dict[str, float]) -> None:
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

        assert "Hold the button" in page.inner_text("#welcome")
        page.tap("#talk") if how == "tap" else touch("touchStart", point)
        until(page, "document.querySelector('#tail').textContent.includes('music')")
        assert page.inner_text("#talk") == ("stop" if how == "tap" else "let go to stop")
        page.tap("#talk") if how == "tap" else touch("touchEnd")
        until(page, SETTLED.format(1))
        assert words(page) == SAID
        until(page, "!document.body.classList.contains('listening')")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= phone["width"]


def test_where_there_is_no_audio_worklet(server: Running, microphone: Path) -> None:
    with opened(server, microphone, "?recorder") as page:
        talk = page.locator("#talk").bounding_box()
        page.mouse.move(talk["x"] + 9, talk["y"] + 9)
        page.mouse.down()
        until(page, "document.querySelector('#tail').textContent.includes('music')")
        page.mouse.up()
        until(page, SETTLED.format(1))
        assert words(page) == SAID


def test_a_film_is_written_and_is_a_session(server: Running, microphone: Path) -> None:
    with opened(server, microphone) as page:
        page.set_input_files(
            "#file-input", {"name": "talk.mp4", "mimeType": "video/mp4", "buffer": film()}
        )
        page.wait_for_selector("#reading:not([hidden])")
        assert words(page) == SAID
        page.click("#show-sessions")
        page.wait_for_selector("#session-list .session[aria-current=true]")
        page.click("#save summary")
        page.click("#save-items a >> text=Rename")
        page.fill("#ask-value", "A film")
        page.click("#ask button.primary")
        page.wait_for_selector("#session-list >> text=A film")
        page.click("#save summary")
        page.click("#save-items a >> text=Delete")
        page.wait_for_selector("#session-list >> text=None yet")
        page.wait_for_selector("#reading", state="hidden")


def test_what_is_no_sound_is_told(server: Running, microphone: Path) -> None:
    with browsing(microphone) as page:
        page.goto(server.url)
        until(page, "document.querySelector('#checks')?.textContent.includes('runs')")
        page.set_input_files(
            "#file-input", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"nothing" * 99}
        )
        page.wait_for_selector("#notices >> text=a.txt is not sound that can be read.")


@pytest.mark.parametrize("query", ["", "?recorder"])
def test_a_cut_line_loses_nothing(tmp_path: Path, query: str) -> None:
    """What is said after the cut is written in a session of its own."""
    keep_sockets = """
        window.sockets = [];
        const Socket = window.WebSocket;
        window.WebSocket = class extends Socket {
            constructor(...all) { super(...all); window.sockets.push(this); }
        };"""
    demo = recording_of(tmp_path, "demo.wav", after_s=2.0)
    with serving(tmp_path) as server, browsing(demo) as page:
        page.add_init_script(keep_sockets)
        page.goto(server.url + "/" + query)
        until(page, "window.sockets?.[0]?.readyState === 1")
        page.keyboard.press("l")
        until(page, "document.querySelector('#tail').textContent.includes('hello')")
        page.evaluate("window.sockets[0].close()")
        page.wait_for_selector("#notices >> text=is cut")
        until(page, "document.querySelector('#tail').textContent.includes('morning')")
        page.wait_for_selector("#notices >> text=is cut", state="detached")
        page.keyboard.press("l")
        until(page, "!document.body.classList.contains('listening')")
        page.wait_for_selector("#tail", state="hidden")
        shown = words(page)
    found = sorted(list_sessions(server.sessions), key=lambda session: session.name)
    before, after = (" ".join(load_session(s.path).text.split()) for s in found)
    assert before.startswith("hello")
    assert "note today coffee morning" in after
    assert shown.endswith(after)


def test_the_token_is_asked_for(tmp_path: Path, microphone: Path) -> None:
    with serving(tmp_path, token=TOKEN) as server, browsing(microphone) as page:
        page.goto(server.url)
        page.wait_for_selector("#ask[open]")
        page.fill("#ask-value", TOKEN)
        page.keyboard.press("Enter")
        until(page, "document.querySelector('#checks').textContent.includes('runs')")
        page.goto("about:blank")
        page.goto(f"{server.url}/#token={TOKEN}")
        until(page, "document.querySelector('#checks').textContent.includes('runs')")
        assert "token" not in page.url
        cookies = {c["name"]: c for c in page.context.cookies()}
        assert all(c["httpOnly"] for c in cookies.values())
        assert TOKEN not in json.dumps(list(cookies.values()), default=str)


def test_keys_and_a_screen_reader_reach_everything(server: Running, microphone: Path) -> None:
    with opened(server, microphone) as page:
        reached = set()
        for _ in range(20):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate("document.activeElement.id || document.activeElement.tagName")
            )
        assert {"talk", "live", "copy", "mark", "file", "new", "show-sessions"} <= reached
        assert {"SUMMARY", "transcript"} <= reached
        nameless = """[...document.querySelectorAll('button, input, summary, [role=log]')]
            .filter((e) => e.checkVisibility() && !e.innerText && !e.ariaLabel).length"""
        assert page.evaluate(nameless) == 0
        page.focus("#show-sessions")
        page.keyboard.press("Enter")
        page.wait_for_selector("#sessions:not([hidden])")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "show-sessions"
