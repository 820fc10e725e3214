"""Who may speak to the server."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serve.conftest import CLIP, SAID, TOKEN, Running, serving
from voxtui.serve.run import Address, CannotServe, listening, token_from


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that asks for a token."""
    with serving(tmp_path_factory.mktemp("locked"), token=TOKEN) as running:
        yield running


# ---- Host and Origin -----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_it_answers_to_its_names(server: Running, host: str) -> None:
    assert server.get("/api/status", Host=f"{host}:{server.port}").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.168.1.5", "", "[x"]
)
def test_it_does_not_answer_to_others(server: Running, host: str) -> None:
    answer = server.get("/api/status", Host=host)
    assert answer.status in (400, 403)


def test_a_further_name_may_be_given(start: Callable[..., Running]) -> None:
    running = start(hosts=("talk.example",))
    assert running.get("/api/status", Host="talk.example").status == 200
    assert running.get("/api/status", Host="other.example").status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1:1",  # another program of this machine
        "http://127.0.0.1",
        "http://127.0.0.1:x",
    ],
)
def test_pages_from_elsewhere_get_nothing(server: Running, origin: str) -> None:
    for path in ("/api/status", "/api/sessions", "/v1/models", "/"):
        assert server.get(path, Origin=origin).status == 403
    for path in ("/api/live", "/v1/realtime"):
        url = server.ws + path
        with pytest.raises(InvalidStatus) as refused, connect(url, origin=origin):  # type: ignore[arg-type]
            pass
        assert refused.value.response.status_code == 403
        assert "error" in json.loads(refused.value.response.body or b"")


def test_its_own_page_may(server: Running) -> None:
    assert server.get("/api/status", Origin=server.url).status == 200
    with connect(server.ws + "/api/live", origin=server.url) as socket:  # type: ignore[arg-type]
        assert json.loads(socket.recv(5))["type"] == "hello"


def test_what_a_browser_says_about_another_site_counts(server: Running) -> None:
    assert server.get("/api/sessions", Sec_Fetch_Site="cross-site").status == 403
    assert server.get("/", Sec_Fetch_Site="cross-site").status == 200  # a link to the page


def test_the_page_is_locked_in(server: Running) -> None:
    policy = server.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy


# ---- the token -----------------------------------------------------------------------------


def test_nothing_without_the_token_but_the_page(locked: Running) -> None:
    for path in ("/api/status", "/api/sessions", "/v1/models"):
        answer = locked.get(path)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert locked.post_file("/transcribe", "audio", CLIP).status == 401
    for path in ("/api/live", "/v1/realtime"):
        with pytest.raises(InvalidStatus) as refused, connect(locked.ws + path):
            pass
        assert refused.value.response.status_code == 401
    assert locked.get("/").status == 200
    assert locked.get("/health").status == 200


@pytest.mark.parametrize(
    "given", ["Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
)
def test_another_token(locked: Running, given: str) -> None:
    assert locked.get("/api/status", Authorization=given).status == 401


def test_a_refused_socket_leaves_no_noise_in_the_log(
    locked: Running, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    with pytest.raises(InvalidStatus), connect(locked.ws + "/v1/realtime"):
        pass
    assert locked.get("/health").status == 200
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    assert caplog.messages == []


def test_programs_show_the_token(locked: Running) -> None:
    assert locked.get("/api/status", Authorization=f"Bearer {TOKEN}").status == 200
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(locked.ws + "/v1/realtime", additional_headers=headers) as socket:
        assert json.loads(socket.recv(5))["type"] == "session.created"


def test_a_browser_shows_it_once(locked: Running) -> None:
    def login(token: str) -> tuple[int, str]:
        answer = locked.get("/api/login", "POST", json.dumps({"token": token}).encode())
        return answer.status, answer.headers.get("set-cookie", "")

    assert login("wrong") == (401, "")
    status, cookie = login(TOKEN)
    assert status == 200
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert locked.get("/api/status", Cookie=cookie.split(";")[0]).status == 200
    assert locked.get("/api/status", Cookie="voxtui_key=0").status == 401


def test_other_addresses_demand_a_token() -> None:
    with pytest.raises(CannotServe, match="token-file"):
        listening(Address("0.0.0.0", 0), "")
    with listening(Address("0.0.0.0", 0), TOKEN) as port:
        assert port.getsockname()[1]


def test_behind_a_token_any_address_of_the_machine_will_do(start: Callable[..., Running]) -> None:
    running = start(host="0.0.0.0", token=TOKEN)
    bearer = f"Bearer {TOKEN}"
    assert running.get("/api/status", Host="192.168.1.5", Authorization=bearer).status == 200
    assert running.get("/api/status", Host="evil.example", Authorization=bearer).status == 403
    assert running.get("/api/status", Host="192.168.1.5").status == 401


def test_a_token_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token"
    token = token_from(file, "")
    assert len(token) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token_from(file, "") == token
    with pytest.raises(CannotServe, match="too short"):
        token_from(None, "short")


def test_a_port_that_is_taken() -> None:
    with listening(Address("127.0.0.1", 0), "") as port, pytest.raises(CannotServe, match="--port"):
        listening(Address("127.0.0.1", port.getsockname()[1]), "")


def test_the_token_does_for_files_too(locked: Running) -> None:
    content = CLIP.read_bytes()
    head = b'--e\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
    answer = locked.get(
        "/transcribe",
        "POST",
        head + content + b"\r\n--e--\r\n",
        Content_Type="multipart/form-data; boundary=e",
        Authorization=f"Bearer {TOKEN}",
    )
    assert answer.json == {"transcription": SAID}
