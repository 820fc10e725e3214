#!/usr/bin/env python3
"""Stands in for the program `voxtral` of antirez/voxtral.c: prints what that prints.

It reads standard input as that does (the first 4096 bytes, then 8192 at a time), hears words in
the sound itself (see hearing.py), writes signs to standard error after each
piece of work and text to standard output, and its two summary lines at the end.

    FAKE_SPLIT     so many bytes in one write (1: byte by byte), each flushed
    FAKE_RESTART   a sign such as ↯♻ in the middle
    FAKE_DIE       end with code 1 after so many words
    FAKE_OLD       know no --monitor
"""

from __future__ import annotations

import os
import sys

from tests.support.hearing import Model

SPLIT = int(os.environ.get("FAKE_SPLIT", "0"))


def put(fd: int, text: str) -> None:
    data = text.encode()
    step = SPLIT or len(data) or 1
    for at in range(0, len(data), step):
        os.write(fd, data[at : at + step])


def read(size: int) -> bytes:
    """As fread does: all of it, or what is left."""
    data = b""
    while len(data) < size and (more := os.read(0, size - len(data))):
        data += more
    return data


def usage() -> None:
    put(2, "voxtral.c — Voxtral Realtime 4B speech-to-text\n\n  --stdin       Read audio\n")
    if "FAKE_OLD" not in os.environ:
        put(2, "  --monitor     Show non-intrusive symbols inline with output (stderr)\n")


class Voxtral:
    def __init__(self) -> None:
        self.model = Model()
        self.monitor = "--monitor" in sys.argv
        self.first = True
        self.words = self.texts = self.steps = 0

    def sign(self, text: str) -> None:
        if self.monitor:
            put(2, text)

    def work(self, tokens: list[str]) -> None:
        if not tokens:
            return
        self.sign("▶" if self.steps else "▶·")
        texts = [token for token in tokens if token]
        self.sign("▪" if texts else "▫")
        self.steps += len(tokens)
        for text in texts:
            self.words += text.startswith(" ")
            put(1, text.lstrip() if self.first else text)
            self.first = False
        self.texts += len(texts)
        if texts and self.words == 2:
            self.sign(os.environ.get("FAKE_RESTART", ""))
        if self.words >= int(os.environ.get("FAKE_DIE", "1000")):
            put(2, "\nvox_decoder_forward: something is wrong\n")
            os._exit(1)

    def run(self) -> int:
        put(2, "Loading weights...\nModel loaded.\n")
        head = read(4096)
        if len(head) < 4:
            put(2, "Not enough data on stdin\n")
            return 1
        self.work(self.model.hear(head))
        while data := read(8192):
            self.work(self.model.hear(data))
        self.work(self.model.finish())
        put(1, "\n")
        put(2, f"Encoder: 123 mel -> {self.steps} tokens (45 ms)\n")
        text = f"Decoder: {self.texts} text tokens ({self.steps} steps) in 678 ms"
        put(2, f"{text} (prefill 12 ms + 3.4 ms/step)\n")
        return 0


def main() -> int:
    if "-h" in sys.argv:
        usage()
        return 0
    if "--monitor" in sys.argv and "FAKE_OLD" in os.environ:
        put(2, "Unknown option: --monitor\n")
        return 1
    folder = sys.argv[sys.argv.index("-d") + 1]
    if os.path.getsize(os.path.join(folder, "consolidated.safetensors")) == 0:
        put(2, f"Failed to load model from {folder}\n")
        return 1
    return Voxtral().run()


if __name__ == "__main__":
    sys.exit(main())
