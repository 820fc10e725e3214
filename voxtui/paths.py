"""Where voxtui keeps things. `VOXTUI_HOME` puts everything below one folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "voxtui"


def _home() -> Path | None:
    home = os.environ.get("VOXTUI_HOME")
    return Path(home).expanduser() if home else None


def data_dir() -> Path:
    """Sessions and models live below this folder."""
    home = _home()
    return home / "data" if home else Path(platformdirs.user_data_dir(APP, appauthor=False))


def sessions_dir() -> Path:
    """One folder a session."""
    return data_dir() / "sessions"


def models_dir() -> Path:
    """One folder a model."""
    return data_dir() / "models"


def config_file() -> Path:
    """The settings, in TOML."""
    home = _home()
    base = home / "config" if home else Path(platformdirs.user_config_dir(APP, appauthor=False))
    return base / "voxtui.toml"


def vocabulary_file() -> Path:
    """What is heard and what is meant, beside the settings."""
    return config_file().with_name("vocabulary.txt")


def cache_dir() -> Path:
    """What can be made again at any time."""
    home = _home()
    return home / "cache" if home else Path(platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """What the engine and the sound system say on standard error."""
    home = _home()
    return home / "log" if home else Path(platformdirs.user_log_dir(APP, appauthor=False))


def package_dir() -> Path:
    """The installed package."""
    return Path(__file__).resolve().parent


def builtin_model_dir() -> Path:
    """The small model that comes with the package."""
    return package_dir() / "assets" / "tiny"


def clips_dir() -> Path:
    """Short recordings that come with the package, with their texts."""
    return package_dir() / "assets" / "clips"


def short(path: str | os.PathLike[str]) -> str:
    """A path as people write it: with ~ for the home folder."""
    text = os.fspath(path)
    home = str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text
