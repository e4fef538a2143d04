"""What answering an endpoint takes, worked out once and frozen.

Reads the tables that :mod:`brim.registry` describes, and looks which of the application's
methods a subclass or an instance overrides. Runs nothing of the user's.
"""

from __future__ import annotations

import builtins
import dis
import inspect
from dataclasses import dataclass, field, fields, replace
from types import CodeType, MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from werkzeug.exceptions import HTTPException, default_exceptions

from ..bridge import Synced, is_async
from ..greenlets import threads_are_greenlets
from ..names import blueprint_chain, blueprint_of
from .results import makes_plain_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..routing import Matcher
    from ..typing import Contexts, ErrorHandlerCallable, Flask, Urls


@dataclass(slots=True)
class Overrides:
    """For each step the method that replaces it, called with ``ctx`` first, or None."""

    full_dispatch_request: Callable[..., Any] | None = None
    preprocess_request: Callable[..., Any] | None = None
    dispatch_request: Callable[..., Any] | None = None
    raise_routing_exception: Callable[..., Any] | None = None
    make_default_options_response: Callable[..., Any] | None = None
    finalize_request: Callable[..., Any] | None = None
    make_response: Callable[..., Any] | None = None
    process_response: Callable[..., Any] | None = None
    handle_user_exception: Callable[..., Any] | None = None
    handle_http_exception: Callable[..., Any] | None = None
    handle_exception: Callable[..., Any] | None = None
    log_exception: Callable[..., Any] | None = None
    do_teardown_request: Callable[..., Any] | None = None
    do_teardown_appcontext: Callable[..., Any] | None = None
    create_url_adapter: Callable[..., Any] | None = None
    trap_http_exception: Callable[..., Any] | None = None
    should_ignore_error: Callable[..., Any] | None = None
    _find_error_handler: Callable[..., Any] | None = None


#: The names of the steps that a subclass may replace by overriding a method.
OVERRIDABLE = tuple(step.name for step in fields(Overrides))

#: The steps that know of requests and responses alone: a WebSocket's way goes without their
#: replacements.
_OF_REQUESTS: dict[str, Any] = dict.fromkeys(
    (
        "full_dispatch_request",
        "preprocess_request",
        "dispatch_request",
        "make_default_options_response",
        "finalize_request",
        "process_response",
        "do_teardown_request",
    )
)


#: The steps that functions called in a row go without, as a view that comes alone does.
_AROUND_VIEWS = (
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "finalize_request",
    "make_response",
    "process_response",
)

#: Not OPTIONS, which may be answered without the view, nor HEAD, whose answer has no body.
_QUICK_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


_KEPT_CLASSES = frozenset(
    kind
    for kind in (*vars(builtins).values(), *default_exceptions.values())
    if isinstance(kind, type) and issubclass(kind, BaseException)
)

#: The steps that decide what becomes of an error of a view.
_OF_ERRORS = (
    "handle_user_exception",
    "handle_http_exception",
    "trap_http_exception",
    "_find_error_handler",
)


@dataclass
class Compiled:
    """What was compiled since the application's last change, as far as it was needed."""

    plans: Mapping[str | None, Plan] | None = None
    matcher: Matcher | None = None
    #: That of the handshakes of WebSockets.
    websocket_matcher: Matcher | None = None
    #: What :mod:`brim.urls` builds with.
    urls: Urls | None = None
    #: What :mod:`brim.templating` completes values with.
    contexts: Contexts | None = None
    reads_streams: bool | None = None
    #: Whether the application has changed since.
    outdated: bool = False


