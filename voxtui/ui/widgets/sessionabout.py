"""What stands above a session in the library."""

from __future__ import annotations

from textual.content import Content

from voxtui.session.library import LoadedSession, SessionInfo
from voxtui.session.markdown import day
from voxtui.ui.words import clock, count, elapsed, model_name


def about(info: SessionInfo, loaded: LoadedSession | None, problem: str) -> Content:
    """What stands above a session: when, how long, by what it was written, what is wrong."""
    parts = [info.title] if info.title else []
    if info.started:
        parts.append(f"{day(info.started)}, {clock(info.started)}")
    parts += [elapsed(info.audio_s), count(info.words, "word")]
    if loaded is not None:
        meta = loaded.meta
        parts.append(model_name(meta.model))
        parts.append(f"{meta.delay_ms} ms" if meta.delay_ms else "")
    whole = (part.replace(" ", "\u00a0") for part in parts if part)
    told = Content.styled(" · ".join(whole), "$muted")
    if problem:
        return Content.assemble(told, "\n", (problem, "$warning"))
    if loaded is not None and loaded.live:
        return Content.assemble(told, "\n", ("● being written now", "$accent"))
    if loaded is not None and loaded.pending_s >= 1.0:
        rest = f"The last {loaded.pending_s:.0f} s are not written down: T writes all of it again."
        return Content.assemble(told, "\n", (rest, "$warning"))
    return told
