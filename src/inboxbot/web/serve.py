"""Serving the desk: beside the daemon in a thread of its own, or alone."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from inboxbot.config.model import WebSettings
from inboxbot.desk.context import Desk
from inboxbot.desk.originals import Originals
from inboxbot.errors import UsageError
from inboxbot.logs import get_logger
from inboxbot.web.app import build_app

log = get_logger()
END_WITHIN_S = 5.0


@contextmanager
def served(
    desk: Desk,
    *,
    now: Callable[[], dt.datetime],
    settings: WebSettings | None = None,
    originals: Originals | None = None,
    else_any_port: bool = False,
) -> Iterator[str]:
    """Serve the desk in a thread until the end of the block; give its address.

    ``originals``: the way to the mails as they lie in the mailboxes; without it none is shown and no file fetched.
    ``else_any_port``: take a free one when the wished one is taken; else that raises UsageError.
    """
    chosen = settings or desk.settings.web or WebSettings()
    door = _listen(chosen, else_any_port=else_any_port)
    port: int = door.getsockname()[1]
    server = _server(build_app(desk, now=now, settings=chosen, port=port, originals=originals))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="web", daemon=True)
    thread.start()
    host = f"[{chosen.listen}]" if ":" in chosen.listen else chosen.listen
    address = chosen.base_url or f"http://{host}:{port}"
    log.info("web_serves", listen=chosen.listen, port=port)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(END_WITHIN_S)
        door.close()


def _server(app: FastAPI) -> uvicorn.Server:
    # Its tracebacks would show values of requests; faults are told by the app itself, without them.
    quiet = logging.getLogger("uvicorn")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            http="h11",
            ws="none",
            loop="asyncio",
            limit_concurrency=200,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=3,
        )
    )


def _listen(settings: WebSettings, *, else_any_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.listen else socket.AF_INET
    for port in (settings.port, 0) if else_any_port else (settings.port,):
        door = socket.socket(family, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.listen, port))
            door.listen(128)
        except OSError as error:
            door.close()
            reason = error.strerror or "cannot be listened on"
        else:
            return door
    raise UsageError(reason, where=f"web: {settings.listen}:{settings.port}", cure="set another web.port")
