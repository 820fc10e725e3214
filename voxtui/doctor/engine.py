"""The engine: does it start here, and how fast does it write with the chosen model?"""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voxtui import paths
from voxtui.doctor.finding import Finding, broken, note, ok
from voxtui.engine.engines import look_at, select
from voxtui.engine.locate import EngineMissing, find_engine
from voxtui.engine.models import ModelError, find_model
from voxtui.settings import EngineSettings, Settings

CLIP = "kitchen_light.wav"
PATIENCE_S = 180.0
EASY = 1.2
"""Times real time from which on it keeps up with ease."""


def program() -> Finding:
    """Is it there, and does it start?"""
    fix = "Install voxtui again: pip install --force-reinstall voxtui; from source ./scripts/run."
    try:
        binary = find_engine()
        done = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except EngineMissing as error:
        return broken("engine", str(error), fix)
    except (OSError, subprocess.TimeoutExpired) as error:
        return broken("engine", f"The engine does not start: {error}.", fix)
    if done.returncode:
        reason = " ".join(done.stderr.split())[:120]
        told = f"{binary} does not run here: {reason or f'exit code {done.returncode}'}."
        return broken("engine", told, fix, path=str(binary))
    return ok("engine", f"{done.stdout.strip()}, {paths.short(binary)}.", path=str(binary))


def gpu(chosen: EngineSettings) -> Finding:
    """Does the graphics card, if there is one, compute as it should?"""
    told = "The engine computes on the processor, as the settings ask."
    if chosen.backend == "cpu":
        return ok("gpu", told)
    try:
        command = [str(find_engine()), "--selftest", "--json"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        report: dict[str, Any] = json.loads(done.stdout)
    except (EngineMissing, OSError, subprocess.TimeoutExpired, ValueError):
        return broken("gpu", "The engine's self-test of the graphics card gave no answer.")
    facts = {key: value for key, value in report.items() if key not in ("type", "checks")}
    if "gpu" not in report:
        return ok("gpu", f"The engine computes on the processor. {report['reason']}", **facts)
    name = report["gpu"]
    if not report["passed"]:
        told = f"{name} computes wrongly, so the processor is used."
        fix = "A newer driver may help; report what voxtral --selftest says."
        return note("gpu", told, fix, **facts)
    if report["software"]:
        return ok("gpu", f"{name} is no real graphics card: the processor is used.", **facts)
    return ok("gpu", f"{name} ({report['api']}) passed the engine's self-test.", **facts)


def other(name: str, settings: Settings) -> Finding:
    """An engine that is not ours: is it here, and is it needed?"""
    found = look_at(name, settings)
    try:
        chosen = select(settings).name == name
    except EngineMissing:
        chosen = settings.engine.name == name
    if not found.available:
        if chosen:
            return broken(name, found.detail, found.get)
        return ok(name, f"Not set up, and not needed. {found.detail}", get=found.get)
    problem = unanswered(settings.remote.url) if not found.needs_model else ""
    if problem:
        told = f"{settings.remote.url}: {problem}."
        fix = "See if the server runs, and its address in the settings: remote.url."
        return broken(name, told, fix) if chosen else note(name, told, fix)
    used = "it is the one that is used" if chosen else "not in use"
    return ok(name, f"There: {found.detail}; {used}.", chosen=chosen)


def unanswered(url: str) -> str:
    """Why nothing is heard from the server; empty where it answers."""
    place = urlsplit(url)
    try:
        port = place.port or (443 if place.scheme in ("wss", "https") else 80)
        with socket.create_connection((place.hostname or "", port), timeout=3.0):
            return ""
    except ValueError as error:
        return str(error)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return error.strerror or str(error)


def speed(spec: str, chosen: EngineSettings) -> Finding:
    """Write a short recording, as live sound is written."""
    try:
        model, binary = find_model(spec), find_engine()
    except (ModelError, EngineMissing) as error:
        return broken("speed", f"Cannot be measured: {error}")
    command = [str(binary), "-d", str(model.path), "-i", str(paths.clips_dir() / CLIP), "--events"]
    command += ["-I", f"{chosen.interval_s:g}"]
    if chosen.precision != "auto":
        command += ["--precision", chosen.precision]
    if chosen.threads:
        command += ["--threads", str(chosen.threads)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        told = f"{model.name} did not write three seconds of sound within {PATIENCE_S:.0f} s."
        return broken("speed", told, "Choose a smaller model: voxtui model list.")
    except OSError as error:
        return broken("speed", f"The engine does not start: {error}.")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return broken(
            "speed",
            f"The engine failed: {reason}",
            "See if its files are whole: voxtui model verify.",
        )
    return judge(model.path, done.stdout)


def judge(model: Path, events: str) -> Finding:
    """What the engine's events tell."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in events.splitlines() if line]
    ready = next((line for line in lines if line.get("type") == "ready"), {})
    end = next((line for line in lines if line.get("type") == "utterance_end"), {})
    work_s = (end.get("encoder_ms", 0.0) + end.get("decoder_ms", 0.0)) / 1000
    if not ready or work_s <= 0:
        return broken("speed", "The engine wrote nothing.", "See engine.log and report this.")
    times = end["audio_in"] / work_s
    facts = {
        "model": str(model),
        "precision": ready.get("precision"),
        "kernels": ready.get("kernels"),
        "threads": ready.get("threads"),
        "load_ms": ready.get("load_ms"),
        "times_real_time": round(times, 2),
    }
    how = f"{ready.get('precision')}, {ready.get('kernels')}, {ready.get('threads')} threads"
    told = f"{times:.1f}× real time ({how}); loaded in {ready.get('load_ms', 0) / 1000:.1f} s."
    if times >= EASY:
        return ok("speed", told, **facts)
    fix = "Choose a smaller precision or model, or a larger step, in the settings."
    if times < 1:
        return note("speed", f"Slower than you speak: {told} The rest comes later.", fix, **facts)
    return note("speed", f"Just about keeps up: {told}", fix, **facts)
