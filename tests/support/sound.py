"""A microphone without sound hardware: a PulseAudio server of our own with a null sink.

What is played into the sink is what the microphone hears, bit by bit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

# Rewinding would now and then play a piece twice.
CONFIGURATION = """\
load-module module-native-protocol-unix
load-module module-null-sink sink_name=speaker rate=16000 channels=1 format=s16le norewinds=1
load-module module-remap-source source_name=microphone master=speaker.monitor
set-default-sink speaker
set-default-source microphone
"""


def missing() -> str:
    """What this machine lacks for a virtual microphone, or an empty string."""
    tools = [tool for tool in ("pulseaudio", "paplay", "pactl") if not shutil.which(tool)]
    return f"needs {', '.join(tools)}" if tools else ""


class VirtualMicrophone:
    """Use as a context manager; give `environment` to the program that shall hear."""

    def __init__(self, *, hiss: bool = False) -> None:
        """`hiss` adds the faint noise of a real microphone (about -90 dBFS)."""
        self._hissing = hiss
        self.folder = Path(tempfile.mkdtemp(prefix="voxtui-sound-"))
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "XDG_RUNTIME_DIR": str(self.folder),
            "PULSE_RUNTIME_PATH": str(self.folder / "pulse"),
            "PULSE_SOURCE": "microphone",
            "HOME": str(self.folder),
        }

    def __enter__(self) -> VirtualMicrophone:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        script = self.folder / "microphone.pa"
        script.write_text(CONFIGURATION)
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(script), "--daemonize=no", "--exit-idle-time=-1"],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 20
        while self._pactl("info") != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("PulseAudio does not answer")
            time.sleep(0.05)
        if self._hissing:
            self._hiss()

    def _hiss(self) -> None:
        # Without it the samples are exact zeros, as those of a muted microphone.
        noise = random.Random(1).choices((0, 1, 255), k=16000)
        pcm = b"".join(bytes((value, 255 if value == 255 else 0)) for value in noise)
        (self.folder / "hiss.raw").write_bytes(pcm * 600)
        subprocess.Popen(
            [
                *("pacat", "--playback", "--raw", "--device=speaker"),
                *("--format=s16le", "--rate=16000", "--channels=1", "--latency-msec=200"),
                str(self.folder / "hiss.raw"),
            ],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Kill the server, as when a microphone is unplugged."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def play(self, wav: Path) -> None:
        """Play a file into the microphone; returns when it has been heard."""
        subprocess.run(
            ["paplay", "--device=speaker", str(wav)],
            env={**os.environ, **self.environment},
            check=True,
            timeout=120,
        )

    def _pactl(self, *arguments: str) -> int:
        return subprocess.run(
            ["pactl", *arguments],
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
