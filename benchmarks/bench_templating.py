"""What does rendering cost above Jinja's own work, beside Flask?

In process, within one request's context. A page that extends another is rendered by name: what
Jinja alone takes for it is taken away, and the rest is compared. A template from a string is
compiled once in Brim; that is most of what it costs in Flask. Every way gives the same text in
both, which is checked before the clock starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jinja2 import DictLoader, Environment

from . import measure, program
from .measure import Figure
from .versus import at_least, at_most, figures_of

BASE = """<!doctype html>
<html><head><title>{% block title %}{% endblock %} - Shop</title></head>
<body><nav>{% for item in menu %}<a href="/{{ item }}">{{ item }}</a>{% endfor %}</nav>
<main>{% block main %}{% endblock %}</main></body></html>
"""
PAGE = """{% extends "base.html" %}
{% block title %}{{ title }}{% endblock %}
{% block main %}<h1>{{ title }}</h1><ul>
{% for user in users %}<li>{{ user.name }}: {{ user.mail }}</li>
{% endfor %}</ul>{% endblock %}
"""
VALUES: dict[str, Any] = {
    "title": "People <of note>",
    "menu": ["home", "people", "about"],
    "users": [{"name": f"User {number}", "mail": f"{number}@example.org"} for number in range(5)],
}
SOURCE = "<h1>{{ name }}</h1>{{ request.path }}"
TEXT = "<h1>Ada</h1>/hello"


def renderers(module: ModuleType) -> dict[str, Callable[[], object]]:
    """The same ways for Flask and for Brim: only the module differs."""
    app = module.Flask("benchmark")
    app.jinja_loader = DictLoader({"base.html": BASE, "page.html": PAGE, "hello.html": SOURCE})
    app.test_request_context("/hello").push()
    return {
        "inheritance": lambda: module.render_template("page.html", **VALUES),
        "string": lambda: module.render_template_string(SOURCE, name="Ada"),
        "streamed": lambda: "".join(module.stream_template("hello.html", name="Ada")),
    }


def bare() -> Callable[[], object]:
    """The page by Jinja alone: an environment, a template that was found before, its values."""
    loader = DictLoader({"base.html": BASE, "page.html": PAGE})
    template = Environment(loader=loader, autoescape=True).get_template("page.html")
    return lambda: template.render(**VALUES)


def run() -> list[Figure]:
    import flask

    import brim

    ours, theirs, jinja = renderers(brim), renderers(flask), bare()
    page = jinja()
    assert ours["inheritance"]() == theirs["inheritance"]() == page, page
    for way in ("string", "streamed"):
        assert ours[way]() == theirs[way]() == TEXT, way
    race = measure.interleaved(
        {"Jinja alone": jinja, "Brim": ours["inheritance"], "Flask": theirs["inheritance"]}
    )
    case = "a page that extends another"
    figures = figures_of(case, race)
    above = "above Jinja alone"
    figures += [
        Figure.of(case, f"{name}, {above}", race.time(name, "Jinja alone"), "µs")
        for name in ("Brim", "Flask")
    ]
    ratio = race.ratio("Brim", "Flask", base="Jinja alone")
    figures.append(Figure.of(case, f"Brim / Flask, {above}", ratio, "", 1 / 5))
    for way, target in {"string": at_least("Flask", 10), "streamed": at_most("Flask")}.items():
        race = measure.interleaved({"Brim": ours[way], "Flask": theirs[way]})
        title = {"string": "render_template_string", "streamed": "stream_template"}[way]
        figures += figures_of(title, race, (target,))
    return figures


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
