"""An application's URL map: adding a rule to it, and binding it.

Matching is :mod:`brim.routing`'s, building :mod:`brim.urls`'s.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.routing import MapAdapter, Rule

    from .typing import Flask, Request, WSGIEnvironment


def make_rule(
    app: Flask,
    rule: str,
    endpoint: str,
    view_func: Any,
    methods: Iterable[str],
    automatic_options: bool | None,
    options: dict[str, Any],
) -> Rule:
    """Make a rule with the methods that its view takes, OPTIONS among them or not."""
    _note_kind(app, endpoint, options.pop("_for_websockets", False))
    if isinstance(methods, str):
        raise TypeError(
            "Allowed methods must be a list of strings, for example:"
            f' @app.route({rule!r}, methods=["{methods.upper()}"])'
        )
    names = {method.upper() for method in methods}
    required = {method.upper() for method in getattr(view_func, "required_methods", ())}
    if automatic_options is None:
        automatic_options = getattr(view_func, "provide_automatic_options", None)
    if automatic_options is None:
        automatic_options = "OPTIONS" not in names and app.config["PROVIDE_AUTOMATIC_OPTIONS"]
    if automatic_options:
        required.add("OPTIONS")
    made: Any = app.url_rule_class(rule, endpoint=endpoint, methods=names | required, **options)
    made.provide_automatic_options = automatic_options
    return made  # type: ignore[no-any-return]


def _note_kind(app: Flask, endpoint: str, for_websockets: bool) -> None:
    """Note what an endpoint serves: WebSockets or HTTP, never both."""
    known = app._websocket_endpoints
    if for_websockets is not (endpoint in known) and endpoint in app.view_functions:
        raise AssertionError(
            f"The endpoint {endpoint!r} can't serve WebSockets and HTTP both."
            " Give one of the two another 'endpoint'."
        )
    if for_websockets:
        known.add(endpoint)


def _bind_to_environ(
    url_map: Any, environ: WSGIEnvironment, server_name: str | None, subdomain: str | None
) -> MapAdapter:
    return url_map.bind_to_environ(  # type: ignore[no-any-return]
        environ, server_name=server_name, subdomain=subdomain
    )


# Werkzeug warns of a host outside SERVER_NAME in the name of the module that calls it. The
# filters that applications have for that warning name Flask's module.
_bind_to_environ = FunctionType(_bind_to_environ.__code__, {"__name__": "flask.app"})


def create_adapter(app: Flask, request: Request | None) -> MapAdapter | None:
    """Bind the map; see :meth:`brim.Flask.create_url_adapter`."""
    config = app.config
    url_map = app.url_map
    if request is None:
        if not config["SERVER_NAME"]:
            return None
        return url_map.bind(  # type: ignore[no-any-return]
            config["SERVER_NAME"],
            script_name=config["APPLICATION_ROOT"],
            url_scheme=config["PREFERRED_URL_SCHEME"],
        )
    if (trusted := config["TRUSTED_HOSTS"]) is not None:
        request.trusted_hosts = trusted
    if request.trusted_hosts:
        request.__dict__.pop("host", None)
        _ = request.host  # raises for a host that isn't trusted
    server_name = config["SERVER_NAME"]
    subdomain = None
    if url_map.host_matching:
        server_name = None
    elif not app.subdomain_matching:
        # Any host will do; without this, one other than SERVER_NAME would match nothing.
        subdomain = url_map.default_subdomain or ""
    return _bind_to_environ(url_map, request.environ, server_name, subdomain)
