"""Which engine was measured to be the best here: the memory of `auto`."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from voxtui import paths


def choice_file() -> Path:
    """Where the choice is remembered."""
    return paths.data_dir() / "engine.json"


def remember(engine: str, model: str, figures: list[dict[str, Any]]) -> None:
    """For the engine `auto`. Raises OSError."""
    value = {
        "engine": engine,
        "model": model,
        "measured": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "figures": figures,
    }
    target = choice_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(value, out, indent=1)
    os.replace(name, target)


def remembered() -> dict[str, Any]:
    """What `remember` wrote; empty where there is nothing, or nothing that can be read."""
    try:
        value = json.loads(choice_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