@dataclass(frozen=True)
class Plan:
    """One endpoint's way through the steps, or, for None, that of a request unrouted.

    All functions are callable from sync code; :class:`brim.bridge.Synced` ones know
    their coroutine function.
    """

    compiled: Compiled
    endpoint: str | None
    blueprints: tuple[str, ...]
    overrides: Overrides
    view: Callable[..., Any] | None
    preprocessors: tuple[Callable[..., Any], ...]
    before: tuple[Callable[..., Any], ...]
    after: tuple[Callable[..., Any], ...]
    teardown: tuple[Callable[..., Any], ...]
    teardown_app: tuple[Callable[..., Any], ...]
    #: Whether the view talks over a WebSocket, and the functions are those around such views.
    for_websockets: bool
    #: Whether a replaced step decides what becomes of errors.
    handles_errors: bool
    #: Whether nothing comes before the view.
    begins_quietly: bool
    #: Whether there is a view, no step between a request and its response is replaced, but for
    #: those that deal with errors, and no function is told the view's arguments.
    is_straight: bool
    #: The methods with which there is nothing to do but to call the view.
    lone_methods: frozenset[str]
    #: The methods with which nobody is to see a response object, but for the session.
    bare_methods: frozenset[str]
    #: Whether nothing is left to do once the response was sent.
    ends_quietly: bool
    #: Whether a coroutine, which can't wait for it, may ask for the request's body.
    needs_body: bool
    #: Whether the view is sync and calls a coroutine function: a decorator around one, or a
    #: class that has some.
    hides_coroutine: bool
    #: Whether the view takes the request's body bit by bit.
    reads_stream: bool
    #: The handlers of errors whose classes Python or Werkzeug keeps anyway.
    _kept_handlers: dict[type[BaseException], ErrorHandlerCallable | None] = field(
        default_factory=dict["type[BaseException]", "ErrorHandlerCallable | None"]
    )
    # Weakly, as classes of errors may be made while a request runs.
    _handlers: WeakKeyDictionary[type[BaseException], ErrorHandlerCallable | None] = field(
        default_factory=WeakKeyDictionary["type[BaseException]", "ErrorHandlerCallable | None"]
    )

    def handler(self, app: Flask, error: BaseException) -> ErrorHandlerCallable | None:
        """Return the handler that takes ``error``, if one is registered."""
        kind = type(error)
        # PERF: half a microsecond less than a weak reference; benchmarks/bench_errors.py.
        if kind in self._kept_handlers:
            return self._kept_handlers[kind]
        try:
            return self._handlers[kind]
        except KeyError:
            found = find_error_handler(app, kind, self.blueprints)
            if found is not None:
                found = app.ensure_sync(found)
            if kind in _KEPT_CLASSES:
                self._kept_handlers[kind] = found
            else:
                self._handlers[kind] = found
            return found


def build_plan(app: Flask, endpoint: str | None, overrides: Overrides, compiled: Compiled) -> Plan:
    """Work out the plan for an endpoint from the application's tables."""
    sync = app.ensure_sync
    inner_first = tuple(blueprint_chain(blueprint_of(endpoint)))
    outer_first = (None, *reversed(inner_first))
    outer_last = (*inner_first, None)
    view = None if endpoint is None else app.view_functions.get(endpoint)
    view = None if view is None else sync(view)
    reads = view is not None and reads_stream(view)
    preprocessors = _gather(app.url_value_preprocessors, outer_first)
    for_websockets = endpoint in app._websocket_endpoints
    hides = not (view is None or reads or for_websockets) and hides_coroutine(view)
    if for_websockets:
        overrides = replace(overrides, **_OF_REQUESTS)
        tables: Any = (
            app.before_websocket_funcs,
            app.after_websocket_funcs,
            app.teardown_websocket_funcs,
        )
    else:
        tables = app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs
    before = tuple(map(sync, _gather(tables[0], outer_first)))
    after = tuple(map(sync, _gather(tables[1], outer_last, backwards=True)))
    teardown = _gather(tables[2], outer_last, backwards=True)
    begins_quietly = not (preprocessors or before or overrides.preprocess_request)
    is_straight = view is not None and not (
        for_websockets or preprocessors or any(getattr(overrides, name) for name in _AROUND_VIEWS)
    )
    bare = is_straight and not after and makes_plain_responses(app)
    teardown_app = tuple(reversed(app.teardown_appcontext_funcs))
    return Plan(
        compiled=compiled,
        endpoint=endpoint,
        blueprints=inner_first,
        overrides=overrides,
        view=view,
        preprocessors=preprocessors,
        before=before,
        after=after,
        teardown=tuple(map(sync, teardown)),
        teardown_app=tuple(map(sync, teardown_app)),
        for_websockets=for_websockets,
        handles_errors=any(getattr(overrides, name) for name in _OF_ERRORS),
        begins_quietly=begins_quietly,
        is_straight=is_straight,
        lone_methods=_QUICK_METHODS if bare and begins_quietly else frozenset(),
        bare_methods=_QUICK_METHODS if bare else frozenset(),
        ends_quietly=not (
            teardown
            or teardown_app
            or overrides.do_teardown_request
            or overrides.do_teardown_appcontext
        ),
        needs_body=not for_websockets
        # From the loop's thread a greenlet's socket can't be read.
        and (not (reads and type(view) is Synced) or threads_are_greenlets())
        and (hides or any(type(f) is Synced for f in (*before, view))),
        hides_coroutine=hides,
        reads_stream=reads,
    )


