"""Rules and URLs of an application: adding a rule, binding the map, building a URL.

Matching is :mod:`brim.routing`'s.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.routing import BuildError, MapAdapter

from .ctx import _cv_ctx, current_ctx
from .names import blueprint_chain, blueprint_of
from .routing import Builder, plain_path, plain_path_of_scope, plain_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.routing import Rule

    from .typing import AppContext, Flask, Request, RequestContext, WSGIEnvironment

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


class Urls:
    """How an application's URLs are built, until the application changes."""

    __slots__ = ("injects", "overridden", "own_adapter", "path", "ways")

    def __init__(self, app: Flask) -> None:
        builder = Builder(app.url_map)
        self.path = builder.build
        self.ways = builder.ways
        #: Whether the application builds URLs in its own way, or completes values in one.
        self.overridden = _redefines(app, "url_for")
        self.injects = _redefines(app, "inject_url_defaults")
        #: Whether it binds its map in its own way, which may be to somewhere else.
        self.own_adapter = (
            app._engine.overrides.create_url_adapter is not None
            or app.subdomain_matching
            or bool(app.request_class.trusted_hosts)
        )


def _redefines(app: Flask, name: str) -> bool:
    return getattr(getattr(app, name), "__func__", None) is not app._engine.originals[name]


def url_for_current(
    endpoint: str,
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    external: bool | None,
    values: dict[str, Any],
) -> str:
    """Build a URL of the current application, as it has that done."""
    app = current_ctx().app
    urls = app._engine._compiled.urls
    # PERF: keywords that are passed on take as long as building; benchmarks/bench_url_for.py.
    if urls is not None and not urls.overridden:
        return url_for(app, endpoint, anchor, method, scheme, external, values)
    return app.url_for(
        endpoint,
        _anchor=anchor,
        _method=method,
        _scheme=scheme,
        _external=external,
        **values,
    )


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
    # PERF: a path is put together without binding a map, which would tell where the
    #   application is mounted, and without a search for the rule; benchmarks/bench_url_for.py.
    ctx: Any = _cv_ctx.get(None)
    urls = app._engine._compiled.urls
    root: str | None = None
    if ctx is not None and scheme is None:
        # Either is known of requests alone.
        root = _external_root(ctx) if external else _own_root(ctx)
    if (
        root is not None
        and ctx is not None
        and urls is not None
        and ctx.app is app
        and method is None
        and not (urls.injects or app.url_default_functions)
        and not (ctx._request_ended or ctx._left_early)
    ):
        way = urls.ways.get(endpoint)
        url = None if way is None else way(values)
        if url is not None:
            return root + url if anchor is None else _anchored(root + url, anchor)
    return _build(app, ctx, endpoint, anchor, method, scheme, external, values)


def _own_root(ctx: AppContext) -> str | None:
    """Return what was found of the paths of a request's URLs; nothing once it has an adapter."""
    made = ctx.__dict__
    root: str | None = None if "url_adapter" in made else made.get("_root")
    return root


def _external_root(ctx: AppContext) -> str | None:
    """Return what was found of a request's absolute URLs, by the adapter that it has."""
    made = ctx.__dict__
    adapter, root = made.get("_external_root", _NO_ROOT)
    return root if adapter is made.get("url_adapter") else None


_NO_ROOT: tuple[MapAdapter | None, str | None] = (None, None)


def _build(
    app: Flask,
    ctx: AppContext | None,
    endpoint: str,
    anchor: str | None,
    method: str | None,
    scheme: str | None,
    external: bool | None,
    values: dict[str, Any],
) -> str:
    request_ctx = None if ctx is None else ctx.request_ctx
    if endpoint[:1] == "." and request_ctx is not None:
        blueprint = request_ctx.request.blueprint
        endpoint = endpoint[1:] if blueprint is None else blueprint + endpoint
    compiled = app._engine._compiled
    urls = compiled.urls
    if urls is None:
        urls = compiled.urls = Urls(app)
    root = bound = None
    if request_ctx is not None and not external and scheme is None and method is None:
        root = _root_of_request(app, urls, request_ctx)
    if root is None:
        bound = _bind(app, ctx, request_ctx, endpoint, scheme, external)
        if method is None:
            root = _root_of_adapter(app, *bound)
            if external and scheme is None and request_ctx is not None and request_ctx is ctx:
                request_ctx.__dict__["_external_root"] = (bound[0], root)
    if urls.injects or app.url_default_functions:
        app.inject_url_defaults(endpoint, values)
    path = None if root is None else urls.path(endpoint, values)
    if path is not None:
        return _anchored(f"{root}{path}", anchor)
    adapter, scheme, external = bound or _bind(app, ctx, request_ctx, endpoint, scheme, external)
    try:
        url = adapter.build(
            endpoint, values, method=method, url_scheme=scheme, force_external=external
        )
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return app.handle_url_build_error(error, endpoint, values)
    return _anchored(url, anchor)


def _anchored(url: str, anchor: str | None) -> str:
    if anchor is None:
        return url
    return f"{url}#{quote(anchor, safe='%!#$&()*+,/:;=?@' + chr(39))}"


def _root_of_request(app: Flask, urls: Urls, request_ctx: RequestContext) -> str | None:
    """Return where a request's application is mounted; ``None`` if an adapter has to tell."""
    made = request_ctx.__dict__
    if "url_adapter" in made:
        return None
    if "_root" not in made:
        plain = (
            not urls.own_adapter and app.config["TRUSTED_HOSTS"] is None and request_ctx.app is app
        )
        made["_root"] = _find_root(request_ctx) if plain else None
    root: str | None = made["_root"]
    return root


def _find_root(request_ctx: RequestContext) -> str | None:
    exchange = request_ctx._exchange
    if exchange is not None and plain_path_of_scope(exchange.scope, exchange.headers) is not None:
        # One with a root path isn't plain.
        return ""
    environ = request_ctx.environ
    return plain_root(environ.get("SCRIPT_NAME", "")) if plain_path(environ) is not None else None


def _root_of_adapter(
    app: Flask, adapter: MapAdapter, scheme: str | None, external: bool
) -> str | None:
    """Return what all its URLs begin with, where that is plain."""
    url_map = app.url_map
    subdomain = url_map.default_subdomain or ""
    if (
        type(adapter) is not MapAdapter
        or adapter.map is not url_map
        or adapter.url_scheme not in ("http", "https")
        or scheme not in (None, "http", "https")
        or not (external or adapter.subdomain == subdomain)
    ):
        return None
    root = plain_root(adapter.script_name)
    if root is None or not external:
        return root
    return f"{scheme or adapter.url_scheme}://{adapter.get_host(subdomain)}{root}"


def _bind(
    app: Flask,
    ctx: AppContext | None,
    request_ctx: RequestContext | None,
    endpoint: str,
    scheme: str | None,
    external: bool | None,
) -> tuple[MapAdapter, str | None, bool]:
    """Return what to build with: the adapter, the scheme, and whether to be external."""
    if request_ctx is not None:
        adapter = request_ctx.url_adapter
        if external is None:
            external = scheme is not None
    else:
        adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
        if external is None:
            external = True
    if adapter is None:
        raise RuntimeError(_NO_SERVER_NAME.format(endpoint=endpoint))
    if scheme is not None and not external:
        raise ValueError("When specifying '_scheme', '_external' must be True.")
    return adapter, scheme, external
