"""What views call: URLs, redirects, aborting, flashed messages, streams.

Each function finds the current application or request by itself and leaves the work to
it. Files have :mod:`brim.files`, templates :mod:`brim.templating`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Literal, NoReturn, ParamSpec, TypeVar, overload

import werkzeug.utils
from werkzeug.exceptions import abort as _werkzeug_abort

from .ctx import _cv_ctx, current_request_ctx, has_app_context
from .files import send_file as send_file
from .files import send_from_directory as send_from_directory
from .globals import current_app
from .globals import request as request
from .globals import request_ctx as request_ctx
from .globals import session as session
from .names import blueprint_chain as _split_blueprint_path  # noqa: F401 # pyright: ignore
from .paths import get_root_path as get_root_path
from .signals import message_flashed
from .streams import keep_request
from .urls import url_for_current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from werkzeug.wrappers import Response as BaseResponse

    from .typing import RequestContext, Response

P = ParamSpec("P")
T = TypeVar("T")

_FALSE = frozenset({"0", "false", "no"})


def _flag(name: str) -> bool | None:
    """Return the flag in ``BRIM_<name>`` or ``FLASK_<name>``; None if both are unset or empty."""
    for prefix in ("BRIM", "FLASK"):
        value = os.environ.get(f"{prefix}_{name}")
        if value:
            return value.lower() not in _FALSE
    return None


def get_debug_flag() -> bool:
    """Tell whether ``BRIM_DEBUG`` or ``FLASK_DEBUG`` asks for debug mode; default no."""
    return bool(_flag("DEBUG"))


def get_load_dotenv(default: bool = True) -> bool:
    """Tell whether ``.env`` files are to be read.

    ``BRIM_SKIP_DOTENV`` or ``FLASK_SKIP_DOTENV`` says otherwise than ``default``.
    """
    skip = _flag("SKIP_DOTENV")
    return default if skip is None else not skip


@overload
def stream_with_context(generator_or_function: Iterator[T]) -> Iterator[T]: ...
@overload
def stream_with_context(generator_or_function: AsyncIterator[T]) -> AsyncIterator[T]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[P, Iterator[T]],
) -> Callable[P, Iterator[T]]: ...
@overload
def stream_with_context(
    generator_or_function: Callable[P, AsyncIterator[T]],
) -> Callable[P, AsyncIterator[T]]: ...
def stream_with_context(generator_or_function: Any) -> Any:
    """Keep the request's context for a response that is generated while it is sent.

    Takes the generator, sync or async, or decorates the function that makes it:

        @app.get("/stream")
        def stream():
            @stream_with_context
            def generate():
                yield f"Hello, {request.args['name']}!"
            return generate()

    The request ends, with its teardown functions, when the stream is closed, on
    whichever thread or loop that happens.

    Raises ``RuntimeError`` outside a request.
    """
    function: Callable[..., Any] = generator_or_function
    if isinstance(function, (Iterable, AsyncIterable)):
        return keep_request(_streaming(), generator_or_function)

    def make_stream(*args: Any, **kwargs: Any) -> Any:
        return keep_request(_streaming(), function(*args, **kwargs))

    return update_wrapper(make_stream, function)


def _streaming() -> RequestContext:
    return current_request_ctx("'stream_with_context'")


def make_response(*args: Any) -> Response:
    """Turn what a view may return into a response, to set headers or cookies on it.

    Several arguments are taken as a tuple. Without any it is an empty response.
    """
    if not args:
        return current_app.response_class()
    return current_app.make_response(args[0] if len(args) == 1 else args)


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Build the URL of an endpoint; see :meth:`brim.Flask.url_for`."""
    return url_for_current(endpoint, _anchor, _method, _scheme, _external, values)


def redirect(
    location: str, code: int | None = None, Response: type[BaseResponse] | None = None
) -> BaseResponse:
    """Answer with a redirect to ``location``.

    ``code``: the status, by default the setting ``REDIRECT_CODE`` (302).
    """
    if has_app_context():
        if code is None:
            return current_app.redirect(location)
        return current_app.redirect(location, code=code)
    return werkzeug.utils.redirect(location, code=302 if code is None else code, Response=Response)


def abort(code: int | BaseResponse, *args: Any, **kwargs: Any) -> NoReturn:
    """Stop here and answer with an HTTP error, or with a response.

    ``code``: a status code, whose exception is raised by the application's ``aborter``
    with the other arguments, or a response to send as it is.
    """
    if has_app_context():
        current_app.aborter(code, *args, **kwargs)
    _werkzeug_abort(code, *args, **kwargs)


def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Return a macro or variable that a template exports.

    hello = get_template_attribute("_macros.html", "hello")
    hello("World")
    """
    return getattr(current_app.jinja_env.get_template(template_name).module, attribute)


def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session for the next request's template.

    ``category`` is free; "message", "error", "info" and "warning" are usual.
    """
    ctx = current_request_ctx()
    session = ctx.session
    flashes = session.get("_flashes", [])
    flashes.append((category, message))
    session["_flashes"] = flashes
    if message_flashed.receivers:
        ctx.app._engine.send(message_flashed, message=message, category=category)


@overload
def get_flashed_messages(
    with_categories: Literal[False] = False, category_filter: Iterable[str] = ()
) -> list[str]: ...
@overload
def get_flashed_messages(
    with_categories: Literal[True], category_filter: Iterable[str] = ()
) -> list[tuple[str, str]]: ...
def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Return the flashed messages and remove them from the session.

    Further calls in the same request return the same. ``with_categories`` gives pairs of
    category and message, ``category_filter`` only the categories it names.
    """
    ctx = current_request_ctx()
    flashes = ctx.flashes
    if flashes is None:
        session = ctx.session
        flashes = ctx.flashes = session.pop("_flashes") if "_flashes" in session else []
    if category_filter:
        flashes = [pair for pair in flashes if pair[0] in category_filter]
    if with_categories:
        return flashes
    return [message for _, message in flashes]


def _default_template_ctx_processor() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
    """Return what all templates see: ``g``, and in a request ``request``.

    The objects themselves, so that whoever keeps a context (a test that listens to
    ``template_rendered``) can look at them when the request is over. The session is
    left to the global of that name, which opens it when a template mentions it.
    """
    ctx = _cv_ctx.get(None)
    if ctx is None:
        return {}
    values: dict[str, Any] = {"g": ctx.app_ctx.g}
    if ctx.request_ctx is not None:
        values["request"] = ctx.request_ctx.request
    return values
