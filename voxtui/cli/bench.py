"""`voxtui bench`: measures every engine that is here, and recommends one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import click

from voxtui.cli.common import (
    Failure,
    WrongInput,
    engine_config,
    load_settings,
    model_option,
    say,
    threads_option,
    write,
)
from voxtui.engine.bench import KEEPS_UP, BenchError, Figures, best, measure
from voxtui.engine.choice import remember
from voxtui.engine.engines import Ability, EngineInfo, list_engines
from voxtui.settings import ENGINES, Settings


@dataclass(slots=True)
class Row:
    """An engine, and its figures or why there are none."""

    engine: EngineInfo
    figures: Figures | None = None
    problem: str = ""


@click.command("bench")
@click.option("--engine", metavar="NAME", help="Only this one; nothing is remembered.")
@model_option
@threads_option
@click.option("--json", "json_", is_flag=True, help="For programs.")
@click.option("--forget", is_flag=True, help="Do not remember the best one.")
@click.option("-q", "--quiet", is_flag=True, help="Only the table.")
def command(
    engine: str | None,
    model: str | None,
    threads: int | None,
    json_: bool,
    forget: bool,
    quiet: bool,
) -> int:
    """Measure speed, delay and memory of every engine that is here, on a short recording.

    The best one is remembered: it is what the engine "auto" takes. Best is the least delay among
    those that keep up with speech; a server is taken only where nothing here keeps up. An engine
    takes about ten seconds, a slow one a few minutes, and longer where it has to prepare the model
    once.
    """
    if engine is not None and engine not in ENGINES[1:]:
        raise WrongInput(f"There is no engine {engine}: there are {', '.join(ENGINES[1:])}.")
    settings = load_settings()
    rows = [Row(one) for one in list_engines(settings) if engine in (None, one.name)]
    for row in rows:
        _measure(row, settings, model, threads, quiet or json_)
    found = [row.figures for row in rows if row.figures]
    local = {row.engine.name for row in rows if Ability.OFFLINE in row.engine.can}
    chosen = best(found, local.__contains__)
    kept = chosen is not None and engine is None and not forget
    if chosen is not None and kept:
        try:
            remember(chosen.engine, model or settings.engine.model, [asdict(one) for one in found])
        except OSError as error:
            raise Failure(f"The choice cannot be kept: {error.strerror or error}.") from error
    if json_:
        _write_json(rows, chosen, kept)
    else:
        _write_table(rows)
        write("\n" + recommendation(chosen, kept, settings) + "\n")
    return 0 if chosen else 1


def _measure(
    row: Row, settings: Settings, model: str | None, threads: int | None, quiet: bool
) -> None:
    name = row.engine.name
    if not row.engine.available:
        row.problem = f"{row.engine.detail} {row.engine.get}".strip()
        return
    if not quiet:
        say(f"measuring {name} …")
    try:
        config = engine_config(
            settings, engine=name, model=model, delay_ms=None, threads=threads, quiet=True
        )
        row.figures = measure(config, tell=lambda told: None if quiet else say(f"{name}: {told}"))
    except (WrongInput, BenchError) as error:
        row.problem = str(error)


def _write_table(rows: list[Row]) -> None:
    write(f"{'engine':11}{'speed':>9}{'delay':>10}{'memory':>11}{'loads in':>10}  \n")
    for row in rows:
        one = row.figures
        if one is None:
            write(f"{row.engine.name:11}  {row.problem}\n")
            continue
        delay = f"{one.delay_s:.2f} s" if one.delay_s is not None else "–"
        memory = f"{one.memory_mb:.0f} MB" if one.memory_mb else "–"
        cells = f"{one.speed:>8.1f}×{delay:>10}{memory:>11}{one.load_s:>8.1f} s"
        how = ", ".join(filter(None, (one.backend, one.precision)))
        write(f"{one.engine:11}{cells}  {how}\n")


def recommendation(chosen: Figures | None, kept: bool, settings: Settings) -> str:
    """What to do, in plain words."""
    if chosen is None:
        return "No engine could be measured: voxtui doctor says what is wrong."
    if chosen.speed >= 2 * KEEPS_UP:
        told = f"Best here: {chosen.engine}. It keeps up with speech with ease."
    elif chosen.keeps_up:
        told = f"Best here: {chosen.engine}. It keeps up with speech."
    else:
        told = (
            f"Best here: {chosen.engine}, but it is slower than you speak: words come later and"
            " later, and none is lost. A smaller model helps: voxtui model list."
        )
    if kept and settings.engine.name == "auto":
        told += " It is what voxtui takes from now on."
    elif kept:
        told += (
            f" The settings name {settings.engine.name}; with engine.name"
            ' = "auto" voxtui takes the best.'
        )
    return told


def _write_json(rows: list[Row], chosen: Figures | None, kept: bool) -> None:
    engines: list[dict[str, Any]] = []
    for row in rows:
        value: dict[str, Any] = {"engine": row.engine.name, "available": row.engine.available}
        value |= asdict(row.figures) | {"keeps_up": row.figures.keeps_up} if row.figures else {}
        engines.append(value | ({"problem": row.problem} if row.problem else {}))
    report = {"engines": engines, "best": chosen and chosen.engine, "remembered": kept}
    write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
