"""Requests over sockets, as the matrix of servers makes them: nothing helps a server along."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Seconds that a request may take before its check fails.
PATIENCE = 15

Headers = dict[str, str]
Body = bytes | Iterable[bytes] | None


class Answer:
    """A response whose body has been read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def all(self, header: str) -> list[str]:
        """The values of a header that may come more than once."""
        return self.headers.get_all(header) or []


class Wire:
    """Makes requests of the server on a port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, target: str, headers: Headers | None = None, body: Body = None
    ) -> Answer:
        """Make one request on a connection of its own.

        A body that isn't bytes is sent in chunks.
        """
        with self.connection() as connection:
            return exchange(connection, method, target, headers, body)

    def get(self, target: str, **headers: str) -> Answer:
        """GET; the names of headers have hyphens where underscores stand here."""
        return self.ask("GET", target, {n.replace("_", "-"): v for n, v in headers.items()})

    def post(self, target: str, body: Body = b"", kind: str = "text/plain") -> Answer:
        return self.ask("POST", target, {"Content-Type": kind}, body)

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def opened(self, target: str, headers: Headers | None = None) -> Iterator[Any]:
        """The response to a GET as soon as its headers are there, its body still to be read."""
        with self.connection() as connection:
            connection.request("GET", target, headers=headers or {})
            response = connection.getresponse()
            try:
                yield response
            finally:
                response.close()

    @contextmanager
    def socket(self) -> Iterator[socket.socket]:
        """A connection on which the bytes are yours."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            yield connection


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Headers | None = None,
    body: Body = None,
) -> Answer:
    """Make a request on an open connection, and read the answer."""
    chunked = body is not None and not isinstance(body, bytes)
    all_headers = dict(headers or {})
    if chunked:
        all_headers["Transfer-Encoding"] = "chunked"
    # Who refuses a body need not read it: the answer is there all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request(method, target, body, all_headers, encode_chunked=chunked)
    return Answer(connection.getresponse())


def read_head(connection: socket.socket) -> bytes:
    """Read up to the end of a response's head, byte by byte so that no more is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, f"The server closed the connection after {head!r}"
        head += byte
    return head
