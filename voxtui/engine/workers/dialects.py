"""How servers speak: messages for a session, its sound and its end, and what answers mean. Pure.

`commit` means opposite things: to vLLM a plain one starts, to OpenAI it ends a turn.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

Json = dict[str, Any]
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Delta:
    """More text; may be empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """All text of the sound so far is out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something went wrong there; `hopeless` where trying again cannot help."""

    message: str
    hopeless: bool = False


Answer = Delta | Done | Problem


class Dialect(Protocol):
    """One way to speak. A turn is what is between the start and the done."""

    counts: bool
    """There is one delta for each step of the model (80 ms), so counting them gives times."""
    rate: int
    """Samples a second."""
    reusable: bool
    """After a done another turn may follow on the same connection."""
    long_s: float
    """A turn so long is ended in the next pause."""
    longest_s: float
    """… and this long at once."""
    pause_s: float

    def address(self, url: str, model: str) -> str:
        """Where to connect."""
        ...

    def opening(self, model: str, delay_ms: int) -> list[Json]:
        """Once for each connection."""
        ...

    def start(self) -> list[Json]:
        """A turn begins."""
        ...

    def sound(self, pcm: bytes) -> Json:
        """Samples of the turn."""
        ...

    def finish(self) -> list[Json]:
        """The turn ends; a `Done` is expected."""
        ...

    def read(self, event: Json) -> Answer | None:
        """What the server says; None for what does not matter."""
        ...


def _address(url: str, path: str, **query: str) -> str:
    """A WebSocket address: `path` where none is given, the query where it is not there yet."""
    scheme, place, given, old, _ = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    if given.rstrip("/") in ("", "/v1"):
        given = path
    wanted = {name: value for name, value in query.items() if f"{name}=" not in old}
    return urlunsplit((scheme, place, given, "&".join(filter(None, (old, urlencode(wanted)))), ""))


def _encoded(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


def _error(event: Json) -> tuple[str, str]:
    """The sentence and the code of an error, which may be flat or nested."""
    error = event.get("error")
    inner = error if isinstance(error, dict) else {}
    message = inner.get("message", error) or event.get("message") or "no reason given"
    return str(message), str(inner.get("code") or event.get("code") or "")


class Vllm:
    """vLLM's own, and that of `voxtui serve`."""

    counts, rate, reusable = True, 16000, True
    long_s, longest_s, pause_s = 2.5 * HOUR, 2.8 * HOUR, 1.0
    # The model's positions end at 131072 steps: 2.9 hours.

    def address(self, url: str, model: str) -> str:
        return _address(url, "/v1/realtime")

    def opening(self, model: str, delay_ms: int) -> list[Json]:
        return [{"type": "session.update", "model": model}]

    def start(self) -> list[Json]:
        return [{"type": "input_audio_buffer.commit"}]

    def sound(self, pcm: bytes) -> Json:
        return {"type": "input_audio_buffer.append", "audio": _encoded(pcm)}

    def finish(self) -> list[Json]:
        return [{"type": "input_audio_buffer.commit", "final": True}]

    def read(self, event: Json) -> Answer | None:
        match event.get("type"):
            case "transcription.delta":
                return Delta(str(event.get("delta", "")))
            case "transcription.done":
                return Done()
            case "error":
                message, code = _error(event)
                return Problem(message, code in ("model_not_found", "model_not_validated"))
        return None


class OpenAI:
    """OpenAI's transcription sessions. Words come turn by turn, so turns end in short pauses."""

    counts, rate, reusable = False, 24000, True
    long_s, longest_s, pause_s = 1.5, 20.0, 0.6

    def address(self, url: str, model: str) -> str:
        return _address(url, "/v1/realtime", intent="transcription")

    def opening(self, model: str, delay_ms: int) -> list[Json]:
        sound = {
            "format": {"type": "audio/pcm", "rate": self.rate},
            "transcription": {"model": model},
            "turn_detection": None,
        }
        session = {"type": "transcription", "audio": {"input": sound}}
        return [{"type": "session.update", "session": session}]

    def start(self) -> list[Json]:
        return []

    def sound(self, pcm: bytes) -> Json:
        return {"type": "input_audio_buffer.append", "audio": _encoded(pcm)}

    def finish(self) -> list[Json]:
        return [{"type": "input_audio_buffer.commit"}]

    def read(self, event: Json) -> Answer | None:
        match event.get("type"):
            case "conversation.item.input_audio_transcription.delta":
                return Delta(str(event.get("delta", "")))
            case "conversation.item.input_audio_transcription.completed":
                return Done()
            case "conversation.item.input_audio_transcription.failed":
                return Problem(_error(event)[0])
            case "error":
                message, code = _error(event)
                if code == "input_audio_buffer_commit_empty":
                    return Done()  # too short for a word
                return Problem(message, code in ("model_not_found", "invalid_api_key"))
        return None


class Mistral:
    """Mistral's hosted service."""

    counts, rate, reusable = False, 16000, False
    long_s, longest_s, pause_s = 240.0, 300.0, 1.0

    def address(self, url: str, model: str) -> str:
        return _address(url, "/v1/audio/transcriptions/realtime", model=model)

    def opening(self, model: str, delay_ms: int) -> list[Json]:
        session: Json = {"audio_format": {"encoding": "pcm_s16le", "sample_rate": self.rate}}
        if delay_ms:
            session["target_streaming_delay_ms"] = delay_ms
        return [{"type": "session.update", "session": session}]

    def start(self) -> list[Json]:
        return []

    def sound(self, pcm: bytes) -> Json:
        return {"type": "input_audio.append", "audio": _encoded(pcm)}

    def finish(self) -> list[Json]:
        return [{"type": "input_audio.flush"}, {"type": "input_audio.end"}]

    def read(self, event: Json) -> Answer | None:
        match event.get("type"):
            case "transcription.text.delta":
                return Delta(str(event.get("text", "")))
            case "transcription.done":
                return Done()
            case "error":
                message, code = _error(event)
                return Problem(message, code in ("401", "403", "404", "invalid_model"))
        return None


DIALECTS: dict[str, Dialect] = {"vllm": Vllm(), "openai": OpenAI(), "mistral": Mistral()}
