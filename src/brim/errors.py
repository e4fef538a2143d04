"""The words of errors that more than one part of Brim raises, and their classes.

Nothing here decides when an error is raised. Errors that one file alone raises have
their words in that file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

if TYPE_CHECKING:
    from .typing import Request

NO_APP_CONTEXT = """\
Working outside of application context.

This needs to know which application it works for, and none is current here. Inside a
view or a CLI command there always is one; elsewhere, put the work into
'with app.app_context():'."""

NO_REQUEST_CONTEXT = """\
Working outside of request context.

This reads the HTTP request that is being answered, and none is here. If the code is meant
to run in a view, look for what calls it too early or on another thread
(see 'copy_current_request_context'); in a test, use 'with app.test_request_context():'."""

NO_WEBSOCKET = """\
Working outside of a WebSocket.

The request that is being answered is a plain HTTP one. Only views that '@app.websocket()'
registers, and the functions that run around them, have a 'websocket'."""

WRONG_CONTEXT_POPPED = "Popped the wrong context: {} was to be left, but {}."

BODY_NOT_THERE = """\
The request's body has not arrived yet, and a coroutine can't wait for it here.

It is there in async views and before-functions, except in a view that takes it bit by bit by
'async for chunk in request.stream'. Elsewhere, as in an async error handler, read it in the
view first, or make the function a plain 'def'.

A body beyond MAX_CONTENT_LENGTH is not there either. Where it may be longer, set
request.max_content_length in a sync before-function that no async one precedes."""

SETUP_FINISHED = """\
The setup method '{name}' can no longer be called on the {kind}.

{why}

Put imports, decorators and other calls that set it up before that, for example into the
module or factory that makes the {kind}."""


class UnexpectedUnicodeError(AssertionError, UnicodeError):
    """Text and bytes were mixed where they can't be."""


class InsufficientStorage(HTTPException):
    """``507 Insufficient Storage`` (RFC 4918): the disk is full that should keep an upload."""

    code = 507
    description = "The server has no space left to keep what was sent."


class DebugFilesKeyError(KeyError, AssertionError):
    """Explains, in debug mode, an upload that came without its file.

    Raised by ``request.files[key]`` where the form was sent without
    ``enctype="multipart/form-data"``, so that only the file's name arrived.
    """

    def __init__(self, request: Request, key: str) -> None:
        super().__init__(key)
        lines = [
            f"The form has no file under {key!r}: the request's mimetype is"
            f" {request.mimetype!r}, which cannot carry one, so"
            " no file contents were transmitted."
            ' Add enctype="multipart/form-data" to the <form> tag.'
        ]
        names = request.form.getlist(key)
        if names:
            quoted = ", ".join(repr(name) for name in names)
            lines.append(f"Only the name came. This was submitted: {quoted}")
        self.message = "\n\n".join(lines)

    def __str__(self) -> str:
        return self.message


class FormDataRoutingRedirect(AssertionError):
    """Explains, in debug mode, a redirect that would lose a request's body.

    Raised where the URL map answers a request that carries data with a redirect after
    which browsers send a GET without it.
    """

    def __init__(self, request: Request) -> None:
        error = request.routing_exception
        assert isinstance(error, RequestRedirect)
        lines = [
            f"A {request.method} request was sent to {request.url!r}, but the route's"
            f" canonical URL {error.new_url!r} is another, and the redirect to it"
            " would lose the request's data."
        ]
        if request.base_url == error.new_url.partition("?")[0][:-1]:
            lines.append(
                "The rule ends in a slash and the URL that was requested doesn't."
                " Routing redirects to the one with the slash."
            )
        lines.append(
            "Send it to the canonical URL, made with url_for(). In production the client is"
            " redirected; this error is raised in debug mode only."
        )
        super().__init__("\n\n".join(lines))
