"""The application: its routes, and what they share."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import voxtui
from voxtui.serve import library, transcriptions
from voxtui.serve.files import FileJob
from voxtui.serve.guard import COOKIE, Guard, error_body, refuse
from voxtui.serve.library import Shelf, new_secret, source_of
from voxtui.serve.limits import Refused, ServeConfig
from voxtui.serve.live import Page, engine_json
from voxtui.serve.page import files as page_files
from voxtui.serve.pool import EnginePool
from voxtui.serve.realtime import RealtimeConnection
from voxtui.serve.uploads import Form, receive
from voxtui.session import SessionError

_log = logging.getLogger(__name__)

OFFICIAL = "mistralai/Voxtral-Mini-4B-Realtime-2602"
ALIASES = (OFFICIAL, "voxtral", "whisper-1")
"""Names by which clients made for other servers ask for the model; there is only one here."""
TIDY_S = 60.0
LAST_WORDS_S = 15.0
"""What sessions may take to be saved when the server is stopped."""
LONGEST_JSON = 65_536


class Server:
    """Everything that lives as long as the server does."""

    def __init__(self, config: ServeConfig) -> None:
        self.config = config
        self.pool = EnginePool(config.engine, config.limits)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sockets: set[asyncio.Task[Any]] = set()

    def knows(self, model: str) -> bool:
        """Is this a name of the model that is served?"""
        return model in (*self.names, *ALIASES)

    @property
    def names(self) -> tuple[str, ...]:
        """By which the model is known, its own first."""
        return tuple(dict.fromkeys((self.config.model_name, *self.config.served_names)))

    async def upload(self, request: Request, field: str) -> Form:
        """The form of a request with a file in it."""
        if self.pool.taken >= self.config.limits.clients:
            self.pool.reserve().release()  # says what is wrong before all of it was sent
        return await receive(request, field, self.config.temporary, self.config.limits)

    def job(self, form: Form, keep_as: str = "") -> FileJob:
        """Work on an uploaded file; nothing of it stays unless it is kept as somebody's."""
        assert form.file is not None
        seat = self.pool.reserve()
        folder = self.config.sessions_dir if keep_as else form.folder / "session"
        return FileJob(self.config, seat, form.file, form.name, folder, keep_as)

    def discard(self, form: Form, job: FileJob | None) -> None:
        """End what a request began, whatever becomes of the request."""

        async def work() -> None:
            if job is not None:
                await job.close()
            await asyncio.to_thread(form.discard)

        self.spawn(work())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in a task of its own, which a cancelled request does not cancel."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- its life ----------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """From the first engine's start to the last session's end."""
        threads = ThreadPoolExecutor(2 * self.config.limits.clients + 8, "serve")
        asyncio.get_running_loop().set_default_executor(threads)
        self.pool.start()
        tidying = asyncio.create_task(self._tidy())
        try:
            yield
        finally:
            tidying.cancel()
            if left := {*self._tasks, *self._sockets}:
                await asyncio.wait(left, timeout=LAST_WORDS_S)
            await asyncio.to_thread(self.pool.close)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_S)
            await asyncio.to_thread(self.pool.tidy)

    async def serve_socket(self, work: Coroutine[Any, Any, None]) -> None:
        """A connection, whose session is saved even when it is cut."""
        task = asyncio.create_task(work)
        self._sockets.add(task)
        task.add_done_callback(self._sockets.discard)
        await asyncio.shield(task)


# ---- routes ------------------------------------------------------------------------------


def browser_of(connection: Request | WebSocket) -> str:
    """The source under which this browser's sessions are kept."""
    return source_of(connection.cookies.get(library.COOKIE))


