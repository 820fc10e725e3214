#!/usr/bin/env python3
"""Record the real application at work in a terminal, as an asciinema cast and as a GIF.

    .venv/bin/python scripts/record.py

The bundled recording is heard with the small model at the speed of speech, while keys are pressed
as a person would. Draws screenshots/demo.gif (needs DejaVu Sans Mono; Debian: apt install
fonts-dejavu-core); `--cast FILE` keeps the recording itself (asciicast v2).
"""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont
from watched import Watched

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 100, 28
FONTS = Path("/usr/share/fonts/truetype/dejavu")
FONT_PX, CELL, MARGIN = 14, (8, 17), 10
FRAME_S = 0.1
COLOURS = 64
HOLD_END_S = 2.5
ANSI = {
    "black": "16181b", "red": "cc6666", "green": "58c9ae", "brown": "e5a54b",
    "blue": "6699cc", "magenta": "b294bb", "cyan": "58c9ae", "white": "e3e2de",
    "default": "e3e2de",
}  # fmt: skip

Cast = list[tuple[float, str]]


def play(terminal: Watched) -> None:
    """What the person does."""
    terminal.wait_for("settings")
    terminal.wait_for("hello computer please write")
    terminal.watch(2.0)
    terminal.type("m")
    terminal.watch(0.6)
    slowly(terminal, "ask about the kitchen")
    terminal.type("\r")
    terminal.wait_for("music yes", 60)
    terminal.watch(2.0)
    terminal.type("s")
    terminal.watch(3.0)
    terminal.type("\x1b")
    terminal.wait_for("hello café", 60)
    terminal.watch(1.5)
    terminal.type("/")
    terminal.watch(0.5)
    slowly(terminal, "coffee")
    terminal.watch(1.5)
    terminal.type("\x1b")
    terminal.watch(HOLD_END_S)


def slowly(terminal: Watched, text: str) -> None:
    """Type as a person does."""
    for letter in text:
        terminal.type(letter)
        terminal.watch(0.06)
    terminal.watch(0.4)


def record() -> Cast:
    """Run the application; gives what it drew and when."""
    cast: Cast = []
    began = time.monotonic()
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def seen(at: float, data: bytes) -> None:
        cast.append((at - began, decode(data)))

    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("SSH_CONNECTION", "SSH_TTY")},
            "VOXTUI_HOME": home,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "voxtui", "--demo"]
        terminal = Watched(command, environment, COLUMNS, ROWS, seen)
        play(terminal)
        count = len(cast)
        terminal.close()
    return cast[:count]


def write_cast(cast: Cast, path: Path) -> None:
    """asciicast v2: a header, then one event a line."""
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "voxtui"}
    lines = [json.dumps(head), *(json.dumps([round(at, 3), "o", text]) for at, text in cast)]
    path.write_text("\n".join(lines) + "\n")


def frames(cast: Cast) -> Iterator[tuple[pyte.Screen, float]]:
    """The screen ten times a second, each with the seconds it stands; still ones are joined."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    shown = 0.0
    screen.dirty.clear()
    for index, (at, text) in enumerate(cast):
        if at - shown >= FRAME_S and screen.dirty:
            yield screen, at - shown
            shown = at
            screen.dirty.clear()
        stream.feed(text)
        if index == len(cast) - 1:
            yield screen, HOLD_END_S


def rgb(name: str, default: str) -> str:
    """A colour of pyte's as #rrggbb."""
    return "#" + (ANSI.get(name, name) if name != "default" else ANSI.get(default, default))


class Painter:
    """Draws screens with a monospaced font."""

    def __init__(self) -> None:
        def font(name: str) -> ImageFont.FreeTypeFont:
            return ImageFont.truetype(str(FONTS / f"DejaVuSansMono{name}.ttf"), FONT_PX)

        self._fonts: dict[tuple[bool, bool], ImageFont.FreeTypeFont] = {
            (False, False): font(""),
            (True, False): font("-Bold"),
            (False, True): font("-Oblique"),
            (True, True): font("-BoldOblique"),
        }

    def paint(self, screen: pyte.Screen) -> Image.Image:
        """A picture of the screen."""
        size = (COLUMNS * CELL[0] + 2 * MARGIN, ROWS * CELL[1] + 2 * MARGIN)
        ground = rgb(screen.buffer[0][0].bg, "black")
        picture = Image.new("RGB", size, ground)
        draw = ImageDraw.Draw(picture)
        for row in range(ROWS):
            for column in range(COLUMNS):
                cell = screen.buffer[row][column]
                ink, back = rgb(cell.fg, "default"), rgb(cell.bg, "black")
                if cell.reverse:
                    ink, back = back, ink
                x, y = MARGIN + column * CELL[0], MARGIN + row * CELL[1]
                if back != ground:
                    draw.rectangle((x, y, x + CELL[0] - 1, y + CELL[1] - 1), back)
                if cell.data.strip():
                    draw.text((x, y), cell.data, ink, self._fonts[cell.bold, cell.italics])
                if cell.underscore:
                    draw.line((x, y + CELL[1] - 2, x + CELL[0], y + CELL[1] - 2), ink)
        return picture


def write_gif(cast: Cast, path: Path) -> None:
    """The recording as an animated picture that plays for ever."""
    painter = Painter()
    pictures: list[Image.Image] = []
    lengths: list[int] = []
    for screen, seconds in frames(cast):
        pictures.append(painter.paint(screen))
        lengths.append(max(20, round(seconds * 100) * 10))
    sample = Image.new("RGB", (pictures[0].width, 3 * pictures[0].height))
    for index, at in enumerate((0, len(pictures) // 2, -1)):
        sample.paste(pictures[at], (0, index * pictures[0].height))
    palette = sample.quantize(COLOURS)
    drawn = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=lengths, loop=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gif", type=Path, default=ROOT / "screenshots" / "demo.gif")
    parser.add_argument("--cast", type=Path, help="keep the recording here")
    options = parser.parse_args()
    cast = record()
    if options.cast:
        write_cast(cast, options.cast)
    write_gif(cast, options.gif)
    print(f"{options.gif}: {options.gif.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
