"""``brim routes --match``: which route answers a URL, as the application itself matches.

The request that asks is never pushed: no hook, view or teardown function of the
application runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect, WebsocketMismatch

from ..testing import EnvironBuilder
from .locations import view_location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.routing import MapAdapter, Rule

    from ..typing import Flask, WSGIEnvironment


def explain_match(app: Flask, url: str, method: str) -> bool:
    """Print what a request to ``url`` meets; return whether it is a route.

    ``url`` is a path, or a whole URL where the host counts. A redirect that the routing
    makes, as from ``/about`` to ``/about/``, counts as a route.
    """
    if "://" not in url and not url.startswith("/"):
        url = f"/{url}"
    try:
        environ = EnvironBuilder(app, url, method=method).get_environ()
    except ValueError as error:
        raise click.UsageError(f"{url!r} is no URL: {error}.") from error
    asked = f"{method} {url}"
    try:
        adapter = _adapter(app, environ)
        rule, arguments = adapter.match(return_rule=True)
    except RequestRedirect as redirect:
        click.echo(f"{asked} is redirected to {redirect.new_url} ({redirect.code}).")
        return True
    except HTTPException as error:
        click.echo(f"{asked} is answered by {error.code}: {_why(error)}")
        if isinstance(error, NotFound) and (other := _other_path(_adapter(app, environ))):
            click.echo(f"There is a rule for {other!r}.")
        return False
    click.echo(asked)
    for title, text in _told(app, rule, arguments, method).items():
        if text:
            click.echo(f"{title:<11}{text}")
    return True


def _adapter(app: Flask, environ: WSGIEnvironment) -> MapAdapter:
    adapter = app.create_url_adapter(app.request_class(environ))
    assert adapter is not None  # noqa: S101 -- it is None for no request alone
    return adapter


def _why(error: HTTPException) -> str:
    if isinstance(error, MethodNotAllowed):
        return f"this URL takes {', '.join(sorted(error.valid_methods or ()))}."
    if isinstance(error, NotFound):
        return "no rule matches."
    if isinstance(error, WebsocketMismatch):
        return "its rule is for WebSockets."
    return error.description or error.name


def _other_path(adapter: MapAdapter) -> str | None:
    """Return the path with or without the slash at its end, if that one has a rule."""
    path = adapter.path_info
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    return other if other and adapter.test(other) else None


def _told(app: Flask, rule: Rule, arguments: Mapping[str, Any], method: str) -> dict[str, str]:
    automatic = method == "OPTIONS" and getattr(rule, "provide_automatic_options", False)
    view = "(OPTIONS is answered without it)" if automatic else view_location(app, rule, method)
    return {
        "Endpoint": str(rule.endpoint),
        "Host": (app.url_map.host_matching and rule.host) or "",
        "Subdomain": rule.subdomain or "",
        "Rule": rule.rule,
        "Arguments": ", ".join(f"{name}={value!r}" for name, value in arguments.items()),
        "View": view,
    }
