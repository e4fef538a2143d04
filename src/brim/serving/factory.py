"""How Granian makes a worker: the only file that knows its server class from inside.

Granian's own supervisor is not used. It loses requests when it reloads (a worker is told to
end some seconds after its successor was started, ready or not, and its socket's queue is
reset), misses a SIGTERM that reaches a worker before the worker has handlers, gives up when
a worker is killed twice within 5.5 seconds, and keeps workers alive that outlive it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, RuntimeModes, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from .worker import work

if TYPE_CHECKING:
    import socket
    from multiprocessing.process import BaseProcess

    from .settings import Settings
    from .worker import Loader

#: Who sends its headers slower than this is cut off, in milliseconds.
HEADERS_WITHIN = 30_000


def logging_config(level: str) -> dict[str, Any]:
    """The loggers of the server: its own on stderr, requests on stdout."""
    line = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
    return {
        "formatters": {
            "generic": {"format": line, "datefmt": "%Y-%m-%d %H:%M:%S %z"},
            "access": {"format": "%(message)s"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "generic",
                "stream": "ext://sys.stderr",
            },
            "access": {
                "class": "logging.StreamHandler",
                "formatter": "access",
                "stream": "ext://sys.stdout",
            },
        },
        "loggers": {
            "_granian": {"handlers": ["console"], "propagate": False},
            "granian.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
            "brim.serve": {
                "handlers": ["console"],
                "level": level.upper(),
                "propagate": False,
            },
        },
    }


class Factory(MPServer):
    """Makes worker processes that are not started yet."""

    def __init__(self, settings: Settings, bound: socket.socket, interface: str) -> None:
        self.kind = interface
        wsgi = interface == "wsgi"
        static = settings.static
        level = settings.log_level
        super().__init__(
            target="",
            interface=Interfaces.WSGI if wsgi else Interfaces.ASGI,
            workers=settings.worker_count,
            # Under ASGI, Granian's one thread hands requests to the loop.
            blocking_threads=settings.threads if wsgi else 1,
            backlog=settings.backlog,
            backpressure=settings.connections_per_worker,
            # What its `auto` takes for these interfaces, without its start.
            runtime_mode=RuntimeModes.mt,
            http=HTTPModes(settings.http),
            http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN),
            websockets=not wsgi,
            # What it says of its workers at "info" is said by the supervisor.
            log_level=LogLevels("warning" if level == "info" else level),
            log_dictconfig=logging_config(level),
            log_access=settings.access_log,
            log_access_format=settings.access_log_format,
            ssl_cert=settings.cert,
            ssl_key=settings.key,
            ssl_protocol_min=SSLProtocols.tls12,
            static_path_route=[route for route, _ in static],
            static_path_mount=[folder for _, folder in static],
            static_path_expires=settings.static_max_age,
        )
        on_unix = settings.unix_socket is not None
        holder: Any = SocketHolder
        if sys.platform in {"linux", "freebsd"}:
            self._shd = holder(bound.fileno(), on_unix, settings.backlog)
        else:
            self._shd = holder(bound.fileno(), on_unix)
        self._ssp = None
        # Goes along so that the descriptor is handed to a process that is not forked.
        self._sso = bound
        self._work = _work_wsgi if wsgi else _work_asgi

    def process(self, index: int, loader: Loader) -> BaseProcess:
        worker: Any = cast("Any", self)._spawn_worker(
            idx=index, target=self._work, callback_loader=loader
        )
        process: BaseProcess = worker.inner
        process.name = f"brim-worker-{index + 1}"
        return process


def _work_wsgi(*arguments: Any) -> None:
    work(MPServer._spawn_wsgi_worker, arguments)


def _work_asgi(*arguments: Any) -> None:
    work(MPServer._spawn_asgi_lifespan_worker, arguments)
