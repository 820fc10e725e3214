"""The protocol: frames in, JSON Lines out."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.driver import (
    Clip,
    Engine,
    Event,
    audio,
    frame,
    joined_text,
    one_sentence,
    silence,
)

NUMBER = (int, float)
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {
        "protocol": int,
        "engine": str,
        "version": str,
        "backend": str,
        "kernels": str,
        "precision": str,
        "model": str,
        "parameters": int,
        "delay_ms": int,
        "interval": NUMBER,
        "threads": int,
        "sample_rate": int,
        "load_ms": NUMBER,
    },
    "token": {
        "utterance": int,
        "index": int,
        "id": int,
        "text": str,
        "word_start": bool,
        "time": NUMBER,
        "probability": NUMBER,
    },
    "stats": {
        "utterance": int,
        "audio_in": NUMBER,
        "audio_done": NUMBER,
        "lag": NUMBER,
        "encoder_ms": NUMBER,
        "decoder_ms": NUMBER,
        "prefill_ms": NUMBER,
        "steps": int,
        "passes": int,
        "memory_mb": NUMBER,
    },
    "utterance_end": {
        "utterance": int,
        "reason": str,
        "audio_in": NUMBER,
        "encoder_ms": NUMBER,
        "decoder_ms": NUMBER,
        "steps": int,
        "passes": int,
    },
    "configured": {"delay_ms": int, "interval": NUMBER},
    "warning": {"code": str, "message": str},
    "error": {"code": str, "message": str},
    "end": {},
}


def check_event(event: Event) -> None:
    for name, kind in FIELDS[event["type"]].items():
        assert isinstance(event[name], kind), (name, event)
        assert isinstance(event[name], bool) == (kind is bool), (name, event)
        if kind == NUMBER:
            assert event[name] >= 0, (name, event)


def check_run(events: list[Event]) -> None:
    """What holds for each clean run."""
    for event in events:
        check_event(event)
    assert events[0]["type"] == "ready"
    assert events[-1]["type"] == "end"
    assert [e["type"] for e in events].count("ready") == 1
    assert [e["type"] for e in events].count("end") == 1
    ended = [e["utterance"] for e in events if e["type"] == "utterance_end"]
    assert ended == list(range(len(ended)))
    last: dict[int, tuple[int, float]] = {}
    for event in events:
        if event["type"] == "token":
            assert event["text"]
            assert event["probability"] <= 1
            before = last.get(event["utterance"], (-1, 0.0))
            assert event["index"] > before[0]
            assert event["time"] >= before[1]
            last[event["utterance"]] = event["index"], event["time"]
        if event["type"] == "stats":
            assert event["lag"] == pytest.approx(
                max(0, event["audio_in"] - event["audio_done"]), abs=0.002
            )


def test_a_run(engine: Engine, clip: Clip) -> None:
    result = engine.run("--framed", "--events", stdin=audio(clip.pcm) + frame("F") + frame("Q"))
    events = result.events
    check_run(events)
    assert result.code == 0
    assert joined_text(events).strip() == clip.text
    ready, end = events[0], result.of_type("utterance_end")
    assert (ready["protocol"], ready["engine"], ready["delay_ms"]) == (1, "voxtral_c", 480)
    assert (ready["interval"], ready["sample_rate"]) == (0.5, 16000)
    assert ready["model"] == str(engine.model)
    assert len(end) == 1
    assert end[0]["reason"] == "flush"
    assert end[0]["steps"] == len(clip.ids[480])
    assert end[0]["audio_in"] == pytest.approx(clip.seconds, abs=0.001)


def test_word_times_lie_in_the_clip(engine: Engine, clips: list[Clip]) -> None:
    for clip in clips:
        tokens = engine.run("-i", clip.path, "--events").of_type("token")
        assert all(0 < token["time"] <= clip.seconds + 0.5 for token in tokens), clip.path.name
        starts = [token for token in tokens if token["word_start"]]
        assert len(starts) == len(clip.text.split()), clip.path.name


def test_end_of_input_is_the_same_as_quit(engine: Engine, clip: Clip) -> None:
    def words(stdin: bytes) -> list[Event]:
        result = engine.run("--framed", "--events", stdin=stdin)
        assert result.code == 0
        return [e for e in result.events if e["type"] in ("token", "end")]

    assert words(audio(clip.pcm)) == words(audio(clip.pcm) + frame("Q"))


def test_no_audio(engine: Engine) -> None:
    for stdin in (b"", frame("Q"), frame("A") + frame("Q")):
        result = engine.run("--framed", "--events", stdin=stdin)
        assert result.code == 0
        assert not result.of_type("token")
        assert result.events[-1]["type"] == "end"


def test_what_follows_quit_is_not_read(engine: Engine) -> None:
    result = engine.run("--framed", "--events", stdin=frame("Q") + b"anything")
    assert result.code == 0


def test_each_flush_is_answered(engine: Engine, clip: Clip) -> None:
    stdin = frame("F") + (audio(clip.pcm) + frame("F")) * 2 + frame("F") + frame("R")
    result = engine.run("--framed", "--events", stdin=stdin)
    check_run(result.events)
    reasons = [event["reason"] for event in result.of_type("utterance_end")]
    assert reasons == ["flush", "flush", "flush", "flush", "reset"]
    assert joined_text(result.events, 1) == joined_text(result.events, 2) != ""


def test_reset_forgets(engine: Engine, clip: Clip) -> None:
    stdin = audio(clip.pcm) + frame("R") + audio(silence(1)) + frame("F")
    result = engine.run("--framed", "--events", stdin=stdin)
    ends = result.of_type("utterance_end")
    assert [event["reason"] for event in ends] == ["reset", "flush"]
    assert joined_text(result.events, 1) == ""
    assert ends[1]["audio_in"] == pytest.approx(1.0)


def test_configure(engine: Engine, clip: Clip) -> None:
    stdin = frame("C", b'{"delay_ms":960,"interval":0.25,"later":[1,{"x":null}]}')
    stdin += frame("C", b'{"interval":1}') + audio(clip.pcm)
    result = engine.run("--framed", "--events", stdin=stdin)
    configured = result.of_type("configured")
    assert [(e["delay_ms"], e["interval"]) for e in configured] == [(960, 0.25), (960, 1.0)]
    assert result.code == 0


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b'{"delay_ms":"240"}', b'{"delay_ms":100}', b'{"interval":-1}', b"\xff" * 9],
)
def test_wrong_configuration_is_a_warning(engine: Engine, clip: Clip, payload: bytes) -> None:
    result = engine.run("--framed", "--events", stdin=frame("C", payload) + audio(clip.pcm))
    assert [event["code"] for event in result.of_type("warning")] == ["bad_config"]
    assert joined_text(result.events).strip() == clip.text
    assert result.code == 0


@pytest.mark.parametrize(
    "bad",
    [
        b"X\0\0\0\0",
        b"\0\0\0\0\0",
        frame("A", b"odd"),
        b"A\x01\x00\x10\x00",
        b"A\xff\xff\xff\xff",
        frame("F", b"x"),
        b"RIFF\x24\x00\x00\x00WAVE",
    ],
)
def test_bad_frames(engine: Engine, clip: Clip, bad: bytes) -> None:
    """The words before it still come, then one error, then the end of the process."""
    result = engine.run("--framed", "--events", "--silent", stdin=audio(clip.pcm) + bad + b"A" * 99)
    assert result.code == 1
    assert one_sentence(result.err)
    last = result.events[-1]
    assert (last["type"], last["code"]) == ("error", "bad_frame")
    assert joined_text(result.events).strip() == clip.text
    assert not result.of_type("end")


@pytest.mark.parametrize("cut", [1, 3, 5, 6, 1001])
def test_a_cut_off_frame_is_the_end_of_input(engine: Engine, clip: Clip, cut: int) -> None:
    whole = audio(clip.pcm)
    result = engine.run("--framed", "--events", stdin=whole + frame("A", silence(0.1))[:cut])
    assert result.code == 0
    assert [event["code"] for event in result.of_type("warning")] == ["truncated"]
    assert joined_text(result.events).strip() == clip.text
    assert result.events[-1]["type"] == "end"


def test_lines_are_whole_and_come_at_once(engine: Engine, clip: Clip) -> None:
    """Words are there while the input is still open, and each line ends."""
    running = engine.start("--framed", "--events")
    running.wait_for(lambda r: b'"ready"' in r.received)
    running.write(audio(clip.pcm + silence(3)))
    running.wait_for(lambda r: joined_text(r.events()).strip() == clip.text)
    running.write(frame("F"))
    running.wait_for(lambda r: b'"utterance_end"' in r.received)
    running.write(audio(clip.pcm) + frame("F"))
    running.wait_for(lambda r: joined_text(r.events(), 1).strip() == clip.text)
    running.end_input()
    result = running.finish()
    assert result.code == 0
    assert result.out.endswith(b"\n")
    check_run(result.events)


def test_stats_come_at_most_ten_a_second(engine: Engine) -> None:
    started = time.monotonic()
    result = engine.run("--framed", "--events", "-I", "0.08", stdin=audio(silence(60)))
    seconds = time.monotonic() - started
    assert 1 <= len(result.of_type("stats")) <= seconds / 0.1 + 1


def test_lag_counts_what_waits(engine: Engine) -> None:
    """Sound sent at once is in `audio_in` before it was worked on."""
    stdin = audio(silence(60), 480000)
    stats = engine.run("--framed", "--events", "-I", "0.08", stdin=stdin).of_type("stats")
    assert any(event["lag"] > 1.5 for event in stats)
    assert all(event["audio_in"] <= 60.0001 for event in stats)


def test_more_sound_than_the_queue_holds(engine: Engine, clip: Clip) -> None:
    """Back-pressure: nothing is lost, the last words come."""
    stdin = audio(silence(100)) + frame("F") + audio(clip.pcm)
    events = engine.run("--framed", "--events", stdin=stdin).events
    check_run(events)
    assert joined_text(events, 1).strip() == clip.text
    assert max(e["lag"] for e in events if e["type"] == "stats") < 45


def test_alternatives_where_asked_for(engine: Engine, clip: Clip) -> None:
    plain = engine.run("--framed", "--events", stdin=audio(clip.pcm)).of_type("token")
    assert not any("alternatives" in token for token in plain)
    tokens = engine.run("--framed", "--events", "--alt", "1", stdin=audio(clip.pcm)).of_type(
        "token"
    )
    assert [token["text"] for token in tokens] == [token["text"] for token in plain]
    assert any("alternatives" in token for token in tokens)
    for token in tokens:
        others = token.get("alternatives", [])
        assert [other["probability"] for other in others] == sorted(
            (other["probability"] for other in others), reverse=True
        )
        assert all(other["probability"] <= token["probability"] for other in others)
        assert token["text"] not in [other["text"] for other in others]


def test_events_of_a_file_are_those_of_frames(engine: Engine, clip: Clip) -> None:
    file = engine.run("-i", clip.path, "--events")
    framed = engine.run("--framed", "--events", stdin=audio(clip.pcm))
    check_run(file.events)
    assert file.of_type("token") == framed.of_type("token")
    assert file.events[0]["interval"] == 2.0


def test_an_error_before_ready(engine: Engine) -> None:
    result = engine.run("--framed", "--events", "--silent", model=engine.model / "missing")
    assert result.code == 2
    assert [event["type"] for event in result.events] == ["error"]
    assert result.events[0]["code"] == "io"
    assert re.fullmatch(r"[^\n]+\.", result.events[0]["message"])


FRAMES = st.one_of(
    st.builds(lambda n: frame("A", bytes(2 * n)), st.integers(0, 3000)),
    st.builds(
        lambda n, seed: frame("A", bytes((seed * i * i + i) % 251 for i in range(2 * n))),
        st.integers(0, 3000),
        st.integers(0, 250),
    ),
    st.sampled_from([frame("F"), frame("R"), frame("C", b'{"delay_ms":80}'), frame("C", b"{}")]),
    st.builds(
        lambda x: frame("C", json.dumps(x).encode()), st.dictionaries(st.text(), st.floats())
    ),
    st.binary(max_size=12),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(FRAMES, max_size=12))
def test_any_input_ends_well(engine: Engine, frames: list[bytes]) -> None:
    result = engine.run("--framed", "--events", "--silent", stdin=b"".join(frames))
    assert result.code in (0, 1)
    events = result.events
    for event in events:
        check_event(event)
    assert events[-1]["type"] == ("end" if result.code == 0 else "error")
