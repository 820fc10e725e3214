"""A running server with the small model, shared by the tests of a module, and clients for it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [serve] is not installed")

from voxtui import paths
from voxtui.engine.config import EngineConfig
from voxtui.serve.limits import Limits, ServeConfig
from voxtui.serve.run import Address, listening, server_of, with_temporary

TOKEN = "a-token-of-some-length"
CLIP = paths.clips_dir() / "computer_open_music.wav"
SAID = "computer open music"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"]["message"])


@dataclass(frozen=True)
class Running:
    """A server and where it is."""

    port: int
    sessions: Path
    temporary: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def get(
        self, path: str, method: str = "GET", data: bytes | None = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))

    def post_file(
        self, path: str, field: str, file: Path | bytes, name: str = "a.wav", **fields: str
    ) -> Answer:
        content = file if isinstance(file, bytes) else file.read_bytes()
        body, kind = form(field, content, name, fields)
        return self.get(path, "POST", body, Content_Type=kind)


def form(field: str, content: bytes, name: str, fields: dict[str, str]) -> tuple[bytes, str]:
    """A multipart form and its media type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    parts += [head.encode(), content, b"\r\n--edge--\r\n"]
    return b"".join(parts), "multipart/form-data; boundary=edge"


def pcm(clip: Path = CLIP) -> bytes:
    """The samples of a clip."""
    with wave.open(str(clip)) as file:
        return file.readframes(file.getnframes())


def mux_clip(container: Any, stream: Any) -> None:
    """All of the clip into a stream of sound, which ends with it."""
    import av

    samples = pcm()
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
    frame.planes[0].update(samples)
    frame.sample_rate = 16000
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def film() -> bytes:
    """The clip as the sound of an MP4 with a picture, its index at the end."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        picture = container.add_stream("mpeg4", rate=5)
        picture.width, picture.height = 64, 48
        sound = container.add_stream("aac", rate=16000)
        for _ in range(12):
            frame = av.VideoFrame(64, 48, "yuv420p")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        mux_clip(container, sound)
    return out.getvalue()


@contextlib.contextmanager
def serving(folder: Path, **changes: Any) -> Iterator[Running]:
    """Run a server in a thread until the context ends."""
    config = ServeConfig(
        engine=EngineConfig(paths.builtin_model_dir(), threads=1),
        model_name="tiny",
        small_model=True,
        sessions_dir=folder / "sessions",
        temporary=folder / "temporary",
    )
    config = replace(config, **changes)
    address = Address(config.host, 0)
    with listening(address, config.token) as port, with_temporary(config) as ready:
        server = server_of(ready, address)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([port])))
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield Running(port.getsockname()[1], config.sessions_dir, ready.temporary)
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def engines() -> list[int]:
    """The process numbers of the engines that the server of this process runs."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            with contextlib.suppress(OSError):
                if b"--framed" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
    return found


Serving = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server as it is by default."""
    with serving(tmp_path_factory.mktemp("serve"), limits=Limits(upload_mib=2)) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers with other choices; they end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **changes: stack.enter_context(serving(tmp_path, **changes))
