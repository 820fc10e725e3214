"""Finds the model: the built-in small one, an installed one, or any folder or GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voxtui import paths

_FOLDER_FILES = ("params.json", "tekken.json", "consolidated.safetensors")


class ModelError(Exception):
    """No model could be found; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model on this machine. `size` is the weights' bytes."""

    name: str
    path: Path
    builtin: bool
    size: int


def find_model(spec: str | None) -> Model:
    """The model that `spec` names: "tiny", "auto" or None, an installed name, or a path.

    "auto" is the smallest of the installed ones: it is the quickest, it fits into memory if any
    does, and down to 4 bit all are equally exact.
    """
    if spec is None or spec in ("", "auto"):
        installed = installed_models()
        return installed[0] if installed else _builtin()
    if spec == "tiny":
        return _builtin()
    named = paths.models_dir() / spec
    if "/" not in spec:
        for path in (named, named.with_name(named.name + ".gguf")):
            if path.exists():
                return _checked(path)
    path = Path(spec).expanduser()
    if path.exists():
        return _checked(path)
    for model in installed_models():
        if model.name == spec:
            return model
    raise ModelError(
        f"There is no model {spec!r}: give a folder, a GGUF file, or one of: {_known_names()}."
    )


def installed_models() -> list[Model]:
    """What lies below the models' folder: official folders and GGUF files, the smallest first."""
    folder = paths.models_dir()
    if not folder.is_dir():
        return []
    found = [
        Model(path.name, path, builtin=False, size=_weights(path))
        for path in folder.iterdir()
        if path.is_dir() and not _missing(path)
    ]
    found += [
        Model(path.stem, path, builtin=False, size=_weights(path))
        for path in (*folder.glob("*.gguf"), *folder.glob("*/*.gguf"))
        if path.is_file()
    ]
    return sorted(found, key=lambda model: (model.size, model.name))


def _builtin() -> Model:
    path = paths.builtin_model_dir()
    if _missing(path):
        raise ModelError("The built-in model is missing: install voxtui again.")
    return Model("tiny", path, builtin=True, size=_weights(path))


def _checked(path: Path) -> Model:
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise ModelError(f"{path} is no model: give a model's folder or a GGUF file.")
        return Model(path.stem, path, builtin=False, size=_weights(path))
    missing = _missing(path)
    inside = sorted(path.glob("*.gguf"))
    if missing and len(inside) == 1:
        return _checked(inside[0])
    if missing and inside:
        raise ModelError(f"{path} holds several GGUF files: name the one to use.")
    if missing:
        raise ModelError(f"{path} is no complete model: {' and '.join(missing)} missing there.")
    builtin = path.resolve() == paths.builtin_model_dir().resolve()
    return Model("tiny" if builtin else path.name, path, builtin=builtin, size=_weights(path))


def _missing(folder: Path) -> list[str]:
    return [name for name in _FOLDER_FILES if not (folder / name).is_file()]


def _weights(path: Path) -> int:
    file = path / "consolidated.safetensors" if path.is_dir() else path
    return file.stat().st_size


def _known_names() -> str:
    return ", ".join(["tiny", *(model.name for model in installed_models())])
