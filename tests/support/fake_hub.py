"""A model hub on this machine, and the line to it: with cuts, wrong bytes, refusals, pages.

It plays what huggingface.co does for `/REPO/resolve/REVISION/FILE`: a HEAD tells size, hash and
commit, a GET is sent on to another host (here `localhost` for `127.0.0.1`), which serves ranges.
"""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

COMMIT = "c" * 40


@dataclass
class Line:
    """What goes wrong. Each list is used up, one entry a request for bytes."""

    cuts: list[int] = field(default_factory=list)
    """The connection ends after so many bytes."""
    refusals: list[int] = field(default_factory=list)
    """Status codes in place of the bytes."""
    ranges: bool = True
    """Can it begin in the middle?"""
    page_for_bytes: bool = False
    page_for_all: bool = False
    asked_refusals: list[int] = field(default_factory=list)
    """Status codes in place of size and hash."""
    error_code: str = ""
    """`X-Error-Code` of refusals."""
    retry_after: str = ""
    hashes: dict[str, str] = field(default_factory=dict)
    """Other hashes than the right ones, by file."""
    no_hashes: bool = False
    pause_s: float = 0.0
    """Between blocks."""
    block: int = 16384
    stall: threading.Event | None = None
    """Nothing more after the first block until this is set."""


class FakeHub:
    """Serves `files` (by "repo/name"); `line` may be changed at any time."""

    def __init__(self, files: dict[str, bytes], small: tuple[str, ...] = ("params.json",)) -> None:
        self.files = files
        self.small = small
        """Names of files that git keeps itself, with its own hash."""
        self.line = Line()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, path and headers."""
        self.sent = 0
        """Bytes of files."""
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> FakeHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.line.stall is not None:
            self.line.stall.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ranges(self) -> list[str]:
        """The `Range` of each request for bytes, "" without one."""
        return [
            headers.get("range", "")
            for method, path, headers in self.requests
            if method == "GET" and path.startswith("/cdn/")
        ]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

            def do_HEAD(self) -> None:
                _Answer(hub, self).head()

            def do_GET(self) -> None:
                _Answer(hub, self).get()

        return Handler


class _Answer:
    def __init__(self, hub: FakeHub, request: http.server.BaseHTTPRequestHandler) -> None:
        self.hub, self.request = hub, request
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.headers = headers
        self.path = urllib.parse.urlsplit(request.path).path  # a proxy is told the whole address
        hub.requests.append((request.command, request.path, headers))

    def head(self) -> None:
        line = self.hub.line
        if line.page_for_all:
            self._page(with_body=False)
        elif line.asked_refusals:
            self._refuse(line.asked_refusals.pop(0))
        else:
            self._about()

    def get(self) -> None:
        line, path = self.hub.line, self.path
        if line.page_for_all:
            self._page(with_body=True)
        elif path.startswith("/cdn/"):
            if line.refusals:
                self._refuse(line.refusals.pop(0))
            elif line.page_for_bytes:
                self._page(with_body=True)
            else:
                self._bytes(self.hub.files[path.removeprefix("/cdn/")])
        else:
            self._about()

    def _about(self) -> None:
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        name = rest.partition("/")[2]
        data = self.hub.files.get(f"{repo}/{name}")
        if data is None:
            self._refuse(404, "EntryNotFound")
            return
        self.request.send_response(302)
        self.request.send_header("X-Repo-Commit", COMMIT)
        self.request.send_header("X-Linked-Size", str(len(data)))
        if not self.hub.line.no_hashes:
            self.request.send_header("X-Linked-ETag", f'"{self._etag(name, data)}"')
        self.request.send_header("Location", f"http://localhost:{self.hub.port}/cdn/{repo}/{name}")
        self.request.send_header("Content-Length", "0")
        self.request.end_headers()

    def _etag(self, name: str, data: bytes) -> str:
        if name in self.hub.line.hashes:
            return self.hub.line.hashes[name]
        if name in self.hub.small:
            return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        return hashlib.sha256(data).hexdigest()

    def _refuse(self, status: int, code: str = "") -> None:
        line = self.hub.line
        self.request.send_response(status)
        if code or line.error_code:
            self.request.send_header("X-Error-Code", code or line.error_code)
        if line.retry_after:
            self.request.send_header("Retry-After", line.retry_after)
        self.request.send_header("Content-Length", "0")
        self.request.end_headers()

    def _page(self, with_body: bool) -> None:
        page = b"<!DOCTYPE html><html><body>Please sign in to this network</body></html>"
        self.request.send_response(200)
        self.request.send_header("Content-Type", "text/html; charset=utf-8")
        self.request.send_header("Content-Length", str(len(page)))
        self.request.end_headers()
        if with_body:
            self.request.wfile.write(page)

    def _bytes(self, data: bytes) -> None:
        line, begin = self.hub.line, 0
        wanted = self.headers.get("range", "")
        if wanted and line.ranges:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            if begin >= len(data):
                self._refuse(416)
                return
            self.request.send_response(206)
            self.request.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.request.send_response(200)
        self.request.send_header("Content-Type", "binary/octet-stream")
        self.request.send_header("Content-Length", str(len(data) - begin))
        self.request.end_headers()
        end = min(len(data), begin + line.cuts.pop(0)) if line.cuts else len(data)
        for at in range(begin, end, line.block):
            block = data[at : min(end, at + line.block)]
            try:
                self.request.wfile.write(block)
            except OSError:
                break
            self.hub.sent += len(block)
            time.sleep(line.pause_s)
            if line.stall is not None:
                line.stall.wait(20)
        if end < len(data):
            self.request.close_connection = True
