"""Files that clients send: streamed to disk, bounded, under names of our own."""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from voxtui.serve.limits import MIB, Limits, Refused

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

LONGEST_FIELD = 65_536
MOST_PARTS = 64


@dataclass(slots=True)
class Form:
    """What came in one request. `file` is ours; `name` is what the client calls it, to be shown."""

    folder: Path
    file: Path | None = None
    name: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self.fields[name][-1] if name in self.fields else default

    def discard(self) -> None:
        """The file is not needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)


def shown_name(name: str) -> str:
    """A client's file name for people to read; never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    readable = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    return readable.strip()[:80] or "the file"


class _Writer:
    """The parser's callbacks: the one file goes to disk, small fields into the form."""

    def __init__(self, folder: Path, file_field: str) -> None:
        self.form = Form(folder)
        self._file_field = file_field
        self._parts = 0
        self._header = [b"", b""]
        self._headers: dict[str, bytes] = {}
        self._value = bytearray()
        self._field = ""
        self._ignored = False
        self._file: io.RawIOBase | None = None

    @property
    def open(self) -> bool:
        """Is a file in the middle of being written?"""
        return self._file is not None

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, a, b: self._add(0, data[a:b]),
            "on_header_value": lambda data, a, b: self._add(1, data[a:b]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": lambda data, a, b: self._data(data[a:b]),
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Refused(400, "The form has too many fields.", "bad_form")
        self._headers = {}
        self._header = [b"", b""]

    def _add(self, index: int, data: bytes) -> None:
        self._header[index] += data
        if len(self._header[index]) > LONGEST_FIELD:
            raise Refused(400, "The form has a header that is too long.", "bad_form")

    def _header_end(self) -> None:
        self._headers[self._header[0].decode("latin-1").lower()] = self._header[1]
        self._header = [b"", b""]

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Refused(400, "The form has a part without a name.", "bad_form")
        self._field = options[b"name"].decode("utf-8", "replace")
        self._value = bytearray()
        if self._field == self._file_field and b"filename" in options:
            if self.form.file is not None:
                raise Refused(400, "Send one file at a time.", "bad_form")
            self.form.name = shown_name(options[b"filename"].decode("utf-8", "replace"))
            self.form.file = self.form.folder / "upload"
            self._file = self.form.file.open("wb", buffering=0)
        self._ignored = b"filename" in options and self._file is None

    def _data(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)
        elif not self._ignored:
            self._value += data
            if len(self._value) > LONGEST_FIELD:
                raise Refused(400, f"The field {self._field[:40]} is too long.", "bad_form")

    def _end(self) -> None:
        if self._file is not None:
            self.close()
        elif not self._ignored:
            self.form.fields.setdefault(self._field, []).append(
                bytes(self._value).decode("utf-8", "replace")
            )

    def close(self) -> None:
        """The file is whole, or nothing more comes."""
        if self._file is not None:
            self._file.close()
            self._file = None


async def receive(request: Request, file_field: str, temporary: Path, limits: Limits) -> Form:
    """The form of a request, its file on disk until `discard`.

    `Refused` when there is no such file in it, it is too large, or it stops coming.
    """
    most_mib = limits.upload_mib
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refused(
            400, f"Send a form (multipart/form-data) with the field {file_field}.", "bad_form"
        )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most_mib * MIB + MIB:
        raise _too_large(most_mib)
    writer = _Writer(Path(tempfile.mkdtemp(prefix="upload-", dir=temporary)), file_field)
    try:
        await _read(request, options[b"boundary"], writer, limits)
        if writer.form.file is None:
            raise Refused(400, f"There is no file in the field {file_field}.", "no_file")
    except BaseException:
        writer.close()
        writer.form.discard()
        raise
    return writer.form


async def _read(request: Request, boundary: bytes, writer: _Writer, limits: Limits) -> None:
    size, most_mib = 0, limits.upload_mib
    chunks = request.stream()
    try:
        parser = MultipartParser(boundary, writer.callbacks())
        while (chunk := await asyncio.wait_for(anext(chunks, None), limits.idle_s)) is not None:
            size += len(chunk)
            if size > most_mib * MIB + MIB:
                raise _too_large(most_mib)
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise Refused(400, "The form cannot be read.", "bad_form") from error
    except ClientDisconnect as error:
        raise Refused(400, "The upload broke off.", "broken_off") from error
    except TimeoutError as error:
        told = f"Nothing of the file came for {limits.idle}."
        raise Refused(408, told, "broken_off") from error
    except OSError as error:
        reason = error.strerror or "the disk failed"
        raise Refused(507, f"The file cannot be kept here: {reason}.", "no_room") from error
    if writer.open:
        raise Refused(400, "The upload broke off.", "broken_off")


def _too_large(most_mib: int) -> Refused:
    return Refused(
        413,
        f"The file is larger than {most_mib} MiB (voxtui serve --upload-mib allows more).",
        "too_large",
    )
