"""The web page's files, read once. What a browser asks for is looked up here, never on disk."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

from starlette.responses import Response

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One of them."""

    content: bytes
    media_type: str

    def response(self) -> Response:
        """As it is sent; the browser asks again each time, so that an update is seen."""
        return Response(self.content, headers={"Content-Type": self.media_type})


@functools.cache
def files() -> dict[str, PageFile]:
    """All of them, by name."""
    found = {}
    for file in resources.files(__name__).iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in TYPES:
            found[file.name] = PageFile(file.read_bytes(), TYPES[suffix])
    return found
