#!/usr/bin/env python3
"""Measure the engine: a table of `voxtral --bench`, or side by side with other programs.

    bench_engine.py --types q4_k_m q8_0 --json figures.json
    bench_engine.py --wav clip.wav --model MODEL.gguf --transcribe-cpp \\
        --against 'voxtral.c=/path/voxtral -d FOLDER -i {wav}'

The second form times each program on the same files and model: the work, without loading where the
program tells it apart. A first run on each file is thrown away (it loads the model into the page
cache; not with --repeat 0). A model that costs what the real one costs: random_model.py.
PyPI's transcribe-cpp hears a whole clip with a delay of 2400 ms, 24 tokens more than ours; live it
has the model's usual delay.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtui.engine.locate import find_engine

TYPES = ["f32", "bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]

TRANSCRIBE_CPP = """
import json, sys, time, wave
import numpy as np
import transcribe_cpp
path, threads, drafts, chunk, wav = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
with wave.open(wav) as file:
    pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
start = time.monotonic()
with transcribe_cpp.Model(path) as model:
    loaded = time.monotonic()
    with model.session(n_threads=threads) as session:
        if chunk:
            with session.stream() as stream:
                for at in range(0, len(pcm), chunk):
                    stream.feed(pcm[at : at + chunk])
                stream.finalize()
                text = stream.text().display
        else:
            text = session.run(pcm, spec_k_drafts=drafts).text
        done = time.monotonic()
print(json.dumps({"load_s": loaded - start, "work_s": done - loaded, "text": text}))
"""
"""Model, threads, drafts (-1: as it likes), samples at a time (0: all at once), sound."""


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


@dataclass(frozen=True)
class Program:
    """One way to hear a file; `{wav}` in the command stands for it."""

    command: tuple[str, ...]
    kind: str
    """What it writes: "events" as ours, "json" as TRANSCRIBE_CPP, or "text"."""


@dataclass(frozen=True)
class Run:
    """One run. `work_s` leaves out starting and loading where the program tells them."""

    load_s: float
    work_s: float
    peak_mb: float
    text: str


def programs(options: argparse.Namespace) -> dict[str, Program]:
    """Each program by its name."""
    threads = str(options.threads)
    ours: tuple[str, ...] = (
        str(options.engine),
        "-d",
        str(options.model),
        "-i",
        "{wav}",
        "--events",
    )
    ours += ("--silent", "--threads", threads)
    found = {"voxtral": Program(ours, "events")}
    found["voxtral, no drafts"] = Program((*ours, "--no-draft"), "events")
    if options.transcribe_cpp:
        code = (sys.executable, "-c", TRANSCRIBE_CPP, str(options.model), threads)
        for name, drafts, chunk in (
            ("at once", "-1", "0"),
            ("at once, no drafts", "0", "0"),
            ("live, 0.5 s", "-1", "8000"),
        ):
            found[f"transcribe-cpp {name}"] = Program((*code, drafts, chunk, "{wav}"), "json")
    for text in options.against:
        name, equals, command = text.partition("=")
        if not equals or "{wav}" not in command:
            sys.exit(f"--against takes NAME=COMMAND with {{wav}} in it, not '{text}'")
        found[name] = Program(tuple(shlex.split(command)), "text")
    return found


def run_on(program: Program, wav: Path) -> Run:
    """Run it on one file; the exit code must be 0."""
    real = [part.replace("{wav}", str(wav)) for part in program.command]
    start = ready = time.monotonic()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(real, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            if line.startswith('{"type":"ready"'):
                ready = time.monotonic()
            lines.append(line)
        seconds = time.monotonic() - start
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{shlex.join(real)} failed: {errors.read().strip()[-400:]}")
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    if program.kind == "json":
        told = json.loads(lines[-1])
        return Run(told["load_s"], told["work_s"], peak, told["text"])
    if program.kind == "events":
        events = [json.loads(line) for line in lines]
        text = "".join(event["text"] for event in events if event["type"] == "token")
        return Run(ready - start, seconds - (ready - start), peak, text.strip())
    return Run(0, seconds, peak, " ".join("".join(lines).split()))


def side_by_side(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Each program on each file, in turn, so that a slow spell of the machine meets all."""
    rows = []
    named = programs(options)
    baseline = options.baseline or list(named)[-1]
    if baseline not in named:
        sys.exit(f"--baseline is one of {', '.join(named)}, not '{baseline}'")
    for path in options.wav:
        with wave.open(str(path)) as sound:
            length = sound.getnframes() / sound.getframerate()
        runs: dict[str, list[Run]] = {name: [] for name in named}
        for turn in range(options.repeat + 1):
            for name, program in named.items():
                run = run_on(program, path)
                if turn > 0 or options.repeat == 0:
                    runs[name].append(run)
        work = {name: statistics.median(run.work_s for run in runs[name]) for name in named}
        for name in named:
            rows.append(
                {
                    "program": name,
                    "file": path.name,
                    "audio_s": length,
                    "load_s": statistics.median(run.load_s for run in runs[name]),
                    "work_s": work[name],
                    "real_time_factor": work[name] / length,
                    "baseline": baseline,
                    "ratio": work[name] / work[baseline],
                    "peak_mb": max(run.peak_mb for run in runs[name]),
                    "text": runs[name][-1].text,
                }
            )
    return rows


def print_side_by_side(rows: list[dict[str, Any]]) -> None:
    """The runs as a Markdown table."""
    print("| file | program | load s | work s | of real time | ratio | peak MB | text |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        text = row["text"] if len(row["text"]) <= 40 else row["text"][:39] + "…"
        cells = [f"{row['file']} ({row['audio_s']:.1f} s)", row["program"], f"{row['load_s']:.2f}"]
        cells += [f"{row['work_s']:.3f}", f"{row['real_time_factor']:.3f}", f"{row['ratio']:.2f}"]
        print("| " + " | ".join([*cells, f"{row['peak_mb']:.0f}", text]) + " |")
    print(f"\nratio: work against {rows[0]['baseline']}")


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
    parser.add_argument("--model", type=Path, help="a model for all, with --wav")
    parser.add_argument("--against", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument(
        "--transcribe-cpp", action="store_true", help="time PyPI's transcribe-cpp, too"
    )
    parser.add_argument("--baseline", metavar="NAME", help="what ratios are against (the last)")
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
