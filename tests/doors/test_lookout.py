"""What goes on beside the sending of a stream: clients that leave, silences, cancellations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from brim import EventStream, Flask, Response, stream_with_context
from brim.sse import COMMENT
from tests.doors.test_asgi import scope
from tests.support import Log, ended


class Server:
    """A server's side of one request, whose client leaves when :attr:`left` is set."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent: list[bytes] = []
        self.heard = 0
        self.sending = 0

    async def receive(self) -> dict[str, Any]:
        self.heard += 1
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        assert not self.sending, "two messages at a time"
        self.sending += 1
        try:
            await self.take(message)
        finally:
            self.sending -= 1
        if message["type"] == "http.response.body":
            self.sent.append(message.get("body", b""))

    async def take(self, message: Any) -> None:
        """Be as quick or slow as the test has it."""

    async def serve(self, app: Any) -> None:
        await app(scope(), self.receive, self.send)


def streaming(app: Flask, steps: Callable[[], AsyncIterator[Any]]) -> None:
    app.get("/")(lambda: Response(stream_with_context(steps())))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def run(test: Callable[[Server], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(Server())

    asyncio.run(main())


def test_a_stream_that_never_waits_takes_no_task(app: Flask) -> None:
    tasks: list[int] = []

    async def steps() -> AsyncIterator[bytes]:
        for _ in range(3):
            tasks.append(len(asyncio.all_tasks()))
            yield b"a"

    @app.get("/")
    async def view() -> Response:
        return Response(steps())

    async def test(server: Server) -> None:
        await server.serve(app)
        assert (server.sent, server.heard) == ([b"a", b"a", b"a", b""], 0)

    run(test)
    assert tasks == [1, 1, 1]


def test_a_client_that_leaves_ends_a_stream_that_waits(app: Flask, log: Log) -> None:
    async def steps() -> AsyncIterator[bytes]:
        yield b"a"
        try:
            await asyncio.Event().wait()
        finally:
            log.append(("generator", True))

    streaming(app, steps)

    async def test(server: Server) -> None:
        serving = asyncio.create_task(server.serve(app))
        await until(lambda: server.sent and server.heard)
        server.left.set()
        await serving
        assert serving.cancelling() == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(test)
    assert log == [("generator", True), *ended(asyncio.CancelledError)]


@pytest.mark.parametrize("leaves_too", [False, True])
def test_a_cancellation_by_the_server_goes_on(app: Flask, log: Log, leaves_too: bool) -> None:
    async def steps() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    streaming(app, steps)

    async def test(server: Server) -> None:
        serving = asyncio.create_task(server.serve(app))
        await until(lambda: server.sent and server.heard)
        if leaves_too:
            server.left.set()
            # The listening task wakes, and cancels in its turn.
            await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run(test)
    assert log == ended(asyncio.CancelledError)


def test_cut_short_while_it_is_sent_it_is_closed_by_the_task_that_took_its_steps(
    app: Flask, log: Log
) -> None:
    tasks: list[Any] = []

    async def steps() -> AsyncIterator[bytes]:
        async with asyncio.timeout(20):
            tasks.append(asyncio.current_task())
            try:
                yield b"a"
            finally:
                tasks.append(asyncio.current_task())

    streaming(app, steps)

    async def test(server: Server) -> None:
        async def take(message: Any) -> None:
            if message.get("body"):
                server.left.set()
                await asyncio.Event().wait()

        server.take = take  # type: ignore[method-assign]
        await server.serve(app)
        assert server.sent == []

    run(test)
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
    assert log == ended(GeneratorExit)


def test_texts_and_buffers_are_sent_as_bytes_and_empty_ones_not_at_all(app: Flask) -> None:
    async def steps() -> AsyncIterator[Any]:
        for chunk in ("ä", bytearray(b"b"), "", b"", memoryview(b"c")):
            yield chunk

    streaming(app, steps)

    async def test(server: Server) -> None:
        await server.serve(app)
        assert server.sent == ["ä".encode(), b"b", b"c", b""]

    run(test)


def test_an_iterable_need_not_be_its_own_iterator(app: Flask) -> None:
    class Steps:
        """What ``async for`` takes: its iterator has ``__anext__``, and nothing else."""

        def __init__(self) -> None:
            self.left = 2

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"a"

    class Body:
        def __aiter__(self) -> Steps:
            return Steps()

    app.get("/")(lambda: Response(Body()))  # type: ignore[arg-type]

    async def test(server: Server) -> None:
        await server.serve(app)
        assert server.sent == [b"a", b"a", b""]

    run(test)


def test_a_body_may_be_put_into_a_response_that_was_made(app: Flask) -> None:
    async def steps() -> AsyncIterator[bytes]:
        yield b"new"

    @app.after_request
    def after(response: Response) -> Response:
        response.response = steps()  # type: ignore[assignment]
        return response

    app.get("/")(lambda: iter("old"))

    async def test(server: Server) -> None:
        await server.serve(app)
        assert server.sent == [b"new", b""]

    run(test)


def test_silences_are_filled_between_events_and_never_at_the_same_time(app: Flask) -> None:
    async def events() -> AsyncIterator[str]:
        for letter in "abc":
            await asyncio.sleep(0.03)
            yield letter

    app.get("/")(lambda: EventStream(events(), keep_alive=0.005))

    async def test(server: Server) -> None:
        async def take(message: Any) -> None:
            await asyncio.sleep(0.004)

        server.take = take  # type: ignore[method-assign]
        await server.serve(app)
        assert [part for part in server.sent if part != COMMENT] == [
            b"data: a\n\n",
            b"data: b\n\n",
            b"data: c\n\n",
            b"",
        ]
        assert COMMENT in server.sent

    run(test)


def test_a_silence_that_can_not_be_filled_ends_the_stream(app: Flask, log: Log) -> None:
    """As where a server says by an ``OSError`` that the client has left (ASGI 2.4)."""

    async def events() -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            log.append(("generator", True))

    app.get("/")(lambda: EventStream(events(), keep_alive=0.005))

    async def test(server: Server) -> None:
        async def take(message: Any) -> None:
            if message.get("body") == COMMENT:
                raise OSError("gone")

        server.take = take  # type: ignore[method-assign]
        with pytest.raises(OSError, match="gone"):
            await server.serve(app)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(test)
    assert log == [("generator", True), *ended(asyncio.CancelledError)]


def test_a_client_that_leaves_while_a_silence_is_filled_ends_the_stream(
    app: Flask, log: Log
) -> None:
    async def events() -> AsyncIterator[str]:
        yield "a"
        await asyncio.Event().wait()

    app.get("/")(lambda: EventStream(events(), keep_alive=0.005))

    async def test(server: Server) -> None:
        async def take(message: Any) -> None:
            if message.get("body") == COMMENT:
                server.left.set()
                await asyncio.Event().wait()

        server.take = take  # type: ignore[method-assign]
        await server.serve(app)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(test)
    assert log == ended(asyncio.CancelledError)
