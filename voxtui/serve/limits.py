"""How much the server takes on, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from voxtui.engine.config import EngineConfig
from voxtui.hook import HookConfig
from voxtui.session.aside import Keeping

MIB = 1 << 20


class Refused(Exception):  # noqa: N818 - an answer, no failure
    """What is asked cannot be done now or at all: an HTTP status and a sentence."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may ask for."""

    clients: int = 4
    """Who may be served at the same time, each with an engine of its own."""
    upload_mib: int = 1024
    longest_s: float = 4 * 3600.0
    """Sound of one file, and of one live session."""
    spare_memory_mib: int = 256
    """Memory that has to stay free when another engine is started."""
    ahead_s: float = 30.0
    """Sound that may wait for an engine before its sender has to."""
    idle_s: float = 300.0
    """A client that neither sends nor is owed anything for so long makes room for another: the
    page's session is closed (it goes on in a new one), `/v1/realtime` hangs up. Nor may an upload
    stand still for longer, or a reader of words as they come."""

    @property
    def idle(self) -> str:
        """How long that is, for people."""
        minutes = self.idle_s / 60
        return f"{minutes:.3g} minutes" if minutes > 1 else f"{self.idle_s:.3g} seconds"


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """One server. `token` "" asks for none; `hosts` are further names it is reached by."""

    engine: EngineConfig
    model_name: str
    small_model: bool
    sessions_dir: Path
    temporary: Path
    host: str = "127.0.0.1"
    token: str = ""
    hosts: tuple[str, ...] = ()
    served_names: tuple[str, ...] = ()
    vocabulary: Path | None = None
    keeping: Keeping = field(default_factory=Keeping)
    hook: HookConfig = field(default_factory=HookConfig)
    """May rewrite what is said on the page; programs get their words as they were heard."""
    limits: Limits = field(default_factory=Limits)
