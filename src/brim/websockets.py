"""The WebSocket that a view talks to (RFC 6455), from sync and from async code alike.

What stands here holds for every server: when a connection is accepted, what its messages are
made of, which origin may open one. How bytes reach the client is the door's
(:class:`Connection`).
"""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from werkzeug.datastructures import Headers
from werkzeug.exceptions import Forbidden

from .either import Turn, running_loop
from .json.depth import check_depth

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Generator,
        Iterable,
        Iterator,
        Mapping,
    )

    from werkzeug.datastructures import ImmutableMultiDict, MultiDict
    from werkzeug.routing import Rule

    from .typing import RequestContext, SessionMixin

    class ReceivedText(str):
        """Type checkers' view of a text that is here at once, or to be awaited."""

        def __await__(self) -> Generator[Any, Any, str]: ...

    class ReceivedBytes(bytes):
        """Type checkers' view of bytes that are here at once, or to be awaited."""

        def __await__(self) -> Generator[Any, Any, bytes]: ...


T = TypeVar("T")

#: The ports that an origin or a host leaves out.
_PORTS = {"http": ":80", "https": ":443"}

#: The codes below 3000 that may be sent.
_SENDABLE_CODES = frozenset({*range(1000, 1004), *range(1007, 1015)})
_LONGEST_REASON = 123

#: Headers of the answer that the handshake itself consists of.
_OF_HANDSHAKE = frozenset(
    {
        "connection",
        "content-length",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "transfer-encoding",
        "upgrade",
    }
)

_OTHER_ORIGIN = """\
A page of {origin} may not open a WebSocket of {host}: it would act with the visitor's cookies. \
If it is meant to, name it in WEBSOCKET_ALLOWED_ORIGINS; behind a proxy that changes the host, \
apply ProxyFix."""


