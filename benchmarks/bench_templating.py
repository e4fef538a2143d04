"""What does rendering cost, beside Flask?

In process, one request's context, three ways: a template by name, the same text as a string, and
streamed. Every way gives the same text in both, which is checked before the clock starts. Brim
compiles a string once; that is most of what it costs in Flask.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from jinja2 import DictLoader

from . import measure
from .measure import Figure

SOURCE = "<h1>{{ name }}</h1>{{ request.path }}"
TEXT = "<h1>Ada</h1>/hello"

#: The most that Brim may cost, in parts of what Flask costs.
TARGETS = {"by name": 1.1, "string": 1 / 8, "streamed": 1.0}


def renderers(module: ModuleType) -> dict[str, Callable[[], object]]:
    """The same ways for Flask and for Brim: only the module differs."""
    app = module.Flask("benchmark")
    app.jinja_loader = DictLoader({"hello.html": SOURCE})
    app.test_request_context("/hello").push()
    calls: dict[str, Callable[[], object]] = {
        "by name": lambda: module.render_template("hello.html", name="Ada"),
        "string": lambda: module.render_template_string(SOURCE, name="Ada"),
        "streamed": lambda: "".join(module.stream_template("hello.html", name="Ada")),
    }
    for way, call in calls.items():
        assert call() == TEXT, f"{module.__name__}, {way}: {call()!r}"
    return calls


def run() -> list[Figure]:
    import flask

    import brim

    ours, theirs = renderers(brim), renderers(flask)
    figures = []
    for way, target in TARGETS.items():
        cost = measure.interleaved({"Brim": ours[way], "Flask": theirs[way]})
        figures += [Figure(f"rendering {way}: {name}", cost[name], "µs") for name in cost]
        ratio = cost["Brim"] / cost["Flask"]
        figures.append(Figure(f"rendering {way}: Brim / Flask", ratio, "", target))
    return figures


if __name__ == "__main__":
    sys.exit(measure.main(run, __doc__))
