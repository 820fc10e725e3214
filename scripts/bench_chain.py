#!/usr/bin/env python3
"""Measure the whole chain with the small model: speed, delay, memory.

- speed: real-time factor of the engine over all bundled clips (compute time / audio time);
- delay: from the end of a word in the sound to its text at the listener of the pipeline, while
  the clips are heard at real-time speed, beside the delay setting;
- memory: the engine's resident memory after 1 minute and after 1 hour of sound, fed faster than
  real time.

Prints a table; `--json FILE` writes the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtui import paths
from voxtui.audio.files import FileSource
from voxtui.engine.config import EngineConfig
from voxtui.engine.locate import find_engine
from voxtui.events import Event, Segment, TranscriptChanged
from voxtui.pipeline import Pipeline, PipelineConfig

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Clip:
    """A bundled recording; word ends in seconds."""

    path: Path
    ends: list[float]
    seconds: float


def load_clips() -> list[Clip]:
    clips = []
    for entry in json.loads((paths.clips_dir() / "expected.json").read_text()):
        path = paths.clips_dir() / entry["wav"]
        with wave.open(str(path)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
        clips.append(Clip(path, [word[2] for word in entry["words"]], seconds))
    return clips


def real_time_factor(clips: list[Clip], threads: int) -> float:
    """Engine's own encoder, decoder and prefill time over the audio time, all clips."""
    spent = heard = 0.0
    for clip in clips:
        done = subprocess.run(
            [
                *(str(find_engine()), "-d", str(paths.builtin_model_dir()), "-i", str(clip.path)),
                *("--events", "--threads", str(threads)),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            event = json.loads(line)
            if event["type"] == "utterance_end":
                spent += event["encoder_ms"] + event["decoder_ms"]
                heard += event["audio_in"]
    return spent / 1000 / heard


class Stopwatch:
    """Notes when each word of the transcript came first, on the monotonic clock."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self._settled = 0

    def __call__(self, event: Event) -> None:
        if not isinstance(event, TranscriptChanged):
            return
        self._settled += sum(len(segment.words) for segment in event.settled)
        seen = self._settled + (len(event.tail.words) if isinstance(event.tail, Segment) else 0)
        self.arrivals += [time.monotonic()] * (seen - len(self.arrivals))


def delays_of(clip: Clip, delay_ms: int, interval_s: float) -> list[float]:
    """Seconds from the end of each word in the sound to its text, heard at real-time speed."""
    watch = Stopwatch()
    begun: list[float] = []

    class Source(FileSource):
        def start(self, post: Any) -> None:
            begun.append(time.monotonic())
            super().start(post)

    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(
            PipelineConfig(
                source=lambda: Source(clip.path, realtime=True),
                engine=EngineConfig(paths.builtin_model_dir(), delay_ms, interval_s),
                sessions_dir=Path(folder),
                keep_everything=True,
            ),
            watch,
        )
        pipeline.start()
        pipeline.wait_idle(clip.seconds + 30)
        pipeline.close()
    if len(watch.arrivals) != len(clip.ends):
        return []  # a wrong text has no delay
    return [at - begun[0] - end for at, end in zip(watch.arrivals, clip.ends, strict=True)]


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    kb = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True
    )
    return int(kb.stdout) / 1024


def memory(clips: list[Clip], minutes: tuple[float, ...]) -> dict[str, float]:
    """The engine's resident memory after so many minutes of sound, MB."""
    pcm = b""
    for clip in clips:
        with wave.open(str(clip.path)) as sound:
            pcm += sound.readframes(sound.getnframes())
    engine = subprocess.Popen(
        [str(find_engine()), "-d", str(paths.builtin_model_dir()), "--stdin", "--silent"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert engine.stdin is not None
    figures, fed = {}, 0.0
    for minute in minutes:
        while fed < minute * 60:
            engine.stdin.write(pcm)
            fed += len(pcm) / 2 / SAMPLE_RATE
        time.sleep(2)  # let it work off what the pipe holds
        figures[f"{minute:g} min"] = resident_mb(engine.pid)
    engine.stdin.close()
    engine.wait()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--delays", type=int, nargs="*", default=[240, 480, 960])
    parser.add_argument("--interval", type=float, default=0.5)
    options = parser.parse_args()
    clips = load_clips()
    report: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "date": time.strftime("%Y-%m-%d"),
        "real_time_factor": real_time_factor(clips, options.threads),
        "delay": {},
        "memory_mb": memory(clips, (1, 60)),
    }
    print(f"real-time factor        {report['real_time_factor']:.4f}")
    for minute, mb in report["memory_mb"].items():
        print(f"memory after {minute:>7}    {mb:.1f} MB")
    print(f"\ninterval {options.interval} s")
    print(f"{'delay setting':>14} {'median':>8} {'95 %':>8}   words")
    for delay_ms in options.delays:
        found = sorted(d for clip in clips for d in delays_of(clip, delay_ms, options.interval))
        if not found:
            continue
        median, high = statistics.median(found), found[int(0.95 * (len(found) - 1))]
        report["delay"][delay_ms] = {"median_s": median, "p95_s": high, "words": len(found)}
        print(f"{delay_ms:>11} ms {median:>7.2f}s {high:>7.2f}s {len(found):>7}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
