"""Views written as classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from brim import Flask, Response, request
from brim.testing import FlaskClient
from brim.views import MethodView, View


def surround(left: str, right: str) -> Callable[..., Any]:
    def decorator(view: Callable[..., str]) -> Callable[..., str]:
        def decorated(*args: Any, **kwargs: Any) -> str:
            return left + view(*args, **kwargs) + right

        return decorated

    return decorator


def test_a_class_becomes_a_view(app: Flask, client: FlaskClient) -> None:
    class Hello(View):
        """Greets."""

        methods = ["GET", "POST"]
        decorators = [surround("(", ")"), surround("[", "]")]

        def __init__(self, greeting: str, mark: str = ".") -> None:
            self.greeting, self.mark = greeting, mark

        def dispatch_request(self, name: str) -> str:
            return f"{self.greeting}, {name}{self.mark}"

    view: Any = Hello.as_view("hello", "Hello", mark="!")
    assert (view.__name__, view.__doc__, view.__module__) == ("hello", "Greets.", __name__)
    assert (view.view_class, view.methods) == (Hello, ["GET", "POST"])
    app.add_url_rule("/hello/<name>", view_func=view)
    assert client.post("/hello/Ada").text == "[(Hello, Ada!)]"
    assert client.put("/hello/Ada").status_code == 405


def test_the_class_that_is_instantiated_may_be_replaced(app: Flask, client: FlaskClient) -> None:
    class Plain(View):
        def dispatch_request(self) -> str:
            return "plain"

    class Better(Plain):
        def dispatch_request(self) -> str:
            return "better"

    view: Any = Plain.as_view("view")
    app.add_url_rule("/", view_func=view)
    view.view_class = Better
    assert client.get("/").text == "better"


@pytest.mark.parametrize(("each", "answers"), [(True, ["1", "1"]), (False, ["1", "2"])])
def test_an_instance_for_each_request_or_for_all(
    app: Flask, client: FlaskClient, each: bool, answers: list[str]
) -> None:
    class Counter(View):
        init_every_request = each
        count = 0

        def dispatch_request(self) -> str:
            self.count += 1
            return str(self.count)

    app.add_url_rule("/", view_func=Counter.as_view("counter"))
    assert [client.get("/").text for _ in answers] == answers


def test_a_view_has_to_say_how_it_answers(app: Flask, client: FlaskClient) -> None:
    class Nothing(View):
        pass

    app.add_url_rule("/", view_func=Nothing.as_view("nothing"))
    with pytest.raises(NotImplementedError):
        client.get("/")


@pytest.mark.parametrize(("automatic", "status"), [(None, 200), (True, 200), (False, 405)])
def test_a_class_says_whether_options_is_answered(
    app: Flask, client: FlaskClient, automatic: bool | None, status: int
) -> None:
    class Own(View):
        provide_automatic_options = automatic

        def dispatch_request(self) -> str:
            return "own"

    app.add_url_rule("/", view_func=Own.as_view("own"))
    assert client.options("/").status_code == status


class Nothing(MethodView):
    """Has no method to answer with."""


class Item(MethodView):
    init_every_request = False

    def get(self, name: str = "all") -> str:
        return f"get {name}"

    def post(self) -> str:
        return "post"

    def propfind(self) -> str:
        return "not one of the methods that are looked for"


class Deletable(MethodView):
    def delete(self) -> str:
        return "delete"


class Both(Item, Deletable):
    """Has the methods of both."""


class Fixed(Item):
    methods = ["GET", "PATCH"]


class Later(Fixed):
    def put(self) -> str:
        return "put"


class Headed(MethodView):
    def get(self) -> str:
        return "get"

    def head(self) -> Response:
        return Response(headers={"X-Head": "own"})


class Opting(MethodView):
    def options(self) -> str:
        return "own"


@pytest.mark.parametrize(
    ("cls", "methods"),
    [
        (Nothing, None),
        (Item, {"GET", "POST"}),
        (Both, {"GET", "POST", "DELETE"}),
        (Fixed, {"GET", "PATCH"}),
        (Later, {"GET", "PATCH", "POST", "PUT"}),
        (Headed, {"GET", "HEAD"}),
    ],
)
def test_methods_follow_from_those_of_the_class(cls: Any, methods: set[str] | None) -> None:
    assert cls.methods is None if methods is None else set(cls.methods) == methods


def test_each_method_has_its_own(app: Flask, client: FlaskClient) -> None:
    item = Item.as_view("item")
    app.add_url_rule("/", view_func=item)
    app.add_url_rule("/<name>", view_func=item, methods=["GET"])
    app.add_url_rule("/headed/", view_func=Headed.as_view("headed"))
    app.add_url_rule("/opting/", view_func=Opting.as_view("opting"))
    assert (client.get("/").text, client.get("/a").text) == ("get all", "get a")
    assert client.post("/").text == "post"
    assert client.post("/a").status_code == client.open("/", method="PROPFIND").status_code == 405
    answer = client.head("/")
    assert (answer.status_code, answer.data, answer.content_length) == (200, b"", 7)
    assert client.head("/headed/").headers["X-Head"] == "own"
    assert client.options("/").status_code == 200
    assert client.options("/opting/").text == "own"


def test_a_method_that_was_promised_and_is_missing(app: Flask, client: FlaskClient) -> None:
    app.add_url_rule("/", view_func=Fixed.as_view("fixed"))
    with pytest.raises(AssertionError, match="Fixed has no method 'patch'"):
        client.patch("/")


def test_methods_may_be_coroutines(app: Flask, client: FlaskClient) -> None:
    class Slow(View):
        async def dispatch_request(self) -> str:
            return request.method

    class SlowMethods(MethodView):
        async def post(self) -> str:
            return "slow"

    app.add_url_rule("/view", view_func=Slow.as_view("slow"))
    app.add_url_rule("/methods", view_func=SlowMethods.as_view("methods"))
    assert (client.get("/view").text, client.post("/methods").text) == ("GET", "slow")


def test_decorators_that_keep_what_they_wrap(app: Flask, client: FlaskClient) -> None:
    def shout(view: Callable[..., str]) -> Callable[..., str]:
        @wraps(view)
        def decorated(**kwargs: Any) -> str:
            return view(**kwargs).upper()

        return decorated

    class Whisper(Item):
        decorators = [shout]

    view: Any = Whisper.as_view("whisper")
    assert view.view_class is Whisper
    app.add_url_rule("/", view_func=view)
    assert client.get("/").text == "GET ALL"
