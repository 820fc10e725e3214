"""Plain signs in place of fine ones, for fonts that lack those: one for one, so nothing moves."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

PLAIN = str.maketrans(
    {
        **dict.fromkeys("█▉▊▋▌▍▎▀▄", "#"),
        **dict.fromkeys("▏│┃╎▐▕", "|"),
        **dict.fromkeys("─━▁▔▂", "_"),
        **dict.fromkeys("·•∙", "."),
        **dict.fromkeys("●⏺", "*"),
        **dict.fromkeys("○◦", "o"),
        **dict.fromkeys("▸›▶→»", ">"),
        **dict.fromkeys("‹◂←«", "<"),
        "↑": "^",
        "↓": "v",
        "…": "~",
        "×": "x",
        "✓": "+",
        "✗": "x",
        **dict.fromkeys("“”", '"'),
        **dict.fromkeys("‘’", "'"),
        "–": "-",
        "—": "-",
    }
)


def needed(env: Mapping[str, str]) -> bool:
    """Is this a screen whose font has few signs: the console of Linux?"""
    return env.get("TERM") == "linux"


class PlainGlyphs(LineFilter):
    """Translates what is drawn, when it is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with plain signs."""
        return [
            segment
            if segment.text.isascii()
            else Segment(segment.text.translate(PLAIN), segment.style, segment.control)
            for segment in segments
        ]
