"""Files over HTTP: OpenAI's endpoint with OpenAI's own client, and the plain one."""

from __future__ import annotations

import io
import json
import wave
from http.client import HTTPConnection
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from tests.serve.conftest import CLIP, SAID, Running, film, form


@pytest.fixture(scope="module")
def client(server: Running) -> OpenAI:
    return OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)


def test_json_is_what_openais_client_expects(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(model="whisper-1", file=CLIP)
    assert answer.text == SAID
    assert answer.usage is not None
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == 3


def test_text(client: OpenAI) -> None:
    text = client.audio.transcriptions.create(model="voxtral", file=CLIP, response_format="text")
    assert text.strip() == SAID


def test_subtitles(client: OpenAI) -> None:
    srt = client.audio.transcriptions.create(model="tiny", file=CLIP, response_format="srt")
    assert str(srt).startswith("1\n00:00:00,")
    vtt = client.audio.transcriptions.create(model="tiny", file=CLIP, response_format="vtt")
    assert str(vtt).startswith("WEBVTT\n\n00:00:00.")
    assert SAID in str(srt)
    assert SAID in str(vtt)


def test_verbose_json_holds_segments_and_words(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(
        model="tiny",
        file=CLIP,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
    )
    assert answer.text == SAID
    assert answer.language == "en"
    assert float(answer.duration) == pytest.approx(2.37, abs=0.02)
    assert answer.words is not None
    assert [word.word for word in answer.words] == SAID.split()
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] < 2.4
    assert answer.segments is not None
    assert answer.segments[0].text == SAID
    assert answer.segments[0].avg_logprob <= 0


def test_segments_alone_by_default(server: Running) -> None:
    answer = server.post_file(
        "/v1/audio/transcriptions", "file", CLIP, response_format="verbose_json"
    )
    assert "words" not in answer.json
    assert len(answer.json["segments"]) == 1


def test_a_stream_grows_word_by_word(client: OpenAI) -> None:
    events = list(client.audio.transcriptions.create(model="tiny", file=CLIP, stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert "".join(deltas) == SAID
    assert len(deltas) >= 3
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == SAID


def test_the_plain_endpoint(server: Running) -> None:
    assert server.post_file("/transcribe", "audio", CLIP).json == {"transcription": SAID}


def test_a_film_is_sound_too(server: Running) -> None:
    answer = server.post_file("/transcribe", "audio", film(), name="holiday.mp4")
    assert answer.json == {"transcription": SAID}


# ---- what is refused -----------------------------------------------------------------------


def test_another_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="gpt-4o-transcribe"):
        client.audio.transcriptions.create(model="gpt-4o-transcribe", file=CLIP)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"response_format": "diarized_json"}, "response_format is one of json, text, srt"),
        ({"timestamp_granularities[]": "word"}, "verbose_json"),
        ({"timestamp_granularities[]": "letter", "response_format": "verbose_json"}, "word and"),
    ],
)
def test_wrong_fields_are_named(server: Running, fields: dict[str, str], said: str) -> None:
    answer = server.post_file("/v1/audio/transcriptions", "file", CLIP, **fields)
    assert answer.status == 400
    assert said in answer.error


def test_what_is_no_sound(server: Running) -> None:
    answer = server.post_file("/transcribe", "audio", b"no sound at all" * 99, name="notes.txt")
    assert (answer.status, answer.error) == (400, "notes.txt is not sound that can be read.")


def test_a_stream_of_what_is_no_sound_has_the_same_status(server: Running) -> None:
    answer = server.post_file("/v1/audio/transcriptions", "file", b"none", stream="true")
    assert answer.status == 400


def test_a_clients_path_is_only_a_name(server: Running) -> None:
    answer = server.post_file("/transcribe", "audio", b"none" * 99, name="../../etc/passwd")
    assert answer.error == "passwd is not sound that can be read."


def test_a_playlist_does_not_open_files_of_the_server(server: Running, tmp_path: Path) -> None:
    listed = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{CLIP}\n#EXT-X-ENDLIST\n"
    answer = server.post_file("/transcribe", "audio", listed.encode(), name="list.m3u8")
    assert answer.status == 400
    joined = f"ffconcat version 1.0\nfile '{CLIP}'\n"
    assert server.post_file("/transcribe", "audio", joined.encode()).status == 400


def test_too_large_is_refused_before_it_comes(server: Running) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/transcribe")
    connection.putheader("Content-Type", "multipart/form-data; boundary=edge")
    connection.putheader("Content-Length", str(4 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"2 MiB" in answer.read()


def test_too_large_is_refused_while_it_comes(server: Running) -> None:
    """Nobody said how large it would be."""
    body, kind = form("audio", bytes(3 << 20), "a.wav", {})
    pieces = (body[at : at + 4096] for at in range(0, (3 << 20) + 1, 4096))
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/transcribe", pieces, {"Content-Type": kind}, encode_chunked=True)
    assert connection.getresponse().status == 413
    assert not list(server.temporary.glob("upload-*"))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{}", "application/json", "multipart/form-data"),
        (b"--edge--\r\n", "multipart/form-data; boundary=edge", "no file"),
        (b"nothing of the kind", "multipart/form-data; boundary=edge", "cannot be read"),
        (form("file", b"x", "a", {})[0], "multipart/form-data; boundary=edge", "field audio"),
        (form("audio", b"x", "a", {})[0][:-8], "multipart/form-data; boundary=edge", "broke off"),
    ],
)
def test_forms_that_are_none(server: Running, body: bytes, kind: str, said: str) -> None:
    answer = server.get("/transcribe", "POST", body, Content_Type=kind)
    assert answer.status == 400
    assert said in answer.error


def test_nothing_of_it_stays(server: Running) -> None:
    server.post_file("/transcribe", "audio", CLIP)
    server.post_file("/transcribe", "audio", b"none" * 99)
    assert not list(server.sessions.glob("*"))


def test_errors_are_json_without_traces(server: Running) -> None:
    for answer in (server.get("/no/such/thing"), server.get("/transcribe")):
        assert answer.status in (404, 405)
        assert set(json.loads(answer.body)) == {"error"}
        assert b"Traceback" not in answer.body


def test_sound_of_other_kinds(server: Running) -> None:
    """44.1 kHz, stereo, 8 bit of nothing: no words, and no error."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((2, 1, 44100, 0, "NONE", ""))
        file.writeframes(bytes([128]) * 88200)
    assert server.post_file("/transcribe", "audio", out.getvalue()).json == {"transcription": ""}
