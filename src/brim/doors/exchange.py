"""One HTTP request at the server's side of the ASGI door: what was said, what can be taken.

What a request may not need (the environ, its body, a side on the threads) is made when it is
first asked for.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from ..bodies import EMPTY_METHODS, ReceivedBody
from ..threads import ThreadSide
from .scope import environ_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..typing import ASGIMessage, ASGIReceive, ASGIScope, Plan, WSGIEnvironment


#: The versions of HTTP in which a body is announced by a header.
_ANNOUNCED = frozenset({"1.0", "1.1"})


class Exchange:
    """An HTTP scope with its ``receive``, and what was made of them so far."""

    __slots__ = (
        "_body",
        "_length",
        "_receive",
        "_threads",
        "_whole",
        "cookies",
        "headers",
        "in_use",
        "loop",
        "made_environ",
        "may_have_body",
        "method",
        "scope",
    )

    def __init__(self, scope: ASGIScope, receive: ASGIReceive, loop: AbstractEventLoop) -> None:
        self.scope = scope
        method = self.method = scope.get("method", "GET")
        #: The headers by their names; of a name that came repeatedly, the last.
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self.headers = headers
        #: The header with the cookies, undecoded; empty without any.
        self.cookies = headers[b"cookie"].decode("latin-1") if b"cookie" in headers else ""
        #: Whether a body, announced or not, may be still to come.
        announced = headers.get(b"content-length")
        self.may_have_body = (
            announced != b"0"
            if announced
            else b"transfer-encoding" in headers
            # As brim.bodies.may_have_body has it; most requests are answered by the first.
            or (method not in EMPTY_METHODS and scope.get("http_version", "1.1") not in _ANNOUNCED)
        )
        #: The environ, if it was made.
        self.made_environ: WSGIEnvironment | None = None
        #: Whether there is something to close.
        self.in_use = False
        self._receive = receive
        #: The server's.
        self.loop = loop
        self._body: ReceivedBody | None = None
        self._whole: bytes | None = None
        self._threads: ThreadSide | None = None

    @property
    def environ(self) -> WSGIEnvironment:
        """The WSGI environ (PEP 3333), whose ``wsgi.input`` is the body."""
        environ = self.made_environ
        if environ is None:
            self.in_use = True
            environ = self.made_environ = environ_of(self.scope)
            whole = self._whole
            environ["wsgi.input"] = self.body if whole is None else BytesIO(whole)
        return environ

    def take_whole(self, limit: int | None) -> bytes | None:
        """Hand over the body, if it has come whole; once, and if it isn't beyond ``limit``."""
        whole = self._whole
        if whole is None or (limit is not None and len(whole) > limit):
            return None
        self._whole = b""
        return whole

    def expects_short(self, limit: int | None) -> bool:
        """Tell whether a body is announced that is short, so that its first message has all of it.

        ``limit``: the longest that may be taken. The message is for :meth:`take_first`.

        PERF: a third of a request with a small body; benchmarks/bench_post_json.py.
        """
        announced = self.headers.get(b"content-length", b"")
        if not 0 < len(announced) < 6 or not announced.isdigit() or self.made_environ is not None:
            return False
        length = self._length = int(announced)
        return limit is None or length <= limit

    def take_first(self, message: ASGIMessage) -> None:
        """Take the first message of a body that :meth:`expects_short`.

        If it wasn't all, what has come is in :attr:`body`.
        """
        data = message.get("body") or b""
        if len(data) == self._length and message["type"] == "http.request":
            self._whole = data
            self.may_have_body = False
        else:
            self.body.take(message)

    @property
    def body(self) -> ReceivedBody:
        """The body as it arrives."""
        body = self._body
        if body is None:
            self.in_use = True
            length = self.headers.get(b"content-length", b"")
            body = self._body = ReceivedBody(
                self._receive,
                self.loop,
                int(length) if length.isdigit() else None,
                self.may_have_body,
            )
        return body

    @property
    def threads(self) -> ThreadSide:
        """The request's side on the threads."""
        threads = self._threads
        if threads is None:
            self.in_use = True
            threads = self._threads = ThreadSide()
        return threads

    @property
    def at_rest(self) -> bool:
        """Whether nothing has to be waited for; so it is where the exchange isn't in use."""
        environ = self.made_environ
        return (
            self._threads is None
            and (self._body is None or not self._body.pending)
            and (environ is None or "werkzeug.debug.preserve_context" not in environ)
        )

    @property
    def used_threads(self) -> bool:
        """Whether the request has a side on the threads."""
        return self._threads is not None

    def close(self) -> None:
        """Give back what the request holds."""
        if self._threads is not None:
            self._threads.leave()
        if self._body is not None:
            self._body.close()


def reads_ahead(plan: Plan, exchange: Exchange) -> bool:
    """Tell whether a body is to be there before the view: not for one that reads it as it comes,
    nor if the client waits to be asked for it.
    """
    return plan.view is not None and not plan.reads_stream and b"expect" not in exchange.headers


def takes_short(plan: Plan, exchange: Exchange, limit: int | None) -> bool:
    """Tell whether a short body is to be taken ahead; see :meth:`Exchange.expects_short`."""
    return reads_ahead(plan, exchange) and exchange.expects_short(limit)
