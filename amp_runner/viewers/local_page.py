"""Pages in the browser that only their own address may talk to."""

from __future__ import annotations

import functools
import re
import sys
from typing import Any

_LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1)(:\d+)?")


def protect_pages() -> None:
    """Let viser's servers of this process accept this machine's own pages only, and open no public tunnel.

    A browser allows every website to open a WebSocket to localhost; only the Origin header shows which website asks.
    Clients without that header are no websites. Call it before a server is created; once is enough.
    """
    import viser
    import websockets.asyncio.server as server

    if getattr(server.serve, "func", None) is None:
        server.serve = functools.partial(server.serve, origins=[None, _LOCAL])  # type: ignore[misc]
        viser.ViserServer.request_share_url = _refuse_to_share  # type: ignore[method-assign]


def _refuse_to_share(*_: Any, **__: Any) -> None:
    print("the page is not shared: a public address would let anyone command the robot", file=sys.stderr)
