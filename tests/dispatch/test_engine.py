"""What is compiled from an application follows its changes, also while threads use it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from brim import Flask, request


def answer(app: Flask, path: str = "/") -> str:
    return app.test_client().get(path).text


@pytest.fixture
def used(app: Flask) -> Flask:
    """An application that has answered a request, so that all is compiled."""
    app.add_url_rule("/", "index", lambda: "view")
    assert answer(app) == "view"
    assert app.test_client().get("/nope").status_code == 404
    return app


def before() -> str:
    return "before"


CHANGES: dict[str, Callable[[dict[Any, list[Any]]], object]] = {
    "append": lambda table: table[None].append(before),
    "setdefault": lambda table: table.setdefault(None, []).append(before),
    "insert": lambda table: table[None].insert(0, before),
    "extend": lambda table: table[None].extend([before]),
    "+=": lambda table: table[None].__iadd__([before]),
    "slice": lambda table: table[None].__setitem__(slice(0, 0), [before]),
    "item": lambda table: table.__setitem__(None, [before]),
    "update": lambda table: table.update({None: [before]}),
    "|=": lambda table: table.__ior__({None: [before]}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_hook_that_is_added_late_is_called(
    used: Flask, change: Callable[[dict[Any, list[Any]]], object]
) -> None:
    change(used.before_request_funcs)
    assert answer(used) == "before"
    used.before_request_funcs[None].remove(before)
    assert answer(used) == "view"


def test_a_table_that_is_replaced_counts(used: Flask) -> None:
    used.before_request_funcs = {None: [before]}
    assert answer(used) == "before"
    used.before_request_funcs[None].clear()
    assert answer(used) == "view"
    del used.before_request_funcs[None]
    assert answer(used) == "view"


def test_every_table_is_watched(used: Flask) -> None:
    seen: list[str] = []

    def note(name: str) -> Callable[..., Any]:
        return lambda *args: seen.append(name)

    def after(response: Any) -> Any:
        seen.append("after")
        return response

    used.after_request_funcs.setdefault(None, []).append(after)
    used.teardown_request_funcs.setdefault(None, []).append(note("teardown"))
    used.teardown_appcontext_funcs.append(note("app"))
    used.url_value_preprocessors[None].append(note("values"))
    assert answer(used) == "view"
    assert seen == ["values", "after", "teardown", "app"]
    used.view_functions["index"] = lambda: "other"
    assert answer(used) == "other"
    used.error_handler_spec[None][404][NotFound] = lambda error: "handled"
    assert answer(used, "/nope") == "handled"
    used.url_map.add(Rule("/nope", endpoint="index"))
    assert answer(used, "/nope") == "other"
    used.url_map = Map([Rule("/plain", endpoint="index")])
    assert answer(used, "/plain") == "other"
    assert answer(used, "/") == "handled"


def test_what_a_view_registers_holds_for_its_own_request(used: Flask) -> None:
    seen: list[str] = []

    def view() -> str:
        used.teardown_request_funcs.setdefault(None, []).append(lambda e: seen.append("teardown"))
        used.teardown_appcontext_funcs.append(lambda e: seen.append("app"))
        used.error_handler_spec[None][None][LookupError] = lambda error: "handled"
        raise LookupError

    used.view_functions["index"] = view
    assert answer(used) == "handled"
    assert seen == ["teardown", "app"]


def test_a_rule_that_a_hook_chooses_is_served(used: Flask) -> None:
    other = Rule("/other", endpoint="other")
    used.url_map.add(other)
    used.view_functions["other"] = lambda: "other"

    def choose() -> None:
        request.url_rule = other

    used.before_request_funcs[None].append(choose)
    assert answer(used) == "other"


def test_first_requests_race(app: Flask) -> None:
    for number in range(50):
        app.add_url_rule(f"/{number}/<int:i>", f"view{number}", lambda i, n=number: f"{n}:{i}")
    app.before_request_funcs[None].append(lambda: None)
    ready = threading.Barrier(16)

    def ask(worker: int) -> list[str]:
        client = app.test_client()
        ready.wait(timeout=30)
        return [client.get(f"/{(worker + i) % 50}/{i}").text for i in range(50)]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers == [[f"{(worker + i) % 50}:{i}" for i in range(50)] for worker in range(16)]


def test_changes_race_with_requests(app: Flask) -> None:
    """A request has the application's state before a change or after it, and no mixture."""
    app.add_url_rule("/", "index", lambda: "view")
    stop = threading.Event()
    wrong: list[str] = []

    def ask() -> None:
        client = app.test_client()
        while not stop.is_set():
            text = client.get("/").text
            if text not in ("view", "before"):
                wrong.append(text)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        app.before_request_funcs[None].append(before)
        app.before_request_funcs[None].pop()
    stop.set()
    for thread in threads:
        thread.join(timeout=30)
    assert wrong == []
    assert answer(app) == "view"


def test_a_method_that_is_replaced_on_the_instance_is_called(used: Flask) -> None:
    original = used.handle_exception
    used.testing = False

    def handle(error: Exception) -> Any:
        return used.make_response(f"{type(error).__name__} answered")

    used.view_functions["index"] = lambda: str(1 / 0)
    used.handle_exception = handle  # type: ignore[method-assign]
    assert answer(used) == "ZeroDivisionError answered"
    # As flask-restful does.
    used.handle_exception = functools.partial(  # type: ignore[method-assign]
        lambda inner, error: inner(error), original
    )
    assert used.test_client().get("/").status_code == 500
    del used.handle_exception
    assert used.test_client().get("/").status_code == 500


def test_a_wrapped_override_is_called_by_its_own_signature(used: Flask) -> None:
    inner = used.process_response

    @functools.wraps(inner)
    def process(response: Any) -> Any:
        response.headers["X-Wrapped"] = "yes"
        return inner(response)

    used.process_response = process  # type: ignore[method-assign]
    assert used.test_client().get("/").headers["X-Wrapped"] == "yes"


def test_hosts_of_the_request_class_are_checked(app: Flask) -> None:
    class Picky(app.request_class):  # type: ignore[name-defined,misc]
        trusted_hosts = ["good.example"]

    app.request_class = Picky
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    assert client.get("/", base_url="http://good.example").status_code == 200
    assert client.get("/", base_url="http://evil.example").status_code == 400


def test_other_cookies_than_the_sessions_cost_no_request_object(app: Flask) -> None:
    made: list[object] = []

    class Counted(app.request_class):  # type: ignore[name-defined,misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            made.append(self)
            super().__init__(*args, **kwargs)

    app.request_class = Counted
    app.add_url_rule("/", "index", lambda: "view")
    client = app.test_client()
    client.set_cookie("theme", "dark")
    assert client.get("/").text == "view"
    assert made == []
