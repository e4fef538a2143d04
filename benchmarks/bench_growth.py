"""What does a request cost in an application that has grown?

Whole requests under WSGI: among ten routes or ten thousand (bench_routing.py measures matching
alone), in a blueprint within fifty others, with a hundred hooks, with bodies from one byte to a
hundred megabytes, and in an application full of things that the request does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import flask

import brim

from . import measure, program
from .answers import STATIC, TEXT
from .doors import Request, WSGIDoor
from .measure import Batch, Figure, Race
from .versus import figures_of

DOOR = WSGIDoor()
ROUTES = (10, 100, 1_000, 10_000)
LEVELS = (1, 10, 50)
HOOKS = (1, 10, 100)
BODIES = {"1 B": 1, "1 KB": 2**10, "1 MB": 2**20, "100 MB": 100 * 2**20}
#: The most that a hook or a level of blueprints may cost, in µs.
EACH = 0.3
MODULES: dict[str, ModuleType] = {"Brim": brim, "Flask": flask}


def called(app: Any, request: Request, expected: str = TEXT) -> Batch:
    """Check the answer; return the call."""
    answer = DOOR.ask(app, request)
    assert (answer.status, answer.body) == (200, expected.encode()), answer
    return DOOR.caller(app, request)


def with_routes(module: Any, count: int) -> Batch:
    """An application with so many rules, asked for one in their middle."""
    app = module.Flask("benchmark")
    for number in range(count):
        path = f"/item{number}/<int:id>" if number % 2 else f"/page{number}/<name>/about"
        app.add_url_rule(path, f"view{number}", lambda **values: TEXT)
    return called(app, Request(f"/item{count // 2 // 2 * 2 + 1}/7"))


def with_levels(module: Any, count: int) -> Batch:
    """A view in so many blueprints, one within the other."""
    app = module.Flask("benchmark")
    inner = module.Blueprint("level0", "benchmark", url_prefix="/level0")
    inner.get("/view")(lambda: TEXT)
    for level in range(1, count):
        outer = module.Blueprint(f"level{level}", "benchmark", url_prefix=f"/level{level}")
        outer.register_blueprint(inner)
        inner = outer
    app.register_blueprint(inner)
    path = "".join(f"/level{level}" for level in reversed(range(count)))
    return called(app, Request(f"{path}/view"))


def with_hooks(kind: str, module: Any, count: int) -> Batch:
    """An application with so many functions of a kind, which do nothing."""
    app = module.Flask("benchmark")
    for _ in range(count):
        if kind == "before_request":
            app.before_request(lambda: None)
        elif kind == "after_request":
            app.after_request(lambda response: response)
        else:
            app.teardown_request(lambda error: None)
    app.get("/")(lambda: TEXT)
    return called(app, Request("/"))


def with_body(module: Any, size: int) -> Batch:
    app = module.Flask("benchmark")
    app.post("/")(lambda: str(len(module.request.get_data())))
    request = Request("/", "POST", (("content-type", "application/octet-stream"),), b"x" * size)
    return called(app, request, str(size))


def grown(
    case: str, what: str, make: Callable[[Any, int], Batch], sizes: tuple[int, ...]
) -> tuple[Race, list[Figure]]:
    """Race the sizes against each other: the times for each."""
    calls = {
        f"{name}, {size:,} {what}": make(module, size)
        for size in sizes
        for name, module in MODULES.items()
    }
    race = measure.interleaved(calls)
    return race, [Figure.of(case, name, race.time(name), "µs") for name in race]


def routes() -> list[Figure]:
    case = "a request among routes, WSGI"
    race, figures = grown(case, "routes", with_routes, ROUTES)
    few, many = ROUTES[0], ROUTES[-1]
    ratio = race.ratio(f"Brim, {many:,} routes", f"Brim, {few:,} routes")
    return [*figures, Figure.of(case, f"Brim, {many:,} routes / {few}", ratio, "", 1.5)]


def each(case: str, what: str, make: Callable[[Any, int], Batch], sizes: tuple[int, ...]) -> Any:
    """The times for each size, and what one more costs: of the most, less the fewest."""
    race, figures = grown(case, what, make, sizes)
    few, many = sizes[0], sizes[-1]
    for name, target in {"Brim": EACH, "Flask": None}.items():
        more, base = f"{name}, {many:,} {what}", f"{name}, {few:,} {what}"
        spread = race.time(more, base, parts=many - few)
        figures.append(Figure.of(case, f"{name}, each one more", spread, "µs", target))
    return figures


def bodies() -> list[Figure]:
    figures = []
    for title, size in BODIES.items():
        calls = {name: with_body(module, size) for name, module in MODULES.items()}
        figures += figures_of(f"a body of {title}, WSGI", measure.interleaved(calls))
    return figures


def unused() -> list[Figure]:
    """An application with one view, and the same with what other requests use."""
    small = brim.Flask("small", static_folder=None)
    small.get("/")(lambda: TEXT)
    full = brim.Flask("full", static_folder=str(STATIC))
    full.secret_key = "a key for the benchmark"
    full.config["MAX_CONTENT_LENGTH"] = 2**20
    full.get("/")(lambda: TEXT)
    full.errorhandler(404)(lambda error: ("none", 404))
    full.errorhandler(ValueError)(lambda error: ("bad", 400))
    full.context_processor(lambda: {"year": 2026})
    full.template_filter("twice")(lambda text: text * 2)
    full.websocket("/echo", endpoint="echo")(lambda: None)
    for number in range(10):
        area = brim.Blueprint(f"area{number}", "benchmark", url_prefix=f"/area{number}")
        area.before_request(lambda: None)
        area.after_request(lambda response: response)
        area.teardown_request(lambda error: None)
        area.get("/<int:id>")(lambda id: TEXT)
        full.register_blueprint(area)
    calls = {"Brim, small": called(small, Request("/")), "Brim, full": called(full, Request("/"))}
    race = measure.interleaved(calls)
    case = "what a request does not use, WSGI"
    figures = [Figure.of(case, name, race.time(name), "µs") for name in race]
    ratio = race.ratio("Brim, full", "Brim, small")
    return [*figures, Figure.of(case, "Brim, full / small", ratio, "", 1.05)]


def run() -> list[Figure]:
    kinds = ("before_request", "after_request", "teardown_request")
    hooks = [
        figure
        for kind in kinds
        for figure in each(
            f"{kind} functions, WSGI",
            "functions",
            partial(with_hooks, kind),
            HOOKS,
        )
    ]
    levels = each("blueprints in blueprints, WSGI", "levels", with_levels, LEVELS)
    return [*routes(), *levels, *hooks, *bodies(), *unused()]


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
