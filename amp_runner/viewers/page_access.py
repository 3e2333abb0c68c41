"""Who may open the pages in the browser: this machine, and with a secret token in the address also others."""

from __future__ import annotations

import contextlib
import hmac
import http
import io
import re
import secrets
import socket
import sys
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

_LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1)(:\d+)?")
_COOKIE = "amp_token"


def protect_pages(host: str | None = None) -> None:
    """Guard viser's servers of this process, and open no public tunnel. Once is enough, before a server is created.

    A browser allows every website to open a WebSocket to localhost; only the Origin header shows which website asks, so that
    other origins are refused. Clients without that header are no websites.

    Args:
        host: address on which other machines may open the pages, such as ``0.0.0.0``. They need the address that
            :func:`page_address` returns: the token in it becomes a cookie, which websites of others cannot send.
            None: this machine only.
    """
    import viser
    import websockets.asyncio.server as server

    if not isinstance(server.serve, _GuardedServe):
        server.serve = _GuardedServe(server.serve, host)  # type: ignore[misc, assignment]
        viser.ViserServer.request_share_url = _refuse_to_share  # type: ignore[method-assign]


def new_page(port: int, width: float) -> Any:
    """Start a guarded server of viser with the ground as a grid.

    Args:
        port: port of the page; the next free one is taken if it is in use.
        width: width of the ground [m].
    """
    import viser

    protect_pages()
    with contextlib.redirect_stdout(io.StringIO()):  # viser's own lines give an address without the token
        server = viser.ViserServer(host="127.0.0.1", port=port, verbose=False)
    server.scene.set_up_direction("+z")
    server.scene.add_grid("/ground", width=width, height=width, cell_size=0.1, section_size=1.0)
    return server


def page_address(port: int) -> str:
    """Return the address at which the pages can be opened, with the token if other machines may open them."""
    import websockets.asyncio.server as server

    guard = server.serve
    if not isinstance(guard, _GuardedServe) or guard.host is None:
        return f"http://localhost:{port}"
    host = socket.gethostname() if guard.host in ("0.0.0.0", "::", "") else guard.host
    return f"http://{host}:{port}/?token={guard.token}"


class _GuardedServe:
    """Takes the place of the function with which viser starts its server."""

    def __init__(self, serve: Callable[..., Any], host: str | None) -> None:
        self.serve, self.host, self.token = serve, host, secrets.token_urlsafe(16)

    def __call__(self, handler: Any, host: str, port: int, *, process_request: Any = None, **options: Any) -> Any:
        if self.host is None:
            return self.serve(handler, host, port, process_request=process_request, origins=[None, _LOCAL], **options)
        return self.serve(handler, self.host, port, process_request=self._with_token(process_request), **options)

    def _with_token(self, process_request: Any) -> Callable[[Any, Any], Any]:
        def process(connection: Any, request: Any) -> Any:
            given = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
            cookie = SimpleCookie(request.headers.get("Cookie", "")).get(_COOKIE)
            found: tuple[str, str] = (given, "" if cookie is None else cookie.value)
            if not any(hmac.compare_digest(token.encode(), self.token.encode()) for token in found):
                return connection.respond(http.HTTPStatus.FORBIDDEN, "open the address that the command printed\n")
            response = None if process_request is None else process_request(connection, request)
            if response is not None:
                response.headers["Set-Cookie"] = f"{_COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            return response

        return process


def _refuse_to_share(*_: Any, **__: Any) -> None:
    print("the page is not shared: a public address would let anyone command the robot", file=sys.stderr)
