"""The real application in the terminal it is started in, with a fake chain behind it.

What the page asks for goes into the file named by the first argument, a line each.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.ui.support import HEARING, READY, FakeBackend, app_with, speech
from voxtui import paths, settingsfile
from voxtui.events import TranscriptChanged
from voxtui.ui.terminal import tty


def main() -> None:
    record, mode = Path(sys.argv[1]), sys.argv[2]
    lock = threading.Lock()

    def write(line: str) -> None:
        with lock, record.open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    log = record.with_suffix(".log")
    with tty.set_aside(log, sound_on_stdin=mode == "piped") as sound_fd:

        def recorded(line: str) -> None:
            write(line)
            if line == "start":
                threading.Thread(target=_after_start, args=(write, sound_fd)).start()

        kept, _ = settingsfile.load(paths.config_file())
        script = [HEARING, READY]
        if mode == "spoken":
            script.append(TranscriptChanged((speech("turn the lite on"),)))
        backend = FakeBackend(script, record=recorded)
        app_with(backend, own_terminal=True, settings=kept).run()
    write("left")
    print("kept in a folder")


def _after_start(write, sound_fd: int | None) -> None:  # type: ignore[no-untyped-def]
    os.write(2, b"ALSA lib pcm.c:2664: NOISE on descriptor 2\n")
    if sound_fd is not None:
        heard = b""
        while chunk := os.read(sound_fd, 65536):
            heard += chunk
        write(f"sound {len(heard)}")
    write("ready")


main()
