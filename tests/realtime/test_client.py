"""The client of realtime servers: words, times, and every fault a server may have."""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from websockets.asyncio.server import serve

from tests.realtime.client_rig import FLUSH, QUICK, RESET, Page, audio, transcribe
from tests.realtime.fake_server import FakeServer, Faults
from tests.support.hearing import words
from voxtui.engine.workers.dialects import Vllm
from voxtui.engine.workers.link import Patience, key_for
from voxtui.engine.workers.wire import CannotWork

TLS = Path(__file__).parents[1] / "data" / "tls"
VALUES = range(1001, 1011)
SPEECH = words(*VALUES)
TEXT = "".join(f" w{value}" for value in VALUES)


async def heard(
    faults: Faults | None = None, patience: Patience = QUICK
) -> tuple[Page, FakeServer]:
    async with FakeServer(faults) as server:
        return await transcribe(server.url, [*audio(SPEECH), FLUSH], patience=patience), server


async def test_the_words_and_their_times() -> None:
    page, server = await heard()
    assert page.text() == TEXT
    starts = [token["time"] for token in page.tokens() if token["word_start"]]
    assert starts == pytest.approx([0.64 * (i + 1) for i in range(10)], abs=0.081)
    assert [token["text"] for token in page.tokens() if token["word_start"]] == [" w"] * 10
    (ready,) = page.of("ready")
    assert (ready["engine"], ready["protocol"], ready["delay_ms"]) == ("realtime", 1, 480)
    assert page.of("stats")[-1]["audio_done"] == len(SPEECH) / 32000
    assert [event["type"] for event in page.events[-2:]] == ["utterance_end", "end"]
    assert server.connections == server.generations == 1
    assert not page.of("warning")
    assert not page.of("retracted")


async def test_utterances_share_a_connection() -> None:
    async with FakeServer() as server:
        steps = [*audio(words(1, 2)), FLUSH, FLUSH, *audio(words(3)), FLUSH, *audio(words(4))]
        page = await transcribe(server.url, steps)
    assert [(token["utterance"], token["text"]) for token in page.tokens()][::2] == [
        (0, " w"), (0, " w"), (2, " w"), (3, " w"),
    ]  # fmt: skip
    assert page.text() == " w1 w2 w3 w4"
    assert [event["utterance"] for event in page.of("utterance_end")] == [0, 1, 2, 3]
    assert (server.connections, server.generations) == (1, 3)


async def test_a_server_that_hangs_up_while_nobody_speaks_is_no_news() -> None:
    page = Page()

    async with FakeServer() as server:

        async def hang_up() -> None:
            await page.until(lambda page: bool(page.of("utterance_end")))
            await server.hang_up(4408)

        steps = [*audio(words(1, 2)), FLUSH, hang_up, *audio(words(3)), FLUSH]
        await transcribe(server.url, steps, page=page)
    assert page.text() == " w1 w2 w3"
    assert server.connections == 2
    assert not page.of("warning")


@pytest.mark.parametrize("fault", ["drop_at", "done_at", "error_at"])
async def test_a_turn_that_breaks_off_anywhere_loses_and_doubles_nothing(fault: str) -> None:
    async def one(at: int) -> None:
        page, server = await heard(Faults(**{fault: [at]}))
        assert page.text() == TEXT, (at, page.events)
        assert server.generations == 2
        assert len(page.of("warning")) == (fault != "done_at" or at == 1)

    await asyncio.gather(*(one(at) for at in range(1, 83, 4)))


async def test_many_faults_in_a_row() -> None:
    page, server = await heard(
        Faults(drop_at=[9, 10, 40, 41], done_at=[60, 75], error_at=[90], strange=True)
    )
    assert page.text() == TEXT
    assert server.generations > 6


async def test_a_server_that_is_away_for_a_while() -> None:
    page, server = Page(), FakeServer()
    await server.start()
    third = len(SPEECH) // 3 // 2 * 2

    async def go() -> None:
        await page.until(lambda page: page.text().count("w") >= 2)
        await server.stop()

    async def come_back() -> None:
        await page.until(lambda page: bool(page.of("warning")))
        await asyncio.sleep(0.2)
        await server.start(server.port)

    steps = [*audio(SPEECH[:third]), go, *audio(SPEECH[third:]), FLUSH, come_back]
    await transcribe(server.url, steps, page=page)
    await server.stop()
    assert page.text() == TEXT
    (warning,) = page.of("warning")
    assert warning["code"] == "connection"
    assert "The sound is kept" in warning["message"]


async def test_a_server_that_is_busy_at_first() -> None:
    page, _ = await heard(Faults(refuse=2))
    assert page.text() == TEXT


async def test_blank_over_speech_is_heard_again() -> None:
    page, server = await heard(Faults(rut_at=30))
    assert page.text() == TEXT
    assert server.generations == 2
    assert "nothing although there is speech" in page.of("warning")[0]["message"]