def routes(server: Server) -> list[Route | WebSocketRoute]:
    """All of them."""

    def shelf(request: Request) -> Shelf:
        return Shelf(server.config.sessions_dir, browser_of(request))

    async def index(request: Request) -> Response:
        response = page_files()["index.html"].response()
        if library.COOKIE not in request.cookies:
            secure = request.url.scheme == "https"
            response.set_cookie(
                library.COOKIE,
                new_secret(),
                max_age=400 * 86_400,
                httponly=True,
                samesite="strict",
                secure=secure,
            )
        return response

    async def page(request: Request) -> Response:
        found = page_files().get(request.path_params["name"])
        if found is None:
            raise Refused(404, "There is no such page.", "no_page")
        return found.response()

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def status(_: Request) -> Response:
        return JSONResponse(status_of(server))

    async def login(request: Request) -> Response:
        guard: Guard = request.scope["guard"]
        given = await _json(request)
        if not guard.right_token(str(given.get("token", ""))):
            await asyncio.sleep(0.5)
            raise Refused(401, "That is not the server's token.", "wrong_token")
        response = JSONResponse({"ok": True})
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, guard.cookie(), httponly=True, samesite="strict", secure=secure)
        return response

    async def models(_: Request) -> Response:
        about = {"object": "model", "created": 0, "owned_by": "voxtui"}
        data = [{"id": name, **about} for name in server.names]
        return JSONResponse({"object": "list", "data": data})

    async def sessions(request: Request) -> Response:
        return JSONResponse({"sessions": await asyncio.to_thread(shelf(request).listed)})

    async def session(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "DELETE":
            await asyncio.to_thread(shelf(request).delete, name)
        elif request.method == "PATCH":
            title = str((await _json(request)).get("title", ""))
            await asyncio.to_thread(shelf(request).rename, name, title)
        else:
            return JSONResponse(await asyncio.to_thread(shelf(request).read, name))
        return JSONResponse({"ok": True})

    async def exported(request: Request) -> Response:
        name, fmt = request.path_params["name"], request.path_params["fmt"]
        text = await asyncio.to_thread(shelf(request).exported, name, fmt)
        disposition = f'attachment; filename="voxtui-session.{fmt}"'
        return PlainTextResponse(text, headers={"Content-Disposition": disposition})

    async def transcription(request: Request) -> Response:
        return await transcriptions.transcriptions(server, request)

    async def transcribe(request: Request) -> Response:
        return await transcriptions.transcribe(server, request)

    async def upload(request: Request) -> Response:
        return await transcriptions.page_upload(server, request, browser_of(request))

    async def live(socket: WebSocket) -> None:
        hello = status_of(server)
        page = Page(socket, server.config, server.pool.reserve, browser_of(socket), hello)
        await server.serve_socket(page.run())

    async def realtime(socket: WebSocket) -> None:
        try:
            seat = server.pool.reserve()
        except Refused as refused:
            await refuse(refused, socket.scope, socket.receive, socket.send)
            return
        connection = RealtimeConnection(socket, server.config, seat, server.knows)
        await server.serve_socket(connection.run())

    return [
        Route("/", index),
        Route("/page/{name}", page),
        Route("/health", health),
        Route("/api/status", status),
        Route("/api/login", login, methods=["POST"]),
        Route("/api/sessions", sessions),
        Route("/api/sessions/{name}", session, methods=["GET", "DELETE", "PATCH"]),
        Route("/api/sessions/{name}/{fmt}", exported),
        Route("/api/upload", upload, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/audio/transcriptions", transcription, methods=["POST"]),
        Route("/transcribe", transcribe, methods=["POST"]),
        WebSocketRoute("/api/live", live),
        WebSocketRoute("/v1/realtime", realtime),
    ]


def status_of(server: Server) -> dict[str, Any]:
    """How the server is, for the page and for people who watch it."""
    limits = server.config.limits
    return {
        "voxtui": voxtui.__version__,
        "model": server.config.model_name,
        "small": server.config.small_model,
        "engine": engine_json(server.pool.facts()),
        "clients": server.pool.taken,
        "most_clients": limits.clients,
        "upload_mib": limits.upload_mib,
        "longest_s": limits.longest_s,
        "engine_memory": server.pool.memory(),
    }


async def _json(request: Request) -> dict[str, Any]:
    """The body as an object; `Refused` when it is none or long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_JSON:
            raise Refused(413, "That is too long.", "too_large")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(400, "Send a JSON object.", "bad_json")
    return value


# ---- errors ------------------------------------------------------------------------------


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {"Retry-After": "5"} if error.status == 503 else None
    body = error_body(error.message, error.code)
    return Response(body, error.status, headers, "application/json")


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    body = error_body(f"{error.detail}.", "http")
    return Response(body, error.status_code, error.headers, "application/json")


async def _session(_: Request, error: Exception) -> Response:
    return Response(error_body(str(error), "session"), 409, None, "application/json")


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    body = error_body("Something went wrong here; the server's log says what.", "failed")
    return Response(body, 500, None, "application/json")


Handler = Callable[[Request, Exception], Awaitable[Response]]


def application(config: ServeConfig) -> Starlette:
    """The whole of it, as ASGI."""
    server = Server(config)
    handlers: dict[Any, Handler] = {
        Refused: _refused,
        HTTPException: _http,
        SessionError: _session,
        Exception: _failed,
    }
    guard = Middleware(Guard, host=config.host, token=config.token, hosts=config.hosts)
    return Starlette(
        routes=routes(server),
        middleware=[guard],
        exception_handlers=handlers,
        lifespan=server.lifespan,
    )
