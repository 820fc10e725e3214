"""Makes a smaller model of an installed one, by the engine's own quantiser."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from voxtui import paths
from voxtui.engine.locate import EngineMissing
from voxtui.engine.models import Model
from voxtui.engine.quantising import NotQuantised, Told, quantise
from voxtui.machine.hardware import disk_free
from voxtui.models.catalog import CATALOG
from voxtui.models.download import MARGIN, PARTIAL, RECORD, DownloadError, only_one
from voxtui.models.store import record_of
from voxtui.models.words import size

KINDS = ("q8_0", "q6_k", "q5_k_m", "q4_k_m")
BITS = {known.short: known.bits for known in CATALOG}

_KIND_AT_END = re.compile(r"[-_.](BF16|F16|F32|Q\d(_[A-Z0-9]+)*)$", re.IGNORECASE)


class ConvertError(Exception):
    """It could not be made; one sentence."""


def converted_name(source: Model, kind: str) -> str:
    """What the result is called: the source's name with another ending."""
    return f"{_KIND_AT_END.sub('', source.name)}-{kind.upper()}"


def convert(source: Model, kind: str, told: Told = lambda share, line: None) -> Path:
    """Make it; returns the folder of the new model. Raises ConvertError."""
    name = converted_name(source, kind)
    target = paths.models_dir() / name
    if target.exists():
        raise ConvertError(f"{target} is there already: remove it first, or use it.")
    missing = int(source.size * BITS[kind] / 16) + MARGIN
    free = disk_free(paths.models_dir())
    if free and missing > free:
        raise ConvertError(
            f"{name} needs {size(missing)} on the disk of {paths.models_dir()}, and {size(free)}"
            " are free: make room."
        )
    partial = paths.models_dir() / PARTIAL / f"{name}.made"
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with only_one(partial.parent):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            try:
                file = partial / f"{name}.gguf"
                quantise(source.path, file, kind, told)
                (partial / RECORD).write_text(record_of(file, source.name), encoding="utf-8")
                os.replace(partial, target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except NotQuantised as error:
        raise ConvertError(f"{source.name} could not be converted: {error}.") from error
    except (DownloadError, EngineMissing) as error:
        raise ConvertError(str(error)) from error
    except OSError as error:
        raise ConvertError(f"{target} cannot be written: {error.strerror or error}.") from error
    return target
