"""Type aliases of the public API, and the names of the upper floors for annotations.

At run time this file imports nothing of Brim's. For type checkers it is the one place
where the ground names the roof: a file that needs ``Flask`` or ``Request`` in an
annotation takes it from here, inside ``if TYPE_CHECKING:``, so that no file imports
upwards (docs/decisions/0001-floors.md).
"""

# ruff: noqa: UP007, UP045 -- aliases are evaluated, and "|" can't join forward references.

from __future__ import annotations

import typing as t
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)

if t.TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse as StartResponse
    from _typeshed.wsgi import WSGIApplication as WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment as WSGIEnvironment
    from werkzeug.datastructures import Headers
    from werkzeug.sansio.response import Response as SansioResponse

    from .app import Flask as Flask
    from .blueprints import Blueprint as Blueprint
    from .blueprints import BlueprintSetupState as BlueprintSetupState
    from .commands import AppGroup as AppGroup
    from .ctx import AppContext as AppContext
    from .ctx import RequestContext as RequestContext
    from .ctx import _AppCtxGlobals as _AppCtxGlobals
    from .dispatch.plan import Plan as Plan
    from .doors.exchange import Exchange as Exchange
    from .json.provider import JSONProvider as JSONProvider
    from .registry import Scaffold as Scaffold
    from .sessions import SessionInterface as SessionInterface
    from .sessions import SessionMixin as SessionMixin
    from .templating import Contexts as Contexts
    from .templating import Environment as Environment
    from .testing import FlaskClient as FlaskClient
    from .testing import FlaskCliRunner as FlaskCliRunner
    from .threads import ThreadSide as ThreadSide
    from .urls import Urls as Urls
    from .websockets import Websocket as Websocket
    from .wrappers import Request as Request
    from .wrappers import Response as Response

# What a view may return -------------------------------------------------------------

#: The body of an answer.
ResponseValue = t.Union[
    "SansioResponse",
    str,
    bytes,
    list[t.Any],
    Mapping[str, t.Any],
    Iterator[str],
    Iterator[bytes],
    AsyncIterable[str],
    AsyncIterable[bytes],
]

#: One header's value: text, or several in the order they are sent.
HeaderValue = t.Union[str, list[str], tuple[str, ...]]

#: Headers that go with a body.
HeadersValue = t.Union[
    "Headers",
    Mapping[str, HeaderValue],
    Sequence[tuple[str, HeaderValue]],
]

#: All that a view may return.
ResponseReturnValue = t.Union[
    ResponseValue,
    tuple[ResponseValue, HeadersValue],
    tuple[ResponseValue, int],
    tuple[ResponseValue, int, HeadersValue],
    "WSGIApplication",
]

#: A class that can be handed on as the app's ``response_class``.
ResponseClass = t.TypeVar("ResponseClass", bound="Response")

# What can be registered -------------------------------------------------------------

RouteCallable = t.Union[
    Callable[..., ResponseReturnValue],
    Callable[..., Awaitable[ResponseReturnValue]],
]
BeforeFirstRequestCallable = t.Union[Callable[[], None], Callable[[], Awaitable[None]]]
BeforeRequestCallable = t.Union[
    Callable[[], ResponseReturnValue | None],
    Callable[[], Awaitable[ResponseReturnValue | None]],
]
AfterRequestCallable = t.Union[
    Callable[[t.Any], t.Any],
    Callable[[t.Any], Awaitable[t.Any]],
]
TeardownCallable = t.Union[
    Callable[[BaseException | None], None],
    Callable[[BaseException | None], Awaitable[None]],
]
# The parameter is Any because handlers take the exception's own class, and parameters
# of callables are contravariant.
ErrorHandlerCallable = t.Union[
    Callable[[t.Any], ResponseReturnValue],
    Callable[[t.Any], Awaitable[ResponseReturnValue]],
]
ShellContextProcessorCallable = Callable[[], dict[str, t.Any]]
TemplateContextProcessorCallable = t.Union[
    Callable[[], dict[str, t.Any]],
    Callable[[], Awaitable[dict[str, t.Any]]],
]
TemplateFilterCallable = Callable[..., t.Any]
TemplateGlobalCallable = Callable[..., t.Any]
TemplateTestCallable = Callable[..., bool]
AfterWebsocketCallable = t.Union[
    Callable[[t.Any], t.Any],
    Callable[[t.Any], Awaitable[t.Any]],
]
# A view of a WebSocket returns nothing once the connection was accepted; before, an answer.
WebsocketCallable = t.Union[
    Callable[..., ResponseReturnValue | None],
    Callable[..., Awaitable[ResponseReturnValue | None]],
]
URLDefaultCallable = Callable[[str, dict[str, t.Any]], None]
URLValuePreprocessorCallable = Callable[
    [str | None, dict[str, t.Any] | None],
    None,
]

#: Keys of the hook tables: a blueprint's name, or None for the whole app.
AppOrBlueprintKey = t.Optional[str]

#: What ``Iterable`` of bytes a WSGI application returns.
Body = Iterable[bytes]

# ASGI (the specification's own words) -------------------------------------------------

ASGIScope = MutableMapping[str, t.Any]
ASGIMessage = MutableMapping[str, t.Any]
ASGIReceive = Callable[[], Awaitable[ASGIMessage]]
ASGISend = Callable[[ASGIMessage], Awaitable[None]]
ASGIApplication = Callable[[ASGIScope, ASGIReceive, ASGISend], Awaitable[None]]
