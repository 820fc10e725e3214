"""Who may speak to the server: Host, Origin and token, looked at before anything else.

A web page from elsewhere can make a browser send requests here. It must neither read words nor
start anything: a request that names another origin is refused, and so is one that reached us under
a name that is not ours (DNS rebinding).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voxtui.serve.limits import Refused

COOKIE = "voxtui_key"
OPEN = ("/", "/health", "/api/login")
"""What may be had without a token: the page itself, which asks for it."""
OPEN_FOLDER = "/page/"

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; worker-src 'self'; media-src 'self' blob:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


def is_loopback(host: str) -> bool:
    """Does only this machine reach that address?"""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The name in a Host header or an origin, without its port."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def same_place(origin: str, host: str) -> bool:
    """Is that origin the server that a Host header names? Another port is another server."""
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"{urlsplit(origin).scheme}://{host}")
        usual = 443 if theirs.scheme == "https" else 80
        ports = theirs.port or usual, ours.port or usual
    except ValueError:
        return False
    return bool(theirs.hostname) and theirs.hostname == ours.hostname and ports[0] == ports[1]


def error_body(message: str, code: str) -> bytes:
    """An error as OpenAI's clients read it."""
    kind = "invalid_request_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error}, ensure_ascii=False).encode()


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, host: str, token: str, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._local = is_loopback(host)
        self._token = token
        self._names = {name.lower() for name in hosts} | {"localhost"}
        if not self._local:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local", socket.getfqdn().lower(), host.lower()}

    def cookie(self) -> str:
        """What a browser shows in place of the token."""
        return hmac.new(self._token.encode(), b"voxtui page", hashlib.sha256).hexdigest()

    def right_token(self, given: str) -> bool:
        """Is this the token? All are right where none is asked for."""
        return hmac.compare_digest(given.encode(), self._token.encode()) or not self._token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope["guard"] = self
        headers = Headers(scope=scope)
        try:
            self._check(scope["path"], headers)
        except Refused as refused:
            await refuse(refused, scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
                out.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)

    def _check(self, path: str, headers: Headers) -> None:
        host = host_of(headers.get("host", ""))
        if not self._is_ours(host):
            raise Refused(
                403,
                "The server does not go by that name: use its address, or start it with"
                " voxtui serve --name NAME.",
                "wrong_host",
            )
        origin = headers.get("origin")
        if origin is not None and not same_place(origin, headers.get("host", "")):
            raise Refused(403, "Pages from elsewhere may not use this server.", "wrong_origin")
        if headers.get("sec-fetch-site") == "cross-site" and path != "/":
            raise Refused(403, "Pages from elsewhere may not use this server.", "wrong_origin")
        if path in OPEN or path.startswith(OPEN_FOLDER) or self._may(headers):
            return
        if "authorization" in headers:
            raise Refused(401, "That is not the server's token.", "wrong_token")
        raise Refused(401, "The server asks for its token (Authorization: Bearer …).", "no_token")

    def _is_ours(self, host: str) -> bool:
        if host in self._names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback if self._local else True

    def _may(self, headers: Headers) -> bool:
        if not self._token:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.right_token(given.strip()):
            return True
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        shown = cookies[COOKIE].value if COOKIE in cookies else ""
        return hmac.compare_digest(shown.encode(), self.cookie().encode())


async def refuse(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with an error, a WebSocket's request too."""
    body = error_body(refused.message, refused.code)
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http.response"
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if refused.status == 503:
        headers.append((b"retry-after", b"5"))
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{kind}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
