from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtui.engine import protocol as wire


def line(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_frames() -> None:
    assert wire.encode_frame(wire.Frame.FLUSH) == b"F\0\0\0\0"
    assert wire.encode_frame(wire.Frame.AUDIO, b"\1\2") == b"A\2\0\0\0\1\2"
    frame = wire.encode_configure(delay_ms=960, interval_s=0.25)
    assert frame[:1] == b"C"
    assert json.loads(frame[5:]) == {"delay_ms": 960, "interval": 0.25}


@pytest.mark.parametrize("payload", [b"\1", bytes(wire.MAX_PAYLOAD + 2)])
def test_frames_that_the_engine_would_refuse(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"samples|limit"):
        wire.encode_frame(wire.Frame.AUDIO, payload)


def test_a_token_as_in_the_document() -> None:
    text = (
        b'{"type":"token","utterance":0,"index":21,"id":1269,"text":" light","word_start":true,'
        b'"time":1.68,"probability":0.998,"alternatives":[{"text":" right","probability":0.001}]}'
    )
    assert wire.parse_line(text) == wire.WireToken(
        0, " light", 1.68, True, 0.998, ((" right", 0.001),)
    )


def test_stats_as_in_the_document() -> None:
    text = (
        b'{"type":"stats","utterance":1,"audio_in":3.2,"audio_done":2.4,"lag":0.8,'
        b'"encoder_ms":40.1,"decoder_ms":52.7,"prefill_ms":3.1,"steps":30,"memory_mb":31.5}'
    )
    assert wire.parse_line(text) == wire.WireStats(1, 3.2, 2.4, 40.1, 52.7, 30, 31.5)


def test_the_other_events() -> None:
    assert wire.parse_line(line(type="end")) == wire.WireEnd()
    assert wire.parse_line(line(type="error", code="io", message="No.")) == wire.WireError(
        "io", "No."
    )
    assert wire.parse_line(line(type="configured", delay_ms=80, interval=1)) == wire.WireConfigured(
        80, 1.0
    )
    ready = wire.parse_line(line(type="ready", protocol=1, engine="x", later=[1]))
    assert isinstance(ready, wire.WireReady)
    assert ready.engine == "x"


def test_what_is_not_known_yet_is_ignored() -> None:
    assert wire.parse_line(line(type="speaker", name="A")) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"\xff",
        b"[" * 100_000,
        line(utterance=1),
        line(type=5),
        line(type="token", utterance=0, text="x"),
        line(type="token", utterance="0", text="x", time=1),
        line(type="token", utterance=0, text=5, time=1),
        line(type="token", utterance=0, text="x", time=True),
        line(type="token", utterance=0, text="x", time=float("nan")),
        line(type="token", utterance=0, text="x", time=float("inf")),
        line(type="token", utterance=0, text="x", time=10**400),
        line(type="token", utterance=0, text="x", time=1, alternatives=[1]),
        line(type="stats", utterance=0),
        line(type="ready"),
    ],
)
def test_what_cannot_be_is_an_error(text: bytes) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.parse_line(text)


def test_words_hold_nothing_that_a_terminal_obeys() -> None:
    other = {"text": "\x9b2J", "probability": 0.1}
    text = " a\x1b]52;c;AAAA\x07\n\u202eb\ud800"
    token = wire.parse_line(
        line(type="token", utterance=0, text=text, time=1, alternatives=[other])
    )
    assert isinstance(token, wire.WireToken)
    assert (token.text, token.alternatives) == (" a]52;c;AAAA b", (("2J", 0.1),))
    warning = wire.parse_line(line(type="warning", message="busy\x1b[2J"))
    assert warning == wire.WireWarning("", "busy[2J")


def damaged(change: tuple[int, int]) -> bytes:
    """A good line with one byte exchanged."""
    good = line(type="token", utterance=0, text=" x", time=1.5, alternatives=[{"text": "y"}])
    place = change[0] % len(good)
    return good[:place] + bytes([change[1]]) + good[place + 1 :]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.tuples(st.integers(0, 150), st.integers(0, 255)).map(damaged))
def test_anything_is_an_event_nothing_or_an_error(data: bytes) -> None:
    try:
        event = wire.parse_line(data)
    except wire.ProtocolError:
        return
    assert event is None or isinstance(event, wire.WireEvent)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=12)), st.integers(1, 7))
def test_lines_do_not_depend_on_the_pieces(lines: list[bytes], size: int) -> None:
    lines = [text.replace(b"\n", b"") for text in lines]
    data = b"".join(text + b"\n" for text in lines)
    splitter = wire.LineSplitter()
    found: list[bytes] = []
    for start in range(0, len(data), size):
        found += splitter.push(data[start : start + size])
    assert found == [text.strip() for text in lines]


def test_a_line_without_end_is_an_error_not_memory() -> None:
    splitter = wire.LineSplitter()
    for _ in range(10):
        assert splitter.push(b"x" * 100_000) == []
    with pytest.raises(wire.ProtocolError):
        splitter.push(b"x" * 100_000)
