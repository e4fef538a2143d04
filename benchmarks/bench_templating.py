"""What does a template cost above Jinja's own work, beside Flask?

A page that extends another, rendered by name: what Jinja alone takes for it is taken away, and the
rest is compared, once for a whole request and once for ``render_template`` alone within a request.
A template from a string is compiled once in Brim; that is most of what it costs in Flask. Every way
gives the same text in both, which is checked before the clock starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jinja2 import DictLoader, Environment

from . import measure, program
from .doors import Request, WSGIDoor
from .measure import Figure, Race
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
PAGE_REQUEST = Request("/page")
ALONE = "Jinja alone"
TARGETS = {
    "render_template_string": at_least("Flask", 10),
    "stream_template": at_most("Flask"),
}


def with_templates(module: ModuleType) -> Any:
    """The same application for Flask and for Brim: only the module differs."""
    app = module.Flask("benchmark")
    app.jinja_loader = DictLoader({"base.html": BASE, "page.html": PAGE, "hello.html": SOURCE})
    app.add_url_rule("/page", "page", lambda: module.render_template("page.html", **VALUES))
    return app


def renderers(module: ModuleType) -> dict[str, Callable[[], object]]:
    """The ways to render, within a request that lasts."""
    with_templates(module).test_request_context("/hello").push()
    return {
        "render_template": lambda: module.render_template("page.html", **VALUES),
        "render_template_string": lambda: module.render_template_string(SOURCE, name="Ada"),
        "stream_template": lambda: "".join(module.stream_template("hello.html", name="Ada")),
    }


def bare() -> Callable[[], object]:
    """The page by Jinja alone: an environment, a template that was found before, its values."""
    loader = DictLoader({"base.html": BASE, "page.html": PAGE})
    template = Environment(loader=loader, autoescape=True).get_template("page.html")
    return lambda: template.render(**VALUES)


def above_jinja(case: str, race: Race, target: float | None = None) -> list[Figure]:
    """The times of a race, and what is left of them without Jinja's."""
    figures = figures_of(case, race)
    for name in ("Brim", "Flask"):
        figures.append(Figure.of(case, f"{name}, above {ALONE}", race.time(name, ALONE), "µs"))
    ratio = race.ratio("Brim", "Flask", base=ALONE)
    return [*figures, Figure.of(case, f"Brim / Flask, above {ALONE}", ratio, "", target)]


def run() -> list[Figure]:
    import flask

    import brim

    jinja, modules = bare(), {"Brim": brim, "Flask": flask}
    page, case = jinja(), "a page that extends another"
    # Before any context is there that would be outside of the requests' own.
    door, calls = WSGIDoor(), {}
    for name, module in modules.items():
        app = with_templates(module)
        assert door.ask(app, PAGE_REQUEST).body.decode() == page, name
        calls[name] = door.caller(app, PAGE_REQUEST)
    race = measure.interleaved({ALONE: jinja, **calls})
    figures = above_jinja(f"{case}, a whole request, WSGI", race, 1 / 5)

    ours, theirs = renderers(brim), renderers(flask)
    assert ours["render_template"]() == theirs["render_template"]() == page, page
    for way in TARGETS:
        assert ours[way]() == theirs[way]() == TEXT, way
    way = "render_template"
    race = measure.interleaved({ALONE: jinja, "Brim": ours[way], "Flask": theirs[way]})
    figures += above_jinja(f"{case}, {way}", race)
    for way, held in TARGETS.items():
        race = measure.interleaved({"Brim": ours[way], "Flask": theirs[way]})
        figures += figures_of(way, race, (held,))
    return figures


if __name__ == "__main__":
    sys.exit(program.main(run, __doc__))
