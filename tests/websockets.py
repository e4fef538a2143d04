"""Servers for WebSockets: the development server's and uvicorn's, on a thread of the test.

They are real servers on real sockets, and the application is the test's own object.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import make_server

from brim import Flask
from tests.processes import free_port

#: How long a test waits for something that is to come, in seconds.
PATIENCE = 20.0


@contextmanager
def over_wsgi(app: Flask, **options: Any) -> Iterator[str]:
    """Serve ``app`` with threads and sockets, as `brim run` does; the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_asgi(app: Flask) -> Iterator[str]:
    """Serve ``app`` with uvicorn; the address."""
    import uvicorn

    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    port = free_port()
    settings = uvicorn.Config(app, port=port, ws="wsproto", lifespan="off", log_config=None)
    server = Server(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


DOORS: dict[str, Callable[[Flask], Any]] = {"wsgi": over_wsgi, "asgi": over_asgi}


class Noted(list[Any]):
    """A list that a server's threads append to, and a test waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def append(self, item: Any) -> None:
        with self._changed:
            super().append(item)
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[Any]:
        """Wait until there are ``count`` items; return all."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) >= count, PATIENCE)
            return list(self)
