#!/usr/bin/env python3
"""Measure the engine: a table of `voxtral --bench`, or side by side with other programs.

    bench_engine.py --types q4_k_m q8_0 --json figures.json
    bench_engine.py --wav clip.wav --model FOLDER \\
        --against 'voxtral.c=/path/voxtral -d FOLDER -i {wav}' --transcribe-cpp MODEL.gguf

The second form times each program on the same files: wall time, of which a first run on each file
is thrown away (it loads the model into the page cache), over the length of the sound.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shlex
import statistics
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

from voxtui.engine.locate import find_engine

TYPES = ["f32", "bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]

TRANSCRIBE_CPP = """
import sys, wave
import numpy as np
import transcribe_cpp
model, threads = transcribe_cpp.Model(sys.argv[1]), int(sys.argv[2])
with model, model.session(n_threads=threads) as session:
    with wave.open(sys.argv[3]) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    print(session.run(pcm.astype(np.float32) / 32768).text)
"""


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def bench(type_: str, options: argparse.Namespace) -> dict[str, Any]:
    """One run of `voxtral --bench`."""
    command = [str(options.engine), "--bench", "--json", "--type", type_]
    command += ["--threads", str(options.threads), "--replay", options.replay]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}: {done.stderr.strip()}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def print_bench(rows: list[dict[str, Any]]) -> None:
    """The figures of several precisions as a Markdown table."""
    intervals = list(rows[0]["live_rtf"])
    head = ["type", "GB/s", "step ms", "bound", "ratio", "encoder ms", "prefill ms", "start ms"]
    head += ["end ms", *(f"live {interval} s" for interval in intervals)]
    head += ["words wait ms", "peak MB", "accepted"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        cells = [row["type"], f"{row['bandwidth_gbs']:.1f}", f"{row['step_ms']:.1f}"]
        cells += [f"{row['step_bound_ms']:.1f}", f"{row['step_ms'] / row['step_bound_ms']:.2f}"]
        cells += [f"{row['encoder_ms_per_token']:.1f}", f"{row['prefill_ms']:.0f}"]
        cells += [f"{row['utterance_start_ms']:.1f}", f"{row['utterance_end_ms']:.0f}"]
        cells += [f"{row['live_rtf'][interval]:.2f}" for interval in intervals]
        cells += [
            f"{row['wait_ms']['mean']:.0f} (whole intervals {row['wait_ms']['whole_mean']:.0f})"
        ]
        cells += [f"{row['peak_mb']:.0f}", f"{row['acceptance']:.2f}"]
        print("| " + " | ".join(cells) + " |")


def programs(options: argparse.Namespace) -> dict[str, list[str]]:
    """Name and command of each program; {wav} stands for the file."""
    ours = [str(options.engine), "-d", str(options.model), "-i", "{wav}", "--silent"]
    found = {"voxtral (ours)": [*ours, "--threads", str(options.threads)]}
    for text in options.against:
        name, equals, command = text.partition("=")
        if not equals or "{wav}" not in command:
            sys.exit(f"--against takes NAME=COMMAND with {{wav}} in it, not '{text}'")
        found[name] = shlex.split(command)
    if options.transcribe_cpp:
        code = [sys.executable, "-c", TRANSCRIBE_CPP, str(options.transcribe_cpp)]
        found["transcribe-cpp"] = [*code, str(options.threads), "{wav}"]
    return found


def run_on(command: list[str], wav: Path) -> tuple[float, str]:
    """Seconds of wall time, and what was written."""
    real = [part.replace("{wav}", str(wav)) for part in command]
    start = time.monotonic()
    done = subprocess.run(real, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"{shlex.join(real)} failed: {done.stderr.strip()[-400:]}")
    return seconds, " ".join(done.stdout.split())


def side_by_side(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Each program on each file, in turn, so that a slow spell of the machine meets all."""
    rows = []
    for path in options.wav:
        with wave.open(str(path)) as sound:
            length = sound.getnframes() / sound.getframerate()
        runs: dict[str, list[float]] = {name: [] for name in programs(options)}
        texts = {}
        for turn in range(options.repeat + 1):
            for name, command in programs(options).items():
                seconds, texts[name] = run_on(command, path)
                if turn > 0:
                    runs[name].append(seconds)
        for name, seconds_list in runs.items():
            seconds = statistics.median(seconds_list)
            rows.append(
                {
                    "program": name,
                    "file": path.name,
                    "audio_s": length,
                    "wall_s": seconds,
                    "real_time_factor": seconds / length,
                    "text": texts[name],
                }
            )
    return rows


def print_side_by_side(rows: list[dict[str, Any]]) -> None:
    print("| file | program | wall s | of real time |\n|---|---|---|---|")
    for row in rows:
        cells = f"{row['wall_s']:.2f} | {row['real_time_factor']:.3f}"
        print(f"| {row['file']} ({row['audio_s']:.2f} s) | {row['program']} | {cells} |")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nlargest program: {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", type=Path, help="the voxtral binary (default: voxtui's)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--types", nargs="+", choices=TYPES, default=["q4_k_m", "q8_0"])
    parser.add_argument("--replay", default="speech", help="as voxtral --replay")
    parser.add_argument("--wav", type=Path, nargs="+", default=[], help="files for all programs")
    parser.add_argument("--model", type=Path, help="our model, with --wav")
    parser.add_argument("--against", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--transcribe-cpp", type=Path, metavar="GGUF", help="PyPI's transcribe-cpp")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    options.engine = options.engine or find_engine()
    if options.wav and not options.model:
        parser.error("--wav needs --model")
    if options.wav:
        rows = side_by_side(options)
        print_side_by_side(rows)
    else:
        rows = [bench(type_, options) for type_ in options.types]
        print_bench(rows)
    if options.json:
        about = {"machine": processor(), "date": time.strftime("%Y-%m-%d"), "figures": rows}
        options.json.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
