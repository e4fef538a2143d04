"""Public names, nothing else.

Each name is loaded when it is first asked for (PEP 562), so that
``import brim.as_flask`` brings in no more than itself and a program that uses a
part of Brim pays for that part. Type checkers read the imports below.
"""

from __future__ import annotations

import sys as _sys
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from . import json as json
    from .app import Flask as Flask
    from .background import after_response as after_response
    from .blueprints import Blueprint as Blueprint
    from .config import Config as Config
    from .ctx import after_this_request as after_this_request
    from .ctx import copy_current_request_context as copy_current_request_context
    from .ctx import has_app_context as has_app_context
    from .ctx import has_request_context as has_request_context
    from .files import send_file as send_file
    from .files import send_from_directory as send_from_directory
    from .globals import current_app as current_app
    from .globals import g as g
    from .globals import request as request
    from .globals import session as session
    from .globals import websocket as websocket
    from .helpers import abort as abort
    from .helpers import flash as flash
    from .helpers import get_flashed_messages as get_flashed_messages
    from .helpers import get_template_attribute as get_template_attribute
    from .helpers import make_response as make_response
    from .helpers import redirect as redirect
    from .helpers import stream_with_context as stream_with_context
    from .helpers import url_for as url_for
    from .json import jsonify as jsonify
    from .signals import appcontext_popped as appcontext_popped
    from .signals import appcontext_pushed as appcontext_pushed
    from .signals import appcontext_tearing_down as appcontext_tearing_down
    from .signals import before_render_template as before_render_template
    from .signals import got_request_exception as got_request_exception
    from .signals import message_flashed as message_flashed
    from .signals import request_finished as request_finished
    from .signals import request_started as request_started
    from .signals import request_tearing_down as request_tearing_down
    from .signals import template_rendered as template_rendered
    from .sse import EventStream as EventStream
    from .sse import ServerSentEvent as ServerSentEvent
    from .templating import render_template as render_template
    from .templating import render_template_string as render_template_string
    from .templating import stream_template as stream_template
    from .templating import stream_template_string as stream_template_string
    from .websockets import UnexpectedMessage as UnexpectedMessage
    from .websockets import WebsocketClosed as WebsocketClosed
    from .wrappers import Request as Request
    from .wrappers import Response as Response

#: Where each public name lives.
_HOMES = {
    "app": ("Flask",),
    "background": ("after_response",),
    "blueprints": ("Blueprint",),
    "config": ("Config",),
    "ctx": (
        "after_this_request",
        "copy_current_request_context",
        "has_app_context",
        "has_request_context",
    ),
    "files": ("send_file", "send_from_directory"),
    "globals": ("current_app", "g", "request", "session", "websocket"),
    "helpers": (
        "abort",
        "flash",
        "get_flashed_messages",
        "get_template_attribute",
        "make_response",
        "redirect",
        "stream_with_context",
        "url_for",
    ),
    "json": ("jsonify",),
    "signals": (
        "appcontext_popped",
        "appcontext_pushed",
        "appcontext_tearing_down",
        "before_render_template",
        "got_request_exception",
        "message_flashed",
        "request_finished",
        "request_started",
        "request_tearing_down",
        "template_rendered",
    ),
    "sse": ("EventStream", "ServerSentEvent"),
    "templating": (
        "render_template",
        "render_template_string",
        "stream_template",
        "stream_template_string",
    ),
    "websockets": ("UnexpectedMessage", "WebsocketClosed"),
    "wrappers": ("Request", "Response"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

#: Modules that are reachable as attributes of the package once it is imported.
_MODULES = frozenset(
    {
        *_HOMES,
        "cli",
        "logging",
        "sessions",
        "testing",
        "typing",
        "views",
    }
)

#: Brim's own version; ``__version__`` is the version of Flask's API that is served.
__brim_version__ = "0.1.0"
__version__ = "3.1.3"

# ``globals`` names a module here as soon as that is loaded.
_loaded = vars(_sys.modules[__name__])

__all__ = [
    "Blueprint",
    "Config",
    "EventStream",
    "Flask",
    "Request",
    "Response",
    "ServerSentEvent",
    "UnexpectedMessage",
    "WebsocketClosed",
    "abort",
    "after_response",
    "after_this_request",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "copy_current_request_context",
    "current_app",
    "flash",
    "g",
    "get_flashed_messages",
    "get_template_attribute",
    "got_request_exception",
    "has_app_context",
    "has_request_context",
    "json",
    "jsonify",
    "make_response",
    "message_flashed",
    "redirect",
    "render_template",
    "render_template_string",
    "request",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "send_file",
    "send_from_directory",
    "session",
    "stream_template",
    "stream_template_string",
    "stream_with_context",
    "template_rendered",
    "url_for",
    "websocket",
]


def __getattr__(name: str) -> Any:
    # Agents that hook Flask's imports wait for its module names.
    package = "flask" if _sys.modules.get("flask") is _sys.modules[__name__] else __name__
    home = _HOME_OF.get(name)
    if home is not None:
        value = getattr(_import_module(f"{package}.{home}"), name)
    elif name in _MODULES:
        value = _import_module(f"{package}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _loaded[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_loaded, *_HOME_OF, *_MODULES})
