"""Which engine was measured to be the best here: the memory of `auto`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from voxtui import paths
from voxtui.files import read_object, replace_text


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
    replace_text(target, json.dumps(value, indent=1))


def remembered() -> dict[str, Any]:
    """What `remember` wrote; empty where there is nothing, or nothing that can be read."""
    return read_object(choice_file())
