"""What was said in OpenAI's formats."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from voxtui.events import Segment, SegmentKind
from voxtui.session.exports import export
from voxtui.session.meta import SessionMeta
from voxtui.session.words import word_start_s

FORMATS = {
    "json": "application/json",
    "text": "text/plain",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "verbose_json": "application/json",
}
"""By name, with their media types."""


def spoken(segments: Sequence[Segment]) -> list[Segment]:
    """Those that are speech and hold words, in their order."""
    return [s for s in segments if s.kind is SegmentKind.SPEECH and s.text]


def text_of(segments: Sequence[Segment]) -> str:
    """All that was said, with spaces between the paragraphs."""
    return " ".join(segment.text for segment in spoken(segments))


def usage(duration_s: float) -> dict[str, Any]:
    """What it took: by duration, since a local model costs no tokens."""
    return {"type": "duration", "seconds": math.ceil(duration_s)}


def rendered(
    segments: Sequence[Segment],
    fmt: str,
    *,
    duration_s: float,
    language: str = "",
    words: bool = False,
    paragraphs: bool = True,
) -> str:
    """The segments in one of `FORMATS`; `words` and `paragraphs` are what verbose_json holds."""
    match fmt:
        case "text":
            return text_of(segments) + "\n"
        case "srt" | "vtt":
            return export(segments, fmt, SessionMeta())
        case "json":
            return json.dumps(
                {"text": text_of(segments), "usage": usage(duration_s)}, ensure_ascii=False
            )
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": language,
        "duration": round(duration_s, 3),
        "text": text_of(segments),
    }
    if words:
        answer["words"] = list(_words(segments))
    if paragraphs:
        answer["segments"] = [_segment(n, s) for n, s in enumerate(spoken(segments))]
    answer["usage"] = usage(duration_s)
    return json.dumps(answer, ensure_ascii=False)


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """One paragraph. What this model does not have (temperature, silence) is 0."""
    probable = [max(word.probability, 1e-6) for word in segment.words]
    mean = sum(map(math.log, probable)) / len(probable) if probable else 0.0
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(mean, 4),
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def _words(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    found = []
    for segment in spoken(segments):
        before_s = segment.start_s
        for word in segment.words:
            start_s, before_s = word_start_s(word, before_s), max(word.end_s, before_s)
            found.append(
                {"word": word.text.strip(), "start": round(start_s, 3), "end": round(before_s, 3)}
            )
    return found
