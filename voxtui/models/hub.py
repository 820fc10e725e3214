"""Talks to the model hub: where a file is, how large, its hash; its bytes from anywhere on.

`huggingface_hub` gives the address (`HF_ENDPOINT`), the token (`HF_TOKEN`, `hf auth login`), the
local cache and the HTTP client (proxies, certificates). Whatever a server does wrong becomes one
sentence.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT_S = 15.0
READ_TIMEOUT_S = 30.0
LONGEST_WAIT_S = 300.0
PASSING = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
"""What a server says when asking again later makes sense."""


class HubError(Exception):
    """It cannot be fetched; one sentence that says why and what to do."""


class PassingError(HubError):
    """It cannot be fetched now; trying again makes sense, after `after_s` if the server said so."""

    def __init__(self, sentence: str, after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it. Of the two hashes at most one is known ("" otherwise)."""

    repo: str
    name: str
    url: str
    size: int
    sha256: str
    git_sha1: str
    commit: str


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT`, else the public one."""
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def look_up(repo: str, name: str, revision: str = "main") -> RemoteFile:
    """Ask for a file's size and hash. Raises HubError."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import OfflineModeIsEnabled

    url = hf_hub_url(repo, name, revision=revision, endpoint=endpoint())
    with _sentences(repo, name):
        try:
            told = get_hf_file_metadata(url, timeout=CONNECT_TIMEOUT_S)
        except OfflineModeIsEnabled as error:
            raise HubError(
                "HF_HUB_OFFLINE is set, so nothing is fetched: unset it and try again."
            ) from error
    if told.commit_hash is None or told.size is None:
        raise HubError(no_hub(told.location))
    etag = told.etag or ""
    hexadecimal = all(digit in "0123456789abcdef" for digit in etag)
    return RemoteFile(
        repo=repo,
        name=name,
        url=hf_hub_url(repo, name, revision=told.commit_hash, endpoint=endpoint()),
        size=told.size,
        sha256=etag if len(etag) == 64 and hexadecimal else "",
        git_sha1=etag if len(etag) == 40 and hexadecimal else "",
        commit=told.commit_hash,
    )


def cached(remote: RemoteFile) -> Path | None:
    """The same file in Hugging Face's own cache on this machine, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(remote.repo, remote.name, revision=remote.commit)
    if not isinstance(found, str):
        return None
    path = Path(found).resolve()
    return path if path.is_file() and path.stat().st_size == remote.size else None


class Stream:
    """The bytes of a file from `offset` on."""

    def __init__(self, remote: RemoteFile, response: httpx2.Response, offset: int) -> None:
        self._remote = remote
        self._response = response
        self.offset = offset
        """Where they really begin: 0 when the server cannot begin in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        """Blocks as they come. Raises HubError."""
        with _sentences(self._remote.repo, self._remote.name):
            yield from self._response.iter_bytes()

    def cut(self) -> None:
        """End it from another thread, also while that one waits for bytes."""
        import socket

        stream = self._response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def open_stream(remote: RemoteFile, offset: int) -> Iterator[Stream]:
    """Fetch a file from `offset` on. Raises HubError."""
    import httpx2
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    timeout = httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    with (
        _sentences(remote.repo, remote.name),
        get_session().stream("GET", remote.url, headers=headers, timeout=timeout) as response,
    ):
        yield Stream(remote, response, _begin(response, remote, offset))


def _begin(response: httpx2.Response, remote: RemoteFile, offset: int) -> int:
    """Where the answer begins; raises what is wrong with it."""
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    if response.status_code == 416:
        raise PassingError(f"The server has less of {remote.name} than is here already.")
    hf_raise_for_status(response)
    if "text/html" in response.headers.get("content-type", ""):
        raise HubError(no_hub(str(response.url)))
    if response.status_code != 206:
        return 0
    told = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    if not told.isdigit() or int(told) != offset:
        raise PassingError(f"The server answered with another part of {remote.name}.")
    return offset


# ---- sentences -------------------------------------------------------------------------------


def no_hub(url: str) -> str:
    """What to say when a page came in place of a file."""
    import urllib.parse

    host = urllib.parse.urlsplit(url).netloc or url
    return (
        f"{host} answered with a web page in place of the file: probably a login page of this"
        " network or a proxy. Open the address in a browser and sign in, or set HTTPS_PROXY or"
        " HF_ENDPOINT."
    )


@contextlib.contextmanager
def _sentences(repo: str, name: str) -> Iterator[None]:
    """Errors of the HTTP client and of the hub as HubError."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HfHubHTTPError as error:
        raise _refused(error, repo, name) from error
    except httpx2.TransportError as error:
        raise _unreachable(error) from error
    except (httpx2.InvalidURL, httpx2.HTTPError) as error:
        raise HubError(f"{endpoint()} cannot be used as a model hub: {error}") from error


def _refused(error: Exception, repo: str, name: str) -> HubError:
    """The server answered, with a refusal."""
    from huggingface_hub import errors

    response = getattr(error, "response", None)
    status = response.status_code if response is not None else 0
    place = f"{endpoint()}/{repo}"
    if isinstance(error, errors.GatedRepoError):
        return HubError(
            f"{place} wants its terms accepted first: open it in a browser, accept, and sign in"
            " here with `hf auth login` or HF_TOKEN."
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return HubError(f"There is no {name} at {place} (any more): is there a newer voxtui?")
    if status in (401, 403):
        return HubError(
            f"{place} refuses access ({status}): sign in with `hf auth login` or set HF_TOKEN; a"
            " token that expired is refused too."
        )
    if status == 404 or isinstance(error, errors.RepositoryNotFoundError):
        return HubError(f"There is no {place}: is HF_ENDPOINT right?")
    if status == 407:
        return HubError("The proxy wants a password: put it into HTTPS_PROXY (user:password@host).")
    if status in PASSING:
        retry = response.headers.get("retry-after", "") if response is not None else ""
        busy = "is too busy" if status == 429 else "has a fault of its own"
        return PassingError(
            f"The server {busy} ({status}); try again later.",
            min(float(retry), LONGEST_WAIT_S) if retry.isdigit() else None,
        )
    return HubError(f"The server refuses {name} ({status or error}).")


def _unreachable(error: Exception) -> HubError:
    """No answer, or a broken one."""
    import httpx2

    host = endpoint().partition("://")[2]
    text = str(error).lower()
    if isinstance(error, httpx2.UnsupportedProtocol):
        return HubError(f"HF_ENDPOINT ({endpoint()}) is no web address: https://… is wanted.")
    if isinstance(error, httpx2.ProxyError):
        return PassingError(f"The proxy does not let it through ({error}): look at HTTPS_PROXY.")
    if "certificate" in text or "ssl" in text:
        return HubError(
            f"{host} cannot be trusted ({error}): is the clock right? A company's proxy needs its"
            " certificate in SSL_CERT_FILE."
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return PassingError(f"{host} cannot be reached: is this machine online?")
    if isinstance(error, httpx2.TimeoutException):
        return PassingError("The server sends nothing any more.")
    return PassingError("The connection was cut.")
