"""URLs of an application, built: by what is known of its rules, or else by Werkzeug.

How a path is put together is :mod:`brim.routing`'s.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.routing import BuildError, MapAdapter

from .ctx import _cv_ctx, current_ctx
from .names import blueprint_chain, blueprint_of
from .routing import Builder, plain_path, plain_path_of_scope, plain_root

if TYPE_CHECKING:
    from .typing import AppContext, Flask, RequestContext

_NO_SERVER_NAME = """\
Unable to build URLs outside an active request without 'SERVER_NAME' configured. Set it to the \
host that the URL of {endpoint!r} is to have, and 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME' \
where they differ from '/' and 'http'."""


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