async def test_the_first_word_of_each_turn_has_its_space() -> None:
    async with FakeServer(Faults(no_space=True)) as server:
        page = await transcribe(server.url, [*audio(SPEECH), FLUSH], dialect=ShortTurns())
    assert page.text() == TEXT


async def test_silence_is_no_rut() -> None:
    async with FakeServer() as server:
        page = await transcribe(server.url, [*audio(bytes(32000 * 6)), FLUSH])
    assert server.generations == 1
    assert not page.of("warning")


async def test_a_server_that_falls_silent() -> None:
    page, server = await heard(Faults(silent_at=30))
    assert page.text() == TEXT
    assert server.connections == 2
    assert "does not answer" in page.of("warning")[0]["message"]


class ShortTurns(Vllm):
    """As if the positions ended after three seconds."""

    long_s, longest_s, pause_s = 1.5, 3.0, 0.2


async def test_turns_are_renewed_in_pauses_before_the_positions_end() -> None:
    async with FakeServer() as server:
        steps = [*audio(SPEECH), FLUSH]
        page = await transcribe(server.url, steps, dialect=ShortTurns())
    assert page.text() == TEXT
    assert server.generations > 3
    assert server.connections == 1
    assert not page.of("retracted")


async def test_reset_forgets_the_utterance() -> None:
    page = Page()

    async def some_words() -> None:
        await page.until(lambda page: page.text().count("w") >= 2)

    async with FakeServer() as server:
        steps = [*audio(SPEECH), some_words, RESET, RESET, *audio(words(7)), FLUSH]
        await transcribe(server.url, steps, page=page)
    assert [event["reason"] for event in page.of("utterance_end")] == ["reset", "reset", "flush"]
    assert [t["text"] for t in page.tokens() if t["utterance"] == 2] == [" w", "7"]


async def test_a_long_file_is_not_sent_all_at_once() -> None:
    async with FakeServer() as server:
        page = Page()
        sound = words(*([5] * 120))  # 77 seconds
        await transcribe(server.url, [*audio(sound, 16000), FLUSH], page=page)
    assert page.text() == " w5" * 120
    assert page.of("stats")[-1]["audio_done"] == pytest.approx(len(sound) / 32000)


async def test_the_key_is_asked_for_and_given() -> None:
    async with FakeServer(key="secret") as server:
        with pytest.raises(CannotWork, match="VOXTUI_REALTIME_KEY"):
            await transcribe(server.url, [FLUSH])
        page = await transcribe(server.url, [*audio(words(1)), FLUSH], key="secret")
    assert page.text() == " w1"
    assert "secret" not in str(page.events)


async def test_what_cannot_be_helped_is_said_at_once() -> None:
    async with FakeServer(Faults(no_model=True)) as server:
        with pytest.raises(CannotWork, match="does not exist"):
            await transcribe(server.url, [*audio(words(1)), FLUSH])
        url = server.url
    with pytest.raises(CannotWork, match=re.escape(f"No server answers at {url}")):
        await transcribe(url, [FLUSH])
    with pytest.raises(CannotWork, match="no address"):
        await transcribe("ftp://localhost/", [FLUSH])


async def test_a_certificate_must_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    fake = FakeServer()
    async with serve(fake._run, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"wss://localhost:{port}/v1/realtime"
        with pytest.raises(CannotWork, match="cannot be trusted: self"):
            await transcribe(url, [FLUSH])
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
        page = await transcribe(url, [*audio(words(1)), FLUSH])
    assert page.text() == " w1"


async def test_a_key_over_an_open_line_is_warned_of() -> None:
    page = Page()
    quick = Patience(start=0.0)
    with pytest.raises(CannotWork):
        await transcribe("ws://0.0.0.0:9/", [FLUSH], key="secret", page=page, patience=quick)
    assert [event["code"] for event in page.of("warning")] == ["unencrypted"]


def test_the_key_comes_from_the_environment_or_the_keyring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VOXTUI_REALTIME_KEY", raising=False)
    kept = {("voxtui", "host.example"): "from the ring"}
    keyring = SimpleNamespace(get_password=lambda service, name: kept.get((service, name)))
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert key_for("wss://host.example:8000/v1/realtime") == "from the ring"
    assert key_for("wss://other.example/") == ""
    monkeypatch.setenv("VOXTUI_REALTIME_KEY", "from the environment")
    assert key_for("wss://host.example:8000/v1/realtime") == "from the environment"


async def test_words_come_while_it_is_spoken() -> None:
    page, times = Page(), []

    async def look() -> None:
        await page.until(lambda page: page.text().count("w") >= 5)
        times.append(time.monotonic())

    half = len(SPEECH) // 2 // 2 * 2 + 32000
    async with FakeServer() as server:
        steps = [*audio(SPEECH[:half]), look, *audio(SPEECH[half:]), FLUSH]
        await transcribe(server.url, steps, page=page)
    assert times
    assert page.text() == TEXT
