"""Request bodies: what arrives bit by bit, readable from threads and from coroutines.

Knows how to wait for bytes and where to keep them; what they mean is Werkzeug's to say. A
body that ended before it was complete raises when it is read, and never looks whole.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from .errors import BODY_NOT_THERE, InsufficientStorage

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Lock, Task
    from collections.abc import AsyncIterator

    from .typing import ASGIMessage, ASGIReceive, WSGIEnvironment

#: Beyond this many bytes, a body that is kept goes to a temporary file.
KEPT_IN_MEMORY = 512 * 1024
#: How often, in seconds, it is looked whether some of what is kept was read.
POLL = 0.1
#: How much is read at once.
CHUNK = 64 * 1024
#: Seconds for which the rest of a body is taken once its request is answered.
LINGERING = 30

_DISK_IS_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def disk_is_full(error: BaseException | None) -> bool:
    """Tell whether an error says that no more can be written: no space, or over quota."""
    return isinstance(error, OSError) and error.errno in _DISK_IS_FULL


def may_have_body(environ: WSGIEnvironment) -> bool:
    """Tell whether a request's headers announce a body (RFC 9112, section 6.3).

    HTTP/2 and 3 need no announcement; there only GET, HEAD and the like are taken for empty.
    """
    length: str = environ.get("CONTENT_LENGTH", "")
    if length:
        return length != "0"
    if "HTTP_TRANSFER_ENCODING" in environ:
        return True
    announced = environ.get("SERVER_PROTOCOL", "HTTP/1.1") in _ANNOUNCED
    return not announced and environ["REQUEST_METHOD"] not in EMPTY_METHODS


_ANNOUNCED = {"HTTP/1.0", "HTTP/1.1"}
#: The methods whose requests have no body, unless it is announced.
EMPTY_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class KeptBody(io.RawIOBase):
    """A body that was read ahead, in memory or, if it is long, in a temporary file.

    Where reading comes to the end of what was kept, ``failure`` is raised, or else ``rest`` is
    read on.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = cast("IO[bytes]", SpooledTemporaryFile(KEPT_IN_MEMORY))
        self.size = 0
        self.failure: BaseException | None = None
        self.rest: BodyStream | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer)) or self._read_on(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read at most ``size`` bytes; with -1 all there are.

        PERF: without the two copies of ``RawIOBase.read``; benchmarks/bench_multipart.py.
        """
        if size < 0:
            return self.readall()
        return self._file.read(size) or self._read_on(size)

    def readall(self) -> bytes:
        return self._file.read() + self._read_on(-1)

    def _read_on(self, size: int) -> bytes:
        if self.failure is not None:
            raise self.failure
        return b"" if self.rest is None else self.rest.read(size)

    def keep(self, *chunks: bytes) -> None:
        """Add what has arrived.

        Raises :exc:`~brim.errors.InsufficientStorage` (507) if the disk is full; what was
        kept is gone then.
        """
        try:
            self._file.writelines(chunks)
        except OSError as error:
            self._file = io.BytesIO()
            if disk_is_full(error):
                raise InsufficientStorage from error
            raise
        self.size += sum(map(len, chunks))

    def descriptor(self) -> int | None:
        """Return that of the file that has all of it, if it is in one; unread so far."""
        if self.size <= KEPT_IN_MEMORY or self.failure is not None or self.rest is not None:
            return None
        if not hasattr(os, "pread") or self._file.tell():
            return None
        return self._file.fileno()

    def ready(self, failure: BaseException | None) -> None:
        """Let it be read from its start."""
        self.failure = failure
        self._file.seek(0)

    def close(self) -> None:
        self._file.close()
        super().close()


def keep_ahead(environ: WSGIEnvironment, limit: int | None) -> None:
    """Read a WSGI request's body, for a coroutine that could not wait for it.

    An error, such as a body that is cut short, is raised by whoever reads it. Of one that is
    longer than ``limit`` the rest is left, for the view may have a limit of its own.
    """
    stream = stream_of(environ, None)
    if limit is not None and stream.expected is not None and stream.expected > limit:
        return
    body = KeptBody()
    failure: BaseException | None = None
    try:
        while chunk := stream.read(CHUNK):
            body.keep(chunk)
            if limit is not None and body.size > limit:
                body.rest = stream
                break
    except Exception as error:
        failure = error
    body.ready(failure)
    environ["wsgi.input"] = body
    environ["wsgi.input_terminated"] = True


class ReceivedBody(io.RawIOBase):
    """A body that an ASGI server hands over by ``receive``.

    Threads read it as it arrives. On the loop's own thread, where nobody can wait, it can be
    read as far as it has arrived: see :meth:`keep` and :meth:`arrive`.
    """

    def __init__(
        self, receive: ASGIReceive, loop: AbstractEventLoop, expected: int | None, pending: bool
    ) -> None:
        self._receive = receive
        self._loop = loop
        #: The length that was announced.
        self.expected = expected
        self._arrived = 0
        self._chunks: deque[bytes] = deque()
        self._kept: KeptBody | None = None
        #: Whether there is more to come.
        self.pending = pending
        #: Whether the client is known to have left.
        self.disconnected = False
        self._failure: BaseException | None = None
        #: While the answer is sent, two may wait for what arrives.
        self._turn: Lock | None = None
        self._dropping: Task[None] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read_some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read what is there, at most ``size`` bytes; all of it with -1."""
        if size >= 0:
            return self._read_some(size)
        return self.readall()

    def readall(self) -> bytes:
        parts: list[bytes] = []
        while data := self._read_some(sys.maxsize):
            parts.append(data)
        return b"".join(parts)

    def _read_some(self, size: int) -> bytes:
        if size == 0:
            return b""
        if self._kept is not None:
            data = self._kept.read(size if size < sys.maxsize else -1)
            if data:
                return data
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if not self.pending:
                return b""
            self._wait()
        chunk = self._chunks.popleft()
        if len(chunk) > size:
            self._chunks.appendleft(chunk[size:])
            chunk = chunk[:size]
        return chunk

    def _wait(self) -> None:
        import asyncio  # noqa: PLC0415 -- loaded by now

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run_coroutine_threadsafe(self.arrive(), self._loop).result()
        else:
            raise RuntimeError(BODY_NOT_THERE)

    async def arrive(self) -> None:
        """Wait until there is something to read, or to raise, or the end."""
        while self.pending and not self._chunks:
            await self._receive_some()

    async def _receive_some(self) -> None:
        if self._turn is None:
            await self._receive_one()
            return
        async with self._turn:
            if self.pending:
                await self._receive_one()

    async def _receive_one(self) -> None:
        self.take(await self._receive())

    def take(self, message: ASGIMessage) -> None:
        """Take what the server has handed over."""
        if message["type"] == "http.disconnect":
            self.pending = False
            self.disconnected = True
            self._failure = ClientDisconnected()
            return
        chunk: bytes = message.get("body", b"")
        self.pending = bool(message.get("more_body", False))
        if chunk:
            self._arrived += len(chunk)
            self._chunks.append(chunk)
        if self.expected is None:
            return
        if self._arrived >= self.expected:
            # What may follow is empty, and says that it was all.
            self.pending = False
        elif not self.pending:
            self._failure = ClientDisconnected()

    async def client_has_left(self) -> None:
        """Wait until the client has left.

        What arrives meanwhile of the body is kept for whoever still reads it, as far as it
        goes into memory; until some of that is read, nothing is heard of the client.
        """
        from asyncio import Lock, sleep  # noqa: PLC0415 -- loaded by now

        self._turn = Lock()
        while self.pending:
            if sum(map(len, self._chunks)) < KEPT_IN_MEMORY:
                await self._receive_some()
            else:
                await sleep(POLL)
        # The message that ends the body may still be on its way, or says again that it has ended.
        for _ in range(3):
            if self.disconnected:
                return
            message = await self._receive()
            self.disconnected = message["type"] == "http.disconnect"
        # It says the same again and again, so it will never say more.
        await self._loop.create_future()

    async def drop_some(self) -> None:
        """Wait for one message, and forget what it brings."""
        message = await self._receive()
        self.disconnected = message["type"] == "http.disconnect"
        self.pending = not self.disconnected and bool(message.get("more_body", False))

    def start_dropping(self) -> None:
        """Take what is still to come, and forget it, for at most :data:`LINGERING` seconds.

        A client that sends all before it reads would never see the response where a server
        (Hypercorn) stands still once nobody takes what has arrived.
        """
        self._dropping = self._loop.create_task(self._drop())

    async def _drop(self) -> None:
        from asyncio import timeout  # noqa: PLC0415 -- loaded by now

        with suppress(TimeoutError):
            async with timeout(LINGERING):
                while self.pending:
                    await self.drop_some()

    async def finish(self) -> None:
        """Wait until nothing is taken any more."""
        if self._dropping is not None:
            await self._dropping

    async def begin(self, limit: int | None) -> None:
        """Wait for the body, or for the first :data:`KEPT_IN_MEMORY` bytes of a long one.

        So a client that is slow has no thread wait for it.
        """
        if limit is not None and self.expected is not None and self.expected > limit:
            return
        while self.pending and self._arrived < min(KEPT_IN_MEMORY, limit or KEPT_IN_MEMORY):
            await self._receive_some()

    async def keep(self, limit: int | None) -> None:
        """Wait for the body and keep it, on disk beyond :data:`KEPT_IN_MEMORY`.

        One longer than ``limit`` is left where it is seen to be: reading it raises 413.
        """
        if limit is not None and self.expected is not None and self.expected > limit:
            return
        await self.arrive()
        if not self.pending:
            return
        await self._keep_all(limit)

    async def _keep_all(self, limit: int | None) -> None:
        kept = KeptBody()
        # PERF: a trip to a thread for each chunk would cost more than the disk does;
        #   benchmarks/bench_multipart.py.
        waiting: list[bytes] = []
        size = 0
        try:
            while self._chunks:
                waiting.append(self._chunks.popleft())
                size += len(waiting[-1])
                if kept.size + size <= KEPT_IN_MEMORY:
                    kept.keep(waiting.pop())
                    size = 0
                elif size >= KEPT_IN_MEMORY:
                    # A disk may be slow.
                    await _keep_on_thread(kept, waiting)
                    size = 0
                if limit is not None and self._arrived > limit:
                    break
                await self.arrive()
            if waiting:
                await _keep_on_thread(kept, waiting)
        except InsufficientStorage as error:
            self._failure = error
            self.pending = False
        kept.ready(None)
        self._kept = kept

    @property
    def kept(self) -> KeptBody | None:
        """What was kept, if it is all of the body."""
        kept = None if self.pending or self._chunks or self._failure else self._kept
        return kept if kept is None or self.expected in (None, kept.size) else None

    def close(self) -> None:
        if self._dropping is not None:
            self._dropping.cancel()
        if self._kept is not None:
            self._kept.close()
        super().close()


async def _keep_on_thread(kept: KeptBody, chunks: list[bytes]) -> None:
    # Uploads alone get here.
    from . import threads  # noqa: PLC0415

    data = tuple(chunks)
    chunks.clear()
    await threads.run(copy_context(), kept.keep, *data, on=threads.file_pool())


class BodyStream(io.RawIOBase):
    """What ``request.stream`` is: to be read, or in a coroutine to be iterated over.

        async for chunk in request.stream:
            ...

    Raises ``RequestEntityTooLarge`` (413) at the first byte beyond ``max_length``, and
    ``ClientDisconnected`` (400) where it ends before ``expected`` bytes or is broken off.

    ``bound``: how much of ``source`` is the body, where more may follow.
    """

    def __init__(
        self,
        source: IO[bytes],
        max_length: int | None,
        expected: int | None,
        bound: int | None = None,
    ) -> None:
        self._source = source
        self._bound = sys.maxsize if bound is None else bound
        self._max = sys.maxsize if max_length is None else max_length
        self.expected = expected
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Read at most ``size`` bytes; with -1 all there are."""
        if size is None or size < 0:
            return self.readall()
        room = self._max - self._read
        size = min(size, room + 1, self._bound - self._read)
        if size == 0:
            return b""
        try:
            data = self._source.read(size)
        except _BREAKS as error:
            raise _broken(error) from error
        if not data:
            if self.expected is not None and self._read < self.expected:
                raise ClientDisconnected
            return b""
        if len(data) > room:
            raise RequestEntityTooLarge
        self._read += len(data)
        return data

    def readall(self) -> bytes:
        parts: list[bytes] = []
        while self._read != self.expected and (data := self.read(CHUNK)):
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[bytes]:
        from . import threads  # noqa: PLC0415 -- for coroutines alone

        source = self._source
        while True:
            if isinstance(source, ReceivedBody):
                await source.arrive()
                chunk = self.read(CHUNK)
            elif isinstance(source, io.BytesIO):
                chunk = self.read(CHUNK)
            else:
                chunk = await threads.run(copy_context(), self.read, CHUNK, on=threads.file_pool())
            if not chunk:
                return
            yield chunk


#: What servers raise where a body breaks off.
_BREAKS = (OSError, ValueError, EOFError)


def _broken(error: Exception) -> Exception:
    return InsufficientStorage() if disk_is_full(error) else ClientDisconnected()


def short_body(environ: WSGIEnvironment, max_length: int | None) -> bytes | None:
    """Read a body whose length is announced, and is at most :data:`CHUNK` bytes.

    ``None``, with nothing read, for any other: ask :func:`stream_of`. Raises
    ``ClientDisconnected`` (400) where it ends early, as a :class:`BodyStream` does.

    PERF: a fifth of what a stream takes; benchmarks/bench_post_json.py.
    """
    announced: str = environ.get("CONTENT_LENGTH") or ""
    if not (announced.isdecimal() and announced.isascii()) or len(announced) > 5:
        return None
    length = int(announced)
    if length > CHUNK or (max_length is not None and length > max_length):
        return None
    source: Any = environ["wsgi.input"]
    try:
        data: bytes = source.read(length)
    except _BREAKS as error:
        raise _broken(error) from error
    if len(data) < length:
        data += BodyStream(source, None, length - len(data)).readall()
    return data


def kept_in_file(environ: WSGIEnvironment, max_length: int | None) -> tuple[int, int] | None:
    """Return descriptor and size of the file that a request's body is in, all of it.

    ``None`` where it isn't, or is longer than ``max_length``. Under WSGI files that were sent
    are what Flask has for them, so nothing is told of the body there.
    """
    body: Any = environ["wsgi.input"]
    kept = body.kept if isinstance(body, ReceivedBody) else None
    if kept is None or (max_length is not None and kept.size > max_length):
        return None
    descriptor = kept.descriptor()
    return None if descriptor is None else (descriptor, kept.size)


def stream_of(environ: WSGIEnvironment, max_length: int | None) -> BodyStream:
    """Return a request's body as a stream.

    Raises ``RequestEntityTooLarge`` (413) where the length that was announced is too long.
    """
    source: Any = get_input_stream(environ, max_content_length=max_length)
    raw = environ["wsgi.input"]
    length: str = environ.get("CONTENT_LENGTH") or ""
    expected = int(length) if length.isdecimal() and length.isascii() else None
    if environ.get("wsgi.input_terminated"):
        # Werkzeug's own bound is passed by in silence where all is read at once.
        return BodyStream(raw, max_length, expected)
    if expected is None:
        return BodyStream(source, max_length, None)
    # PERF: Werkzeug's own bound copies each chunk twice; benchmarks/bench_multipart.py.
    return BodyStream(raw, max_length, expected, bound=expected)
