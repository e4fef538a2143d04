from __future__ import annotations

from typing import Any

import pytest
from werkzeug import exceptions
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, NotFound, default_exceptions
from werkzeug.wrappers import Response as WerkzeugResponse

from brim import Flask, Response, abort
from brim.dispatch.pages import page_of
from brim.dispatch.results import make_response

ENVIRON: dict[str, Any] = {"REQUEST_METHOD": "GET"}

ERRORS: list[HTTPException] = [
    *(kind() for kind in default_exceptions.values()),
    *(kind("<b>& said") for kind in default_exceptions.values() if kind.code != 405),
    NotFound(""),
    exceptions.MethodNotAllowed(["GET", "HEAD"]),
    exceptions.MethodNotAllowed(["GET"], "no"),
    exceptions.Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "a"})),
    exceptions.TooManyRequests(retry_after=7),
    exceptions.RequestedRangeNotSatisfiable(length=5),
    exceptions.InternalServerError(original_exception=ValueError("secret")),
]


def sent(response: WerkzeugResponse) -> Any:
    return response.status, response.status_code, response.headers.to_wsgi_list(), response.data


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_page_is_what_the_error_itself_would_send(error: HTTPException) -> None:
    for _ in range(2):
        page = page_of(error, ENVIRON)
        assert page is not None
        assert sent(page) == sent(error.get_response(ENVIRON))


class Own(HTTPException):
    code = 418
    description = "mine"


class Listing(NotFound):
    def get_body(self, *args: Any, **kwargs: Any) -> str:
        return "[]"


def with_attribute(name: str, value: Any) -> HTTPException:
    error = NotFound()
    setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    "error",
    [
        Own(),
        Listing(),
        NotFound(response=WerkzeugResponse("ready", 404)),
        with_attribute("code", 410),
        with_attribute("get_body", lambda *args: "patched"),
        with_attribute("get_headers", lambda *args: []),
    ],
    ids=repr,
)
def test_an_error_with_ways_of_its_own_is_asked(error: HTTPException) -> None:
    assert page_of(error, ENVIRON) is None


@pytest.mark.parametrize("name", ["get_body", "get_description", "get_headers", "get_response"])
def test_a_patched_class_is_asked(name: str, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    original = getattr(NotFound, name)
    calls: list[str] = []

    def patched(self: NotFound, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return original(self, *args, **kwargs)

    client = app.test_client()
    assert client.get("/").status_code == 404
    monkeypatch.setattr(HTTPException, name, patched)
    assert client.get("/").status_code == 404
    assert name in calls


def test_a_changed_description_is_on_the_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    before = client.get("/").data
    monkeypatch.setattr(NotFound, "description", "Nothing <here>.")
    assert b"<p>Nothing &lt;here&gt;.</p>" in client.get("/").data
    monkeypatch.undo()
    assert client.get("/").data == before


def test_pages_of_two_requests_share_nothing_that_can_be_changed(app: Flask) -> None:
    @app.after_request
    def mark(response: Response) -> Response:
        response.headers["X-Mark"] = "1"
        response.data = response.data + b"~"
        return response

    client = app.test_client()
    first, second = client.get("/"), client.get("/")
    assert first.data == second.data
    assert first.data.count(b"~") == second.data.count(b"~") == 1
    assert second.headers.getlist("X-Mark") == ["1"]
    assert second.headers["Content-Length"] == str(len(second.data))


def test_a_response_class_of_the_applications_makes_the_page(app: Flask) -> None:
    class Shouting(Response):
        pass

    app.response_class = Shouting

    @app.after_request
    def check(response: Response) -> Response:
        assert type(response) is Shouting
        return response

    assert app.test_client().get("/").status_code == 404


@pytest.mark.parametrize("status", [0, 42, 199, 200, 201, 204, 304, 404, 418, 599, 999, 1000])
@pytest.mark.parametrize("body", ["text", {"a": 1}, [1]], ids=str)
def test_a_status_beside_a_plain_result_is_as_if_it_were_set(
    body: Any, status: int, app: Flask
) -> None:
    with app.test_request_context() as ctx:
        plain = make_response(app, body, ctx)
        expected = (
            Response(body, status)
            if isinstance(body, str)
            else Response(plain.data, status, mimetype="application/json")
        )
        assert sent(make_response(app, (body, status), ctx)) == sent(expected)


def test_the_error_of_an_abort_is_sent_by_its_description(app: Flask) -> None:
    @app.route("/<text>")
    def refuse(text: str) -> str:
        abort(403, text)

    client = app.test_client()
    assert b"<p>one</p>" in client.get("/one").data
    assert b"<p>two</p>" in client.get("/two").data
