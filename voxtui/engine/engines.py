"""The engines that voxtui knows: what each can do, whether it is here, and how to get it.

Every one of them is a process that speaks the protocol of voxtral_c/PROTOCOL.md: ours by itself,
the others through a worker of ours (`voxtui.engine.workers`).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from voxtui import paths
from voxtui.engine.choice import remembered
from voxtui.engine.config import EngineConfig, Remote
from voxtui.engine.locate import EngineMissing, find_engine, runs
from voxtui.settings import ENGINES, RemoteSettings, Settings

AUTO = "auto"
OURS = "voxtral_c"


class Ability(StrEnum):
    """What an engine may be able to do, as people read it."""

    OFFLINE = "nothing leaves this machine"
    TIMES = "exact times of words"
    ALTERNATIVES = "how sure it is, and other words"
    DELAY = "choice of the delay"
    PRECISION = "choice of the precision"
    GPU = "uses a graphics card"
    FOLDER = "reads the official folder"
    GGUF = "reads GGUF files"


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine, and how it stands with it on this machine.

    `detail` says where it is, or why it is not available; `get` how to get it, empty where it is.
    """

    name: str
    title: str
    about: str
    can: frozenset[Ability]
    available: bool
    detail: str
    get: str = ""

    @property
    def needs_model(self) -> bool:
        """It loads a model of this machine."""
        return bool(self.can & {Ability.FOLDER, Ability.GGUF})


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    about: str
    can: frozenset[Ability]
    get: str
    look: Callable[[Settings], str]
    """Where it is; raises EngineMissing, which says why it is not available."""


def list_engines(settings: Settings) -> list[EngineInfo]:
    """All engines, those of this machine first. Quick: nothing is loaded or asked over a network.

    Whether a server answers is known when it is used; `voxtui bench` and the doctor ask it.
    """
    return [look_at(name, settings) for name in _KINDS]


def look_at(name: str, settings: Settings) -> EngineInfo:
    """One engine by its name. Raises EngineMissing when there is none of that name."""
    kind = _KINDS.get(name)
    if kind is None:
        known = ", ".join(ENGINES)
        raise EngineMissing(f"There is no engine {name!r}: choose one of {known}.")
    try:
        where, available = kind.look(settings), True
    except EngineMissing as error:
        where, available = str(error), False
    get = "" if available else kind.get
    return EngineInfo(name, kind.title, kind.about, kind.can, available, where, get)


def select(settings: Settings, asked: str | None = None) -> EngineInfo:
    """The engine that is asked for, else the settings'.

    Raises EngineMissing when it is not available, with what to do.
    """
    name = asked or settings.engine.name
    found = _best(settings) if name == AUTO else look_at(name, settings)
    if not found.available:
        raise EngineMissing(f"{found.detail} {found.get}".strip())
    return found


def _best(settings: Settings) -> EngineInfo:
    """What `voxtui bench` found, as long as it is here; else ours."""
    measured = remembered().get("engine")
    found = look_at(measured, settings) if measured in _KINDS else None
    return found if found and found.available else look_at(OURS, settings)


def config_for(engine: EngineInfo, settings: Settings, model: Path | None) -> EngineConfig:
    """How to start it, as the settings say. `model` None is for engines that need none here."""
    chosen, remote = settings.engine, settings.remote
    return EngineConfig(
        model=Path(remote.model) if model is None else model,
        name=engine.name,
        delay_ms=chosen.delay_ms,
        interval_s=chosen.interval_s,
        threads=chosen.threads,
        precision=chosen.precision,
        alternatives=chosen.alternatives,
        binary=_upstream(settings) if engine.name == "upstream" else None,
        remote=None if engine.needs_model else _remote(remote),
        backend=chosen.backend,
    )


# ---- where they are ------------------------------------------------------------------------


def _look_ours(_: Settings) -> str:
    return paths.short(find_engine())


def _look_ggml(_: Settings) -> str:
    if importlib.util.find_spec("transcribe_cpp") is None:
        raise EngineMissing("The package transcribe-cpp is not installed.")
    return "the package transcribe-cpp"


def _look_upstream(settings: Settings) -> str:
    return paths.short(_upstream(settings))


def _upstream(settings: Settings) -> Path:
    """The program of voxtral.c: $VOXTUI_UPSTREAM, the settings' or ~/voxtral.c/voxtral."""
    named = os.environ.get("VOXTUI_UPSTREAM") or settings.engine.upstream
    path = Path(named or "~/voxtral.c/voxtral").expanduser()
    if runs(path):
        return path
    if named:
        raise EngineMissing(f"{path} is not a program that can be started.")
    raise EngineMissing("No program of voxtral.c is known.")


def _look_realtime(settings: Settings) -> str:
    if not settings.remote.url:
        raise EngineMissing("No server is named.")
    return settings.remote.url


def _remote(chosen: RemoteSettings) -> Remote:
    return Remote(chosen.url, chosen.dialect, chosen.model)


_KINDS = {
    OURS: _Kind(
        "voxtral_c, built in",
        "Our own engine in C, for processors and graphics cards.",
        frozenset(Ability),
        "",  # what is wrong says what to do
        _look_ours,
    ),
    "ggml": _Kind(
        "ggml (transcribe.cpp)",
        "The library transcribe.cpp: at home on Macs (Metal); CUDA and Vulkan builds exist.",
        frozenset({Ability.OFFLINE, Ability.DELAY, Ability.GPU, Ability.GGUF}),
        f"Type: {Path(sys.executable).name} -m pip install 'voxtui[ggml]'",
        _look_ggml,
    ),
    "upstream": _Kind(
        "voxtral.c",
        "A program `voxtral` of antirez/voxtral.c that you built yourself.",
        frozenset({Ability.OFFLINE, Ability.GPU, Ability.FOLDER}),
        "Build github.com/antirez/voxtral.c and name its program in the settings, as"
        " engine.upstream.",
        _look_upstream,
    ),
    "realtime": _Kind(
        "a server (vLLM and others)",
        "A server that speaks a realtime protocol, such as vLLM; the sound is sent there.",
        frozenset({Ability.GPU}),
        'Name one in the settings, as remote.url: "ws://HOST:8000/v1/realtime".',
        _look_realtime,
    ),
}
assert (AUTO, *_KINDS) == ENGINES
