"""The engine: does it start here, and how fast does it write with the chosen model?"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from voxtui import paths
from voxtui.doctor.finding import Finding, broken, note, ok
from voxtui.engine.bench import BenchError, Figures, measure
from voxtui.engine.engines import config_for, look_at, select
from voxtui.engine.locate import EngineMissing, environment, find_engine
from voxtui.engine.models import ModelError, find_model
from voxtui.settings import EngineSettings, Settings

PATIENCE_S = 180.0
ALONE = "A newer driver may help. To leave the card alone: engine.backend = cpu in the settings."


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
        binary = find_engine()
        done = subprocess.run(
            [binary, "--selftest", "--json"],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            env=environment(),
        )
        if done.returncode < 0:
            return _crashed(-done.returncode)
        report: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        told = f"The graphics card's driver did not answer within {PATIENCE_S:.0f} s."
        return note("gpu", told, ALONE)
    except (EngineMissing, OSError, ValueError):
        return broken("gpu", "The engine's self-test of the graphics card gave no answer.")
    facts = {key: value for key, value in report.items() if key not in ("type", "checks")}
    if "gpu" not in report:
        return ok("gpu", f"The engine computes on the processor. {report['reason']}", **facts)
    name, avoided = report["gpu"], report.get("avoided", "")
    if not report["passed"]:
        what = f"gave up ({report['reason']})" if report["reason"] else "computes wrongly"
        told = f"{name} {what}, so the processor is used."
        fix = f"A newer driver may help. To report it: {paths.short(binary)} --selftest"
        return note("gpu", told, fix, **facts)
    if avoided:
        fix = "It is tried again when the machine has been started anew or its driver is newer."
        return note("gpu", f"The processor is used: {avoided}", fix, **facts)
    if report["software"]:
        return ok("gpu", f"{name} is no real graphics card: the processor is used.", **facts)
    return ok("gpu", f"{name} ({report['api']}) passed the engine's self-test.", **facts)


def _crashed(number: int) -> Finding:
    """A driver that takes its process with it; the engine tries it in one apart, too."""
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    told = f"The graphics card's driver crashed in the engine's self-test ({name})"
    return note("gpu", f"{told}: the processor is used.", ALONE, signal=number)


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


def speed(spec: str, settings: Settings) -> Finding:
    """Have the engine that is used write a short recording, as live sound is written."""
    try:
        engine = select(settings)
        model = find_model(spec).path if engine.needs_model else None
        figures = measure(config_for(engine, settings, model), PATIENCE_S, with_delay=False)
    except (ModelError, EngineMissing) as error:
        return broken("speed", f"Cannot be measured: {error}")
    except BenchError as error:
        fix = "See if the model's files are whole: voxtui model verify; or choose another engine."
        return broken("speed", f"{engine.name}: {error}", fix if model else "")
    return judge(figures)


def judge(figures: Figures) -> Finding:
    """What was measured, and whether it will do."""
    facts = asdict(figures)
    parts = (figures.backend, figures.precision, figures.kernels)
    how = ", ".join(dict.fromkeys(part for part in parts if part))
    times = figures.speed
    told = f"{figures.engine}: {times:.1f}× real time ({how}); loaded in {figures.load_s:.1f} s."
    if figures.keeps_up:
        return ok("speed", told, **facts)
    fix = "Choose a smaller precision or model in the settings; voxtui bench compares engines."
    if times < 1:
        return note("speed", f"Slower than you speak: {told} The rest comes later.", fix, **facts)
    return note("speed", f"Just about keeps up: {told}", fix, **facts)
