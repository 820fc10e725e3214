"""Is a file of weights whole? From its own table of contents, without reading the weights."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO

LONGEST_HEADER = 200_000_000

_GGUF_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_GGUF_STRING, _GGUF_ARRAY, _GGUF_U32 = 8, 9, 4
_BLOCKS = {  # of each type: how many weights a block holds, and its bytes
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 30: (1, 2),
}  # fmt: skip


DAMAGED = (
    struct.error, ValueError, TypeError, AttributeError, LookupError, ArithmeticError,
    MemoryError, RecursionError,
)  # fmt: skip
"""What it comes to when the bytes of a header are others than they should be."""


class _BrokenError(Exception):
    """The table of contents makes no sense; what is wrong."""


def problem(path: Path) -> str:
    """What is wrong with a file of weights, "" when it is whole as far as its header tells."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            end = _gguf_end(file, size) if path.suffix == ".gguf" else _safetensors_end(file, size)
    except _BrokenError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    except DAMAGED:
        return "its beginning is damaged"
    if end > size:
        return f"{end - size:,} bytes are missing at its end"
    return ""


def _safetensors_end(file: BinaryIO, size: int) -> int:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(LONGEST_HEADER, size):
        raise _BrokenError("it is no safetensors file, or its beginning is damaged")
    header = json.loads(file.read(length))
    ends = [
        about["data_offsets"][1]
        for name, about in header.items()
        if name != "__metadata__" and isinstance(about, dict)
    ]
    if not ends:
        raise _BrokenError("it holds no weights")
    return int(8 + length + max(ends))


def _gguf_end(file: BinaryIO, size: int) -> int:
    magic, version, tensors, values = struct.unpack("<4sIQQ", file.read(24))
    if magic != b"GGUF" or version not in (2, 3):
        raise _BrokenError("it is no GGUF file of a known version")
    if tensors > size or values > size or not tensors:
        raise _BrokenError("its beginning is damaged")
    alignment = 32
    for _ in range(values):
        key = _string(file, size)
        (kind,) = struct.unpack("<I", file.read(4))
        value = _skip(file, kind, size)
        if key == b"general.alignment" and kind == _GGUF_U32:
            alignment = struct.unpack("<I", value)[0] or 32
    ends = [_tensor_end(file, size) for _ in range(tensors)]
    begin = -(-file.tell() // alignment) * alignment
    return begin + max(ends)


def _tensor_end(file: BinaryIO, size: int) -> int:
    _string(file, size)
    (dimensions,) = struct.unpack("<I", file.read(4))
    if dimensions > 8:
        raise _BrokenError("its beginning is damaged")
    count = 1
    for each in struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions)):
        count *= each
    kind, offset = struct.unpack("<IQ", file.read(12))
    weights, length = _BLOCKS.get(kind, (256, 1))
    return int(offset + -(-count // weights) * length)


def _string(file: BinaryIO, size: int) -> bytes:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > size:
        raise _BrokenError("its beginning is damaged")
    return file.read(length)


def _skip(file: BinaryIO, kind: int, size: int) -> bytes:
    """Over one value; returns the bytes of a plain one."""
    if kind == _GGUF_STRING:
        _string(file, size)
    elif kind == _GGUF_ARRAY:
        inner, count = struct.unpack("<IQ", file.read(12))
        if count > size:
            raise _BrokenError("its beginning is damaged")
        if inner in _GGUF_SIZES:
            file.seek(_GGUF_SIZES[inner] * count, 1)
        else:
            for _ in range(count):
                _skip(file, inner, size)
    elif kind in _GGUF_SIZES:
        return file.read(_GGUF_SIZES[kind])
    else:
        raise _BrokenError("its beginning is damaged")
    return b""
