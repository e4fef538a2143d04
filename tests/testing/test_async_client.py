"""The client whose requests are awaited: on the test's own loop, with all that the other has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from brim import (
    Flask,
    Response,
    current_app,
    g,
    has_app_context,
    has_request_context,
    redirect,
    request,
    session,
    stream_with_context,
)
from brim.testing import AsyncFlaskClient, FlaskClient


@pytest.fixture
def app(app: Flask) -> Flask:
    @app.get("/loop")
    async def loop() -> dict[str, Any]:
        return {"loop": id(asyncio.get_running_loop())}

    @app.get("/thread")
    def thread() -> dict[str, Any]:
        return {"thread": threading.get_ident()}

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def echo() -> dict[str, Any]:
        return {"method": request.method, "data": request.get_data(as_text=True)}

    @app.get("/down/<int:n>")
    async def down(n: int) -> Any:
        response: Any = redirect(f"/down/{n - 1}") if n else Response("down")
        response.set_cookie(f"seen{n}", "1")
        return response

    @app.get("/session")
    def show_session() -> dict[str, Any]:
        return dict(session)

    @app.get("/error")
    async def error() -> str:
        raise LookupError("of the view")

    return app


def awaited(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test that is a coroutine, and find no task and no thread left."""

    async def run() -> None:
        await test()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert not [t for t in threading.enumerate() if t.name == "brim-test-client"]


def test_views_and_the_test_share_a_loop(app: Flask) -> None:
    async def test() -> None:
        client = app.async_test_client()
        assert isinstance(client, AsyncFlaskClient)
        assert client.application is app
        assert (await client.get("/loop")).json == {"loop": id(asyncio.get_running_loop())}
        assert (await client.get("/thread")).json != {"thread": threading.get_ident()}

    awaited(test)


def test_a_view_and_the_test_wait_for_each_other(app: Flask) -> None:
    async def test() -> None:
        asked, answered = asyncio.Event(), asyncio.Event()

        @app.get("/")
        async def view() -> str:
            asked.set()
            await answered.wait()
            return "answered"

        request = asyncio.create_task(app.async_test_client().get("/"))
        await asked.wait()
        answered.set()
        assert (await request).text == "answered"

    awaited(test)


def test_any_number_of_requests_may_be_under_way(app: Flask) -> None:
    async def test() -> None:
        together = asyncio.Barrier(100)

        @app.get("/<int:n>")
        async def view(n: int) -> str:
            await together.wait()
            return f"{n} {request.path}"

        client = app.async_test_client()
        answers = await asyncio.gather(*[client.get(f"/{n}") for n in range(100)])
        assert [answer.text for answer in answers] == [f"{n} /{n}" for n in range(100)]

    awaited(test)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_each_method_has_its_own(app: Flask, method: str) -> None:
    async def test() -> None:
        client = app.async_test_client()
        answer = await getattr(client, method)("/echo", data="body")
        assert answer.json == {"method": method.upper(), "data": "body"}
        assert (await client.head("/echo")).status_code == 200
        assert (await client.open("/echo", method=method)).json["method"] == method.upper()

    awaited(test)


def test_redirects_are_followed_and_cookies_kept(app: Flask) -> None:
    async def test() -> None:
        client = app.async_test_client()
        answer = await client.get("/down/2", follow_redirects=True)
        assert (answer.text, answer.request.path) == ("down", "/down/0")
        assert [step.request.path for step in answer.history] == ["/down/2", "/down/1"]
        for n in range(3):
            cookie = client.get_cookie(f"seen{n}")
            assert cookie is not None
            assert cookie.value == "1"
        client.delete_cookie("seen0")
        client.set_cookie("seen0", "2")
        assert client.get_cookie("seen0").value == "2"  # type: ignore[union-attr]

    awaited(test)


def test_sessions_can_be_prepared_and_looked_at(app: Flask) -> None:
    async def test() -> None:
        client = app.async_test_client()
        async with client.session_transaction() as prepared:
            prepared["a"] = 1
        assert (await client.get("/session")).json == {"a": 1}
        with pytest.raises(KeyError, match="b"):
            async with client.session_transaction() as prepared:
                prepared["a"] = 2
                raise KeyError("b")
        async with client.session_transaction() as prepared:
            assert dict(prepared) == {"a": 1}
        assert not has_app_context()

    awaited(test)


