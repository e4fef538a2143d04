"""The WSGI door's side for WebSockets: a handshake comes in, and the connection's socket.

WSGI (PEP 3333) has no answer that goes both ways. Some servers hand out the socket, and a view
has it for as long as it runs, on the server's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotImplemented as NotSupported

from ..dispatch.run_sync import run_sync
from ..dispatch.websocket_steps import Closing, after, converse
from ..either import carry_out
from ..websockets import Websocket
from .sockets import SocketConnection, accept_token, socket_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..typing import Flask, RequestContext, StartResponse, WSGIEnvironment

#: What was logged of servers that can't serve WebSockets: each is told once.
_told: set[str | None] = set()


def serve_wsgi(
    app: Flask, ctx: RequestContext, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Serve one connection, from its handshake to its end."""
    sock: Any = None
    token = ""
    refusal: HTTPException | None = None
    try:
        sock = socket_of(environ)
        token = accept_token(environ)
    except HTTPException as error:
        refusal = error
        if isinstance(error, NotSupported) and error.description not in _told:
            _told.add(error.description)
            app.logger.error("A WebSocket was refused: %s", error.description)
    connection = SocketConnection(app, sock, token)
    ctx.websocket = Websocket(ctx, connection)
    try:
        outcome = run_sync(converse(ctx, refusal))
        if not isinstance(outcome, Closing):
            return outcome(environ, start_response)
        carry_out(connection.close(outcome.code, outcome.reason))
        run_sync(after(ctx))
    finally:
        if connection.opened:
            carry_out(connection.close(1011, ""))
            connection.finish()
        # Errors keep this frame.
        refusal = None
    # Said for the server's log. It can't be sent any more, and the server takes that for what
    # it is: a client that is gone.
    start_response("101 Switching Protocols", [])
    return []