def reads_stream(view: Any) -> bool:
    """Tell whether a view takes the request's body bit by bit.

    That is a coroutine function with ``async for ... in request.stream`` in it, or another
    with ``.stream``. A view has the last word by an attribute: ``view.streams_body = True``,
    where the reading is in a function that it calls, or ``False``.
    """
    cls = getattr(view, "view_class", None)
    function = inspect.unwrap(view.func if type(view) is Synced else view)
    said = getattr(cls or function, "streams_body", None)
    if said is not None:
        return bool(said)
    if cls is None:
        functions = [function]
    else:
        functions = [getattr(cls, name) for name in _WITH_BODY if hasattr(cls, name)]
    reads = _iterates_stream if type(view) is Synced else _names_stream
    codes = [getattr(function, "__code__", None) for function in functions]
    return bool(codes) and all(code is not None and reads(code) for code in codes)


def hides_coroutine(view: Any) -> bool:
    """Tell whether a sync view will have a coroutine run: as a decorator, or as a class."""
    if type(view) is Synced:
        return False
    cls = getattr(view, "view_class", None)
    names = ("dispatch_request", *_WITH_BODY)
    return is_async(inspect.unwrap(view)) or any(
        is_async(getattr(cls, name)) for name in names if hasattr(cls, name)
    )


#: The methods of a class that may be sent a body.
_WITH_BODY = ("post", "put", "patch")


def _names_stream(code: CodeType) -> bool:
    return "stream" in code.co_names or any(
        _names_stream(c) for c in code.co_consts if isinstance(c, CodeType)
    )


def _iterates_stream(code: CodeType) -> bool:
    if "stream" not in code.co_names:
        return any(_iterates_stream(c) for c in code.co_consts if isinstance(c, CodeType))
    before: tuple[Any, Any] = (None, None)
    for instruction in dis.get_instructions(code):
        if instruction.opname == "GET_AITER" and before == ("request", "stream"):
            return True
        before = (before[1], instruction.argval)
    return False


def _gather(
    table: Mapping[Any, list[Any]], names: tuple[str | None, ...], backwards: bool = False
) -> tuple[Any, ...]:
    gathered: list[Any] = []
    for name in names:
        functions = table.get(name, ())
        gathered.extend(reversed(functions) if backwards else functions)
    return tuple(gathered)


def find_error_handler(
    app: Flask, kind: type[BaseException], blueprints: Sequence[str]
) -> ErrorHandlerCallable | None:
    """Return the handler for a class of errors.

    A handler for the error's status code goes before one for its class alone, a
    blueprint's before the application's, a nearer class before its bases.
    """
    code: int | None = getattr(kind, "code", None) if issubclass(kind, HTTPException) else None
    for key in (None,) if code is None else (code, None):
        for name in (*blueprints, None):
            by_class = app.error_handler_spec.get(name, {}).get(key)
            if not by_class:
                continue
            for base in kind.__mro__:
                handler = by_class.get(base)
                if handler is not None:
                    return handler
    return None


def find_overrides(app: Flask, originals: Mapping[str, Any]) -> Overrides:
    """See which steps the application's class, or the application itself, overrides.

    ``originals``: the methods as Brim defines them, by name.
    """
    found = Overrides()
    for name in OVERRIDABLE:
        method = getattr(app, name)
        # By type too: a proxy around a method answers for its ``__func__`` as the method does.
        if type(method) is not MethodType or method.__func__ is not originals[name]:
            setattr(found, name, _with_ctx(app, name, method))
    return found


def _with_ctx(app: Flask, name: str, method: Any) -> Callable[..., Any]:
    """Make a method callable with ``ctx``, which in Flask 3.1 it doesn't take."""
    try:
        # Not what it wraps: a wrapper's own parameters are those that it can take.
        parameters = list(inspect.signature(method, follow_wrapped=False).parameters)
    except (TypeError, ValueError):
        parameters = []
    takes_ctx = parameters[:1] == ["ctx"]
    if name not in vars(app):
        return _bound_anew(name, takes_ctx)

    def without_ctx(_ctx: Any, *args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return method if takes_ctx else without_ctx


def _bound_anew(name: str, takes_ctx: bool) -> Callable[..., Any]:
    """Make a method callable that is bound at each call.

    A bound method would keep the application, which keeps it. Not a function within the one that
    has such a method at hand: compiled, it would hold all that is held of there.
    """

    def bound_anew(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        given = (ctx, *args) if takes_ctx else args
        return getattr(ctx.app, name)(*given, **kwargs)

    return bound_anew
