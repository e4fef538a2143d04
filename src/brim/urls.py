"""Rules and URLs of an application: adding a rule, binding the map, building a URL.

Matching is :mod:`brim.routing`'s.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.routing import BuildError

from .ctx import _cv_ctx
from .names import blueprint_chain, blueprint_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.routing import MapAdapter, Rule

    from .typing import Flask, Request, WSGIEnvironment

_NO_SERVER_NAME = """\
Unable to build URLs outside an active request without 'SERVER_NAME' configured. Set it to the \
host that the URL of {endpoint!r} is to have, and 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME' \
where they differ from '/' and 'http'."""


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


def inject_defaults(app: Flask, endpoint: str, values: dict[str, Any]) -> None:
    """Let the ``url_defaults`` functions complete ``values``, the application's first."""
    table = app.url_default_functions
    for name in (None, *reversed(blueprint_chain(blueprint_of(endpoint)))):
        for function in table.get(name, ()):
            function(endpoint, values)


def handle_build_error(app: Flask, error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
    """Return the first URL that a build-error handler gives; raise the last error."""
    for handler in app.url_build_error_handlers:
        try:
            url = handler(error, endpoint, values)
        except BuildError as raised:
            error = raised
        else:
            if url is not None:  # pyright: ignore[reportUnnecessaryComparison]
                return url
    if error is sys.exc_info()[1]:
        raise
    raise error


def url_for(
    app: Flask,
    endpoint: str,
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    external: bool | None,
    values: dict[str, Any],
) -> str:
    """Build a URL; see :meth:`brim.Flask.url_for`."""
    adapter, endpoint, external = _bind(app, endpoint, scheme, external)
    if scheme is not None and not external:
        raise ValueError("When specifying '_scheme', '_external' must be True.")
    app.inject_url_defaults(endpoint, values)
    try:
        url = adapter.build(
            endpoint, values, method=method, url_scheme=scheme, force_external=external
        )
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)
    if anchor is not None:
        url = f"{url}#{quote(anchor, safe='%!#$&()*+,/:;=?@' + chr(39))}"
    return url


def _bind(
    app: Flask, endpoint: str, scheme: str | None, external: bool | None
) -> tuple[MapAdapter, str, bool]:
    """Return the adapter to build with, the full endpoint, and whether to be external."""
    ctx = _cv_ctx.get(None)
    request_ctx = None if ctx is None else ctx.request_ctx
    if request_ctx is not None:
        adapter = request_ctx.url_adapter
        if endpoint[:1] == ".":
            blueprint = request_ctx.request.blueprint
            endpoint = endpoint[1:] if blueprint is None else blueprint + endpoint
        if external is None:
            external = scheme is not None
    else:
        adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
        if external is None:
            external = True
    if adapter is None:
        raise RuntimeError(_NO_SERVER_NAME.format(endpoint=endpoint))
    return adapter, endpoint, external