class WebsocketClosed(Exception):
    """The connection is over: the client has left, or it was closed here.

    ``code`` and ``reason`` are those of the closing handshake (RFC 6455, 7.4); the code is
    1006 where the connection broke off without one. A view need not catch this: leaving the
    view, it counts as the view's end.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"The WebSocket was closed: {self.code} {self.reason}".rstrip()


class UnexpectedMessage(ValueError):
    """A message is not what the view asked for: other data, or no JSON.

    Where a view doesn't catch it, the connection is closed with ``code``: 1003 for text in
    place of bytes or bytes in place of text, 1007 for what can't be read as JSON.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection(Protocol):
    """What a door offers of one connection.

    Every method but :meth:`wait` is a coroutine function. After the connection's end they
    raise :class:`WebsocketClosed`, except for :meth:`close`, which does nothing then.
    """

    @property
    def closed(self) -> WebsocketClosed | None:
        """How the connection ended; ``None`` while it lasts."""

    @property
    def loop_thread(self) -> int | None:
        """The thread whose event loop serves it, if one does.

        PERF: an eighth of the time of asking asyncio whether a loop runs on this thread;
        benchmarks/bench_websocket.py.
        """

    async def accept(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        """Answer the opening handshake."""

    async def receive(self) -> str | bytes:
        """Return the next message."""
        raise NotImplementedError

    async def send(self, data: str | bytes) -> None:
        """Send a message; return when the client's network has room for more."""

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    async def ping(self, payload: bytes) -> None:
        """Send a ping."""

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a sync function that may take its time."""
        raise NotImplementedError

    async def watched(self, view: Coroutine[Any, Any, Any]) -> Any:
        """Await a view; cancel it when the client leaves while it waits for something else."""

    def wait(self, operation: Coroutine[Any, Any, T]) -> T:
        """Carry out one of these operations from a thread without an event loop."""
        raise NotImplementedError


class Websocket:
    """A WebSocket connection, from its handshake to its end.

    Its methods are for sync and async views: where an event loop runs they return what is
    to be awaited, on a thread without one they wait and return the result.

        @app.websocket("/echo")
        async def echo():
            async for message in websocket:
                await websocket.send(message)

        @app.websocket("/echo")
        def echo():
            for message in websocket:
                websocket.send(message)

    The first :meth:`send` or :meth:`receive` accepts the connection, if :meth:`accept` was
    not called. Before that, a view or a hook can still answer with an HTTP response.
    """

    def __init__(self, ctx: RequestContext, connection: Connection) -> None:
        self._ctx = ctx
        self._connection = connection
        self._accepting = Turn()
        self._accepted = False
        self._subprotocol: str | None = None

    # The handshake --------------------------------------------------------------------

    @property
    def args(self) -> MultiDict[str, str]:
        """The query string's values."""
        return self._ctx.request.args

    @property
    def headers(self) -> Headers:
        """The headers of the handshake; they can't be changed."""
        return self._ctx.request.headers

    @property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """The cookies that came with the handshake."""
        return self._ctx.request.cookies

    @property
    def path(self) -> str:
        """The path, decoded, without the query string."""
        return self._ctx.request.path

    @property
    def full_path(self) -> str:
        """The path with the query string."""
        return self._ctx.request.full_path

    @property
    def root_path(self) -> str:
        """The path at which the application is mounted."""
        return self._ctx.request.root_path

    @property
    def query_string(self) -> bytes:
        """The part of the URL after the ``?``, as it was sent."""
        return self._ctx.request.query_string

    @property
    def scheme(self) -> str:
        """``"ws"``, or ``"wss"`` over TLS."""
        return "wss" if self._ctx.request.is_secure else "ws"

    @property
    def url(self) -> str:
        """The whole URL, such as ``"wss://example.com/chat?room=1"``."""
        return f"{self.scheme}:{self._ctx.request.url.partition(':')[2]}"

    @property
    def base_url(self) -> str:
        """The URL without the query string."""
        return f"{self.scheme}:{self._ctx.request.base_url.partition(':')[2]}"

    @property
    def host(self) -> str:
        """The host that the client asked for, with the port unless it is the usual one."""
        return self._ctx.request.host

    @property
    def origin(self) -> str | None:
        """The origin of the page that opened the connection; ``None`` outside a browser."""
        return self._ctx.request.headers.get("Origin")

    @property
    def remote_addr(self) -> str | None:
        """The address that the connection came from."""
        return self._ctx.request.remote_addr

    @property
    def url_rule(self) -> Rule | None:
        """The rule that matched."""
        return self._ctx.request.url_rule

    @property
    def endpoint(self) -> str | None:
        """The endpoint that matched."""
        return self._ctx.request.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the endpoint belongs to."""
        return self._ctx.request.blueprint

    @property
    def view_args(self) -> dict[str, Any] | None:
        """The values of the rule's variables."""
        return self._ctx.request.view_args

    @property
    def session(self) -> SessionMixin:
        """The session; what is changed in it before the connection is accepted is saved."""
        return self._ctx.session

    @property
    def requested_subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, the one it likes best first."""
        offered: str = self._ctx.environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "")
        return [name for part in offered.split(",") if (name := part.strip())]

    # The state ------------------------------------------------------------------------

    @property
    def accepted(self) -> bool:
        """Whether the connection was accepted."""
        return self._accepted

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that was chosen when the connection was accepted."""
        return self._subprotocol

    @property
    def closed(self) -> WebsocketClosed | None:
        """How the connection ended, with code and reason; ``None`` while it lasts."""
        return self._connection.closed

    # Operations -----------------------------------------------------------------------

    def accept(
        self,
        subprotocol: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> Awaitable[None]:
        """Accept the connection; nothing else can be answered after that.

        ``subprotocol``: one of :attr:`requested_subprotocols`. ``headers`` are added to the
        answer, and so is the session's cookie, if the session has changed.

        Raises ``ValueError`` for a subprotocol that the client has not offered and for
        headers that belong to the handshake, ``RuntimeError`` if it was accepted before.
        """
        return self._perform(self._accept(subprotocol, headers))  # type: ignore[no-any-return]

    def receive(self) -> ReceivedText | ReceivedBytes:
        """Return the next message, ``str`` or ``bytes``.

        Raises :class:`WebsocketClosed` when there are no more.
        """
        connection = self._connection
        operation: Any = connection.receive() if self._accepted else self._receive_first()
        if get_ident() == connection.loop_thread or running_loop() is not None:
            return operation  # type: ignore[no-any-return]
        return connection.wait(operation)  # type: ignore[no-any-return]

    def receive_text(self) -> ReceivedText:
        """Return the next message, which must be text; :class:`UnexpectedMessage` if not."""
        return self._perform(self._receive_text())  # type: ignore[no-any-return]

    def receive_bytes(self) -> ReceivedBytes:
        """Return the next message, which must be bytes; :class:`UnexpectedMessage` if not."""
        return self._perform(self._receive_bytes())  # type: ignore[no-any-return]

    def receive_json(self) -> Any:
        """Return the value of the next message, which must be JSON.

        Raises :class:`UnexpectedMessage` for one that isn't, or nests too deep.
        """
        return self._perform(self._receive_json())

    def send(self, data: str | bytes | bytearray | memoryview) -> Awaitable[None]:
        """Send a message: text for ``str``, else bytes.

        Raises :class:`WebsocketClosed` when the connection is over.
        """
        if type(data) is not str and not isinstance(data, (str, bytes)):
            data = _as_bytes(data)
        connection = self._connection
        operation: Any = connection.send(data) if self._accepted else self._send(data)
        if get_ident() == connection.loop_thread or running_loop() is not None:
            return operation  # type: ignore[no-any-return]
        return connection.wait(operation)

    def send_json(self, *args: Any, **kwargs: Any) -> Awaitable[None]:
        """Send a value as JSON, in a text message; arguments as for :func:`brim.jsonify`."""
        if args and kwargs:
            raise TypeError("send_json() takes either values or keywords, not both.")
        value = kwargs if not args else args[0] if len(args) == 1 else args
        return self._perform(self._send(self._ctx.app.json.dumps(value)))  # type: ignore[no-any-return]

    def ping(self, payload: bytes = b"") -> Awaitable[None]:
        """Send a ping, which the client answers by itself.

        Raises ``RuntimeError`` under ASGI, where it is for the server to send them.
        """
        return self._perform(self._ping(payload))  # type: ignore[no-any-return]

    def close(self, code: int = 1000, reason: str = "") -> Awaitable[None]:
        """Close the connection; what was sent before still arrives.

        Before it was accepted, it is refused with HTTP status 403. It is no error to close a
        connection that is over. ``reason`` may have 123 bytes.

        Raises ``ValueError`` for a code that may not be sent (RFC 6455, 7.4).
        """
        if not (code in _SENDABLE_CODES or 3000 <= code <= 4999):
            raise ValueError(
                f"{code!r} can't be sent as a WebSocket's close code. Use 1000, or one of your"
                " own from 4000 to 4999."
            )
        if len(reason.encode()) > _LONGEST_REASON:
            raise ValueError(f"The reason of a close may have {_LONGEST_REASON} bytes: {reason!r}")
        return self._perform(self._connection.close(code, reason))  # type: ignore[no-any-return]

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while True:
            try:
                message = await self._message()
            except WebsocketClosed:
                return
            yield message

    def __iter__(self) -> Iterator[str | bytes]:
        while True:
            try:
                message: Any = self.receive()
            except WebsocketClosed:
                return
            yield message

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open" if self._accepted else "not accepted"
        return f"<{type(self).__name__} {self.url!r} {state}>"

    def _perform(self, operation: Coroutine[Any, Any, Any]) -> Any:
        """Return an operation to be awaited, or carry it out where nothing can be awaited."""
        if running_loop() is not None:
            return operation
        return self._connection.wait(operation)

    async def _accept(
        self,
        subprotocol: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        if subprotocol is not None and subprotocol not in self.requested_subprotocols:
            raise ValueError(
                f"The client has not offered the subprotocol {subprotocol!r},"
                f" only {self.requested_subprotocols!r}."
            )
        given = _checked_headers(headers)
        async with self._accepting:
            if self._accepted:
                raise RuntimeError(
                    "This WebSocket was accepted before; the first send() or receive() does so."
                )
            await self._answer(subprotocol, given)

    async def _answer(self, subprotocol: str | None, headers: list[tuple[str, str]]) -> None:
        headers += await self._session_cookies()
        await self._connection.accept(subprotocol, headers)
        self._subprotocol = subprotocol
        self._accepted = True

    async def _session_cookies(self) -> list[tuple[str, str]]:
        """Save the session, if it was opened; return the headers that this takes."""
        ctx = self._ctx
        session = ctx._opened
        interface = ctx.app.session_interface
        if session is None or interface.is_null_session(session):
            return []
        response = ctx.app.response_class()
        await self._connection.call(interface.save_session, ctx.app, session, response)
        return [("Set-Cookie", value) for value in response.headers.getlist("Set-Cookie")]

    async def _ready(self) -> None:
        """Accept the connection, unless another task or thread does so meanwhile."""
        async with self._accepting:
            if not self._accepted:
                await self._answer(None, [])

    def _message(self) -> Coroutine[Any, Any, str | bytes]:
        return self._connection.receive() if self._accepted else self._receive_first()

    async def _receive_first(self) -> str | bytes:
        if not self._accepted:
            await self._ready()
        return await self._connection.receive()

    async def _receive_text(self) -> str:
        message = await self._message()
        if isinstance(message, str):
            return message
        raise UnexpectedMessage(1003, "A text message was expected, and bytes came.")

    async def _receive_bytes(self) -> bytes:
        message = await self._message()
        if isinstance(message, bytes):
            return message
        raise UnexpectedMessage(1003, "A message of bytes was expected, and text came.")

    async def _receive_json(self) -> Any:
        message = await self._message()
        try:
            check_depth(message)
            return self._ctx.app.json.loads(message)
        except (ValueError, RecursionError) as error:
            raise UnexpectedMessage(1007, "The message is no JSON that can be read.") from error

    async def _send(self, data: str | bytes) -> None:
        if not self._accepted:
            await self._ready()
        await self._connection.send(data)

    async def _ping(self, payload: bytes) -> None:
        if not self._accepted:
            await self._ready()
        await self._connection.ping(payload)


def _as_bytes(data: object) -> bytes:
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)  # pyright: ignore[reportUnknownArgumentType]
    raise TypeError(
        f"A WebSocket sends str or bytes, not {type(data).__name__}."
        " For other values there is send_json()."
    )


def _checked_headers(
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None,
) -> list[tuple[str, str]]:
    """Return the headers as pairs; ``ValueError`` for what may not be in the answer."""
    if headers is None:
        return []
    # Werkzeug's class refuses line breaks.
    checked = Headers(headers).to_wsgi_list()
    for name, _ in checked:
        if name.lower() in _OF_HANDSHAKE:
            raise ValueError(
                f"The header {name!r} belongs to the WebSocket handshake and is made by it."
                " A subprotocol is chosen by accept(subprotocol)."
            )
    return checked


def check_origin(ctx: RequestContext) -> None:
    """Raise 403 where the page that opens the connection is another site's.

    Browsers let any page open a WebSocket of any host, with the host's cookies, and say by
    the header ``Origin`` which page it is. Other clients send none, and pass.
    """
    origin: str | None = ctx.environ.get("HTTP_ORIGIN")
    if origin is None:
        return
    allowed = ctx.app.config["WEBSOCKET_ALLOWED_ORIGINS"] or ()
    names = [allowed] if isinstance(allowed, str) else allowed
    if "*" in names:
        return
    host = ctx.request.host
    scheme, _, netloc = origin.lower().partition("://")
    if netloc and _without_port(netloc, scheme) == _without_port(host.lower(), scheme):
        return
    if origin.lower() in (name.lower().rstrip("/") for name in names):
        return
    raise Forbidden(_OTHER_ORIGIN.format(origin=origin, host=host))


def _without_port(netloc: str, scheme: str) -> str:
    """Return a host without the port that its scheme implies.

    >>> _without_port("example.com:443", "https"), _without_port("example.com:443", "http")
    ('example.com', 'example.com:443')
    """
    return netloc.removesuffix(_PORTS.get(scheme, ":"))
