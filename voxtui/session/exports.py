"""A session as text, Markdown, subtitles or JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from voxtui.events import Alternative, Segment, SegmentKind
from voxtui.session.cues import Cue, cues
from voxtui.session.markdown import render
from voxtui.session.meta import SessionMeta, iso_time

FORMATS = ("txt", "md", "srt", "vtt", "json")


def export(segments: Sequence[Segment], fmt: str, meta: SessionMeta) -> str:
    """The segments in one of `FORMATS`, in the order of their time; not those taken away."""
    ordered = sorted((s for s in segments if s.text), key=lambda segment: segment.start_s)
    match fmt:
        case "txt":
            return "".join(f"{_line(segment)}\n" for segment in ordered)
        case "md":
            return render(ordered, meta)
        case "srt":
            return _srt(cues(ordered))
        case "vtt":
            return _vtt(ordered)
        case "json":
            return json.dumps(as_json(ordered, meta), ensure_ascii=False, indent=1) + "\n"
    raise ValueError(f"unknown format {fmt}")


def _line(segment: Segment) -> str:
    text = " ".join(segment.text.split())
    if segment.kind is SegmentKind.NOTE:
        return f"[mark: {text}]"
    return f"[{text}]" if segment.kind is SegmentKind.GAP else text


def as_json(segments: Iterable[Segment], meta: SessionMeta) -> dict[str, Any]:
    """The session for programs. Times are seconds of its sound."""
    about = {"began": iso_time(meta.started)} if meta.started else {}
    return {
        "format": 1,
        "session": {**about, **asdict(meta)},
        "segments": [segment_json(segment) for segment in segments],
    }


def segment_json(segment: Segment) -> dict[str, Any]:
    """One paragraph for programs."""
    fields: dict[str, Any] = {
        "kind": segment.kind.value,
        "start": segment.start_s,
        "end": segment.end_s,
        "wall_time": segment.wall_time,
        "text": segment.text,
    }
    if segment.kind is SegmentKind.SPEECH:
        fields["words"] = [
            {
                "text": word.text,
                "end": word.end_s,
                "probability": word.probability,
                **(
                    {"alternatives": [_alternative(other) for other in word.alternatives]}
                    if word.alternatives
                    else {}
                ),
            }
            for word in segment.words
        ]
    return fields


def _alternative(other: Alternative) -> dict[str, Any]:
    fields: dict[str, Any] = {"text": other.text, "probability": other.probability}
    return fields if other.whole else {**fields, "beginning": True}


# ---- subtitles ---------------------------------------------------------------------------


def _time(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"


def _srt(found: Iterable[Cue]) -> str:
    return "".join(
        f"{number}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n"
        + "\n".join(_srt_text(line) for line in cue.lines)
        + "\n\n"
        for number, cue in enumerate(found, 1)
    )


def _srt_text(line: str) -> str:
    """SubRip has no escapes: an invisible joiner keeps players from seeing a tag or a time."""
    return re.sub(r"(<(?=[a-zA-Z/])|\{(?=\\)|--(?=>))", "\\1\u2060", line)


def _vtt(segments: Sequence[Segment]) -> str:
    """WebVTT; notes and gaps are its comments."""
    blocks = [
        (
            (cue.start_ms, 1),
            f"{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n"
            + "\n".join(html.escape(line, quote=False) for line in cue.lines),
        )
        for cue in cues(segments)
    ]
    blocks += [
        ((round(segment.start_s * 1000), 0), "NOTE " + _line(segment).replace("-->", "→"))
        for segment in segments
        if segment.kind is not SegmentKind.SPEECH
    ]
    blocks.sort(key=lambda block: block[0])  # a mark before what begins with it
    return "WEBVTT\n\n" + "".join(f"{text}\n\n" for _, text in blocks)
