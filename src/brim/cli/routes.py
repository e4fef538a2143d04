"""``brim routes``: the routes as a table, or the one that answers a URL.

A table of plain text, in full where it is written to a file or a pipe. On a terminal it has
colour and is made to fit. How an application matches is Werkzeug's business; where a view
is, that of :mod:`~brim.cli.locations`.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click

from ..commands import with_appcontext
from ..globals import current_app
from .locations import view_location
from .match import explain_match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.routing import Rule

    from ..typing import Flask

#: Kept apart from each other by this.
_GAP = "  "

_HEAD: dict[str, Any] = {"bold": True}
_FAINT: dict[str, Any] = {"dim": True}


@click.command(
    "routes",
    short_help="Show the routes, or the one that answers a URL.",
    epilog=(
        "\b\n"
        "Examples:\n"
        "  brim routes                            every route, by endpoint\n"
        "  brim routes -s match                   in the order in which they are tried\n"
        "  brim routes --match /people/7          which of them answers this path\n"
        "  brim routes --match /people -m POST    ... to a POST\n"
    ),
)
@click.option(
    "--sort",
    "-s",
    type=click.Choice(("endpoint", "methods", "domain", "rule", "match")),
    default="endpoint",
    help="What to sort by; 'match' is the order in which rules are tried.",
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS too.")
@click.option(
    "--match",
    metavar="URL",
    help=(
        "Tell which route answers a path, or a URL for another host than SERVER_NAME."
        " Ends with status 1 if none does."
    ),
)
@click.option("--method", "-m", metavar="METHOD", help="The method for --match; by default GET.")
@click.pass_context
@with_appcontext
def routes_command(
    ctx: click.Context, sort: str, all_methods: bool, match: str | None, method: str | None
) -> None:
    """Show each route of the application: endpoint, methods, rule, and where its view is.

    The view is the function or class as it was written, beneath its decorators. A column
    for the blueprint, and one for the host or subdomain, is there if any route has one.
    Values after a rule are its defaults. On a narrow terminal each route takes three lines.
    """
    app = current_app
    if match is not None:
        ctx.exit(0 if explain_match(app, match, (method or "GET").upper()) else 1)
    if method is not None:
        raise click.UsageError("'--method' is for '--match URL', which isn't given.", ctx)
    routes = [_Route.of(app, rule, all_methods) for rule in app.url_map.iter_rules()]
    if not routes:
        click.echo("No routes were registered.")
        return
    if sort != "match":
        routes.sort(key=attrgetter("methods" if sort == "methods" else sort))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    domain = "Host" if app.url_map.host_matching else "Subdomain"
    for line in _lines(routes, domain, width):
        click.echo(line)


@dataclass(frozen=True)
class _Route:
    """What the table tells of a rule."""

    endpoint: str
    blueprint: str
    methods: list[str]
    domain: str
    rule: str
    defaults: str
    view: str
    is_websocket: bool

    @classmethod
    def of(cls, app: Flask, rule: Rule, all_methods: bool) -> _Route:
        hidden = set[str]() if all_methods else {"HEAD", "OPTIONS"}
        endpoint = str(rule.endpoint)
        blueprint = endpoint.rpartition(".")[0]
        return cls(
            endpoint=endpoint,
            blueprint=blueprint if blueprint in app.blueprints else "",
            methods=sorted((rule.methods or set()) - hidden),
            domain=(rule.host if app.url_map.host_matching else rule.subdomain) or "",
            rule=rule.rule,
            defaults=", ".join(f"{k}={v!r}" for k, v in (rule.defaults or {}).items()),
            view=view_location(app, rule),
            is_websocket=rule.websocket,
        )

    @property
    def methods_text(self) -> str:
        if self.is_websocket:
            return "WEBSOCKET"
        return ", ".join(self.methods)

    @property
    def rule_text(self) -> str:
        return f"{self.rule}{_GAP}{self.defaults}" if self.defaults else self.rule


@dataclass
class _Column:
    title: str
    cells: list[str]
    style: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def width(self) -> int:
        return max(map(len, (self.title, *self.cells)))


def _lines(routes: list[_Route], domain: str, width: int | None) -> Iterator[str]:
    """Yield the table's lines; where it is wider than ``width``, less of it or blocks."""
    columns = [
        _Column("Endpoint", [route.endpoint for route in routes]),
        _Column("Blueprint", [route.blueprint for route in routes], _FAINT),
        _Column("Methods", [route.methods_text for route in routes], {"fg": "green"}),
        _Column(domain, [route.domain for route in routes]),
        _Column("Rule", [route.rule_text for route in routes], {"fg": "cyan"}),
        _Column("View", [route.view for route in routes], _FAINT),
    ]
    optional = {"Blueprint", domain}
    columns = [c for c in columns if c.title not in optional or any(c.cells)]
    if width is not None and _total(columns) > width:
        # The endpoint begins with it.
        columns = [column for column in columns if column.title != "Blueprint"]
        if _total(columns) > width:
            yield from _blocks(routes)
            return
    yield _row(columns, [column.title for column in columns], _HEAD)
    yield _row(columns, ["-" * column.width for column in columns], _FAINT)
    for cells in zip(*(column.cells for column in columns), strict=True):
        yield _row(columns, list(cells))


def _total(columns: list[_Column]) -> int:
    return sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1)


def _row(columns: list[_Column], cells: list[str], style: dict[str, Any] | None = None) -> str:
    padded = [cell.ljust(column.width) for cell, column in zip(cells, columns, strict=True)]
    # Before there is colour around it.
    padded[-1] = padded[-1].rstrip()
    styles = [column.style if style is None else style for column in columns]
    return _GAP.join(
        click.style(cell, **s) if s else cell for cell, s in zip(padded, styles, strict=True)
    )


def _blocks(routes: list[_Route]) -> Iterator[str]:
    """Yield three lines for each route: endpoint; methods and rule; view."""
    for route in routes:
        methods = click.style(route.methods_text, fg="green")
        rule = click.style(route.rule_text, fg="cyan")
        yield click.style(route.endpoint, **_HEAD)
        yield _GAP + _GAP.join(filter(None, (methods, route.domain, rule)))
        yield _GAP + click.style(route.view, **_FAINT)