def test_in_a_with_block_the_last_context_stays(app: Flask) -> None:
    async def test() -> None:
        async with app.async_test_client() as client:
            await client.get("/loop?a=1")
            assert request.args["a"] == "1"
            await client.get("/down/1", follow_redirects=True)
            assert request.path == "/down/0"
            with pytest.raises(LookupError):
                await client.get("/error")
            assert not has_request_context()
            await client.get("/session")
            assert dict(session) == {}
        assert not has_app_context()
        await client.get("/loop")
        assert not has_app_context()

    awaited(test)


def test_a_request_sees_the_contexts_that_are_current(app: Flask) -> None:
    app.get("/g")(lambda: g.value)

    async def test() -> None:
        async with app.async_test_client() as client:
            with app.app_context():
                g.value = "the test's"
                assert (await client.get("/g")).text == "the test's"
                assert current_app.name == app.name

    awaited(test)


def test_errors_come_out_where_the_request_is_awaited(app: Flask) -> None:
    async def test() -> None:
        client = app.async_test_client()
        with pytest.raises(LookupError, match="of the view"):
            await client.get("/error")
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.logger.disabled = True
        assert (await client.get("/error")).status_code == 500

    awaited(test)


def test_a_request_that_is_given_up_has_its_view_cancelled(app: Flask) -> None:
    async def test() -> None:
        begun = asyncio.Event()
        seen: list[str] = []

        @app.get("/")
        async def view() -> str:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            return ""

        request = asyncio.create_task(app.async_test_client().get("/"))
        await begun.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert seen == ["cancelled"]

    awaited(test)


def test_the_applications_own_class_of_clients_makes_the_requests(app: Flask) -> None:
    class Client(FlaskClient):
        def __init__(self, *args: Any, user: str, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            with self.session_transaction() as prepared:
                prepared["user"] = user

        def open(self, *args: Any, **kwargs: Any) -> Any:
            response = super().open(*args, **kwargs)
            response.headers["X-Client"] = "own"
            return response

    app.test_client_class = Client

    async def test() -> None:
        answer = await app.async_test_client(user="Ada").get("/session")
        assert (answer.json, answer.headers["X-Client"]) == ({"user": "Ada"}, "own")

    awaited(test)


# Streams -------------------------------------------------------------------------------


class Streams:
    """An application that streams, and a note of how far it got."""

    def __init__(self, app: Flask) -> None:
        self.log: list[Any] = []

        @app.get("/async")
        async def stream_async() -> AsyncIterator[str]:
            @stream_with_context
            async def generate() -> AsyncIterator[str]:
                try:
                    for n in range(3):
                        self.log.append(n)
                        yield f"{request.path} {n};"
                finally:
                    self.log.append("closed")

            return generate()

        @app.get("/sync")
        def stream_sync() -> Iterator[str]:
            @stream_with_context
            def generate() -> Iterator[str]:
                try:
                    for n in range(3):
                        self.log.append(n)
                        yield f"{request.path} {n};"
                finally:
                    self.log.append("closed")

            return generate()


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_stream_is_read_while_it_arrives(app: Flask, kind: str) -> None:
    streams = Streams(app)

    async def test() -> None:
        client = app.async_test_client()
        async with client.stream(f"/{kind}") as stream:
            assert stream.response.status_code == 200
            chunks = []
            async for chunk in stream:
                chunks.append(chunk)
                # It is held at each chunk.
                assert streams.log == [*range(len(chunks))]
        assert chunks == [f"/{kind} {n};".encode() for n in range(3)]
        assert streams.log == [0, 1, 2, "closed"]
        assert (await client.get(f"/{kind}")).text == "".join(f"/{kind} {n};" for n in range(3))

    awaited(test)


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_leaving_a_stream_is_hanging_up(app: Flask, kind: str) -> None:
    streams = Streams(app)
    ended: list[BaseException | None] = []
    app.teardown_request(ended.append)

    async def test() -> None:
        async with app.async_test_client().stream(f"/{kind}") as stream:
            async for _ in stream:
                break
        assert streams.log == [0, "closed"]
        assert [type(error) for error in ended] == [GeneratorExit]

    awaited(test)


def test_an_error_in_a_stream_comes_out_where_it_is_read(app: Flask) -> None:
    @app.get("/")
    async def view() -> Any:
        async def generate() -> AsyncIterator[str]:
            yield "a"
            raise LookupError("of the stream")

        return generate()

    async def test() -> None:
        with pytest.raises(LookupError, match="of the stream"):
            async with app.async_test_client().stream("/") as stream:
                async for _ in stream:
                    pass

    awaited(test)
