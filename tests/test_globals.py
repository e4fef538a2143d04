"""The proxies: what each stands for, and what is said where it stands for nothing."""

from __future__ import annotations

import pytest
from werkzeug.local import LocalProxy

import brim
from brim import Flask, current_app, g, request, session
from brim.globals import _cv_app, _cv_request, app_ctx, request_ctx
from brim.testing import FlaskClient

OF_THE_APP = {"current_app": current_app, "g": g, "app_ctx": app_ctx}
OF_THE_REQUEST = {"request": request, "session": session, "request_ctx": request_ctx}


@pytest.mark.parametrize("proxy", OF_THE_APP.values(), ids=OF_THE_APP)
def test_outside_of_any_context(proxy: object) -> None:
    assert not proxy
    assert repr(proxy) == "<LocalProxy unbound>"
    with pytest.raises(RuntimeError, match="outside of application context") as raised:
        proxy.anything  # type: ignore[attr-defined]  # noqa: B018
    assert "app.app_context()" in str(raised.value)


@pytest.mark.parametrize("proxy", OF_THE_REQUEST.values(), ids=OF_THE_REQUEST)
@pytest.mark.parametrize("inside", [True, False])
def test_outside_of_a_request(app: Flask, proxy: object, inside: bool) -> None:
    def check() -> None:
        assert not proxy
        assert repr(proxy) == "<LocalProxy unbound>"
        with pytest.raises(RuntimeError, match="outside of request context") as raised:
            proxy.anything  # type: ignore[attr-defined]  # noqa: B018
        assert "app.test_request_context()" in str(raised.value)

    if inside:
        with app.app_context():
            check()
    else:
        check()


def test_each_stands_for_one_object_of_the_request(app: Flask, client: FlaskClient) -> None:
    @app.get("/<int:number>")
    def view(number: int) -> str:
        found = [proxy._get_current_object() for proxy in (app_ctx, request_ctx)]  # type: ignore[attr-defined]
        ctx = found[0]
        assert found == [ctx, ctx]
        assert current_app._get_current_object() is ctx.app is app  # type: ignore[attr-defined]
        assert request._get_current_object() is ctx.request  # type: ignore[attr-defined]
        assert session._get_current_object() is ctx.session  # type: ignore[attr-defined]
        assert g._get_current_object() is ctx.g  # type: ignore[attr-defined]
        g.number = number
        session["number"] = number
        return f"{request.path} {g.number} {ctx.g.number} {ctx.session['number']}"

    assert client.get("/1").text == "/1 1 1 1"
    assert client.get("/2").text == "/2 2 2 2"


def test_the_application_that_is_current_is_the_one_on_top(app: Flask) -> None:
    other = Flask("other")
    with app.test_request_context("/first"):
        g.mark = "first"
        with other.app_context():
            assert current_app == other
            assert "mark" not in g
            # Leaving the request isn't what an application's context does.
            assert request.path == "/first"
        with other.test_request_context("/second"):
            assert (current_app, request.path) == (other, "/second")
        assert (current_app, request.path, g.mark) == (app, "/first", "first")


def test_they_are_one_object_each_wherever_they_come_from() -> None:
    from brim import app as app_module
    from brim import globals as globals_module
    from brim import helpers

    for name in ("request", "g", "session", "current_app"):
        proxy = getattr(globals_module, name)
        assert isinstance(proxy, LocalProxy)
        assert getattr(brim, name) is proxy
    assert app_module.request is helpers.request is request


class TestTheVariablesOfFlask:
    """Flask's two context variables, which debuggers and some extensions read."""

    def test_outside_they_are_not_set(self) -> None:
        for variable in (_cv_app, _cv_request):
            assert variable.get(None) is None
            with pytest.raises(LookupError, match=variable.name):
                variable.get()

    def test_in_an_application_context_one_is(self, app: Flask) -> None:
        with app.app_context() as ctx:
            assert _cv_app.get() is ctx
            assert _cv_request.get("none") == "none"

    def test_in_a_request_both_are(self, app: Flask) -> None:
        with app.test_request_context() as ctx:
            assert _cv_app.get() is _cv_request.get() is ctx
            with app.app_context() as inner:
                assert (_cv_app.get(), _cv_request.get()) == (inner, ctx)


def test_a_name_found_before_is_looked_for_anew(app: Flask) -> None:
    """Proxies note names, so that the second time is quick; never what was found."""

    class Own(brim.Request):
        only_here = "own"

        @property
        def broken(self) -> str:
            raise AttributeError("not here today")

    with app.test_request_context("/first"):
        g.note = 1
        for _ in range(3):
            assert (request.path, g.note, current_app.name) == ("/first", 1, app.name)
    app.request_class = Own
    with app.test_request_context("/second"):
        for _ in range(3):
            assert request.path == "/second"
            assert request.only_here == "own"  # type: ignore[attr-defined]
            assert not hasattr(g, "note")
            with pytest.raises(AttributeError, match="not here today"):
                request.broken  # type: ignore[attr-defined]  # noqa: B018
        g.note = 2
        assert g.note == 2
        del g.note
        assert g.get("note") is None
    app.request_class = brim.Request
    with app.test_request_context("/third"):
        assert not hasattr(request, "only_here")
    with pytest.raises(RuntimeError, match="outside of request context"):
        request.path  # noqa: B018


def test_names_that_are_made_up_do_not_fill_the_memory(app: Flask) -> None:
    with app.app_context():
        for number in range(5000):
            setattr(g, f"name{number}", number)
            assert getattr(g, f"name{number}") == number
            assert getattr(g, f"name{number}") == number
    assert len(vars(type(g))) < 3000
