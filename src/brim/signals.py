"""The ten signals an app sends, and nothing else.

Each signal's meaning is its docstring (``help(signal)`` shows ``signal.__doc__``). The
sender is always the app object itself, never a proxy to it. Who sends them, and when,
is the business of the files that do; no signal is sent from here. Extensions make
signals of their own in a ``Namespace``.
"""

from __future__ import annotations

from blinker import Namespace

__all__ = [
    "Namespace",
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
]

# Kept apart from the namespaces of extensions, so that an extension may name a signal
# of its own ``request-started`` without receiving this one.
_signals = Namespace()

before_render_template = _signals.signal(
    "before-render-template",
    """A template is about to be rendered: ``template``, ``context`` (a dict).

    The context is the one that will be used: what a receiver changes in it is rendered.
    """,
)

template_rendered = _signals.signal(
    "template-rendered",
    """A template was rendered to its end: ``template``, ``context`` (a dict).

    A streamed template sends this after its last piece.
    """,
)

request_started = _signals.signal(
    "request-started",
    """A request's context is in place and no hook has run yet.""",
)

request_finished = _signals.signal(
    "request-finished",
    """A ``response`` is complete, after every ``after_request`` function.""",
)

request_tearing_down = _signals.signal(
    "request-tearing-down",
    """A request's teardown functions have run; ``exc`` is the unhandled error or None.""",
)

got_request_exception = _signals.signal(
    "got-request-exception",
    """An ``exception`` was raised that no error handler took.

    Sent before it is logged, re-raised or turned into a 500, in debug mode too.
    HTTP errors such as ``abort(404)`` do not send it.
    """,
)

appcontext_pushed = _signals.signal(
    "appcontext-pushed",
    """An app context has become the current one.""",
)

appcontext_tearing_down = _signals.signal(
    "appcontext-tearing-down",
    """An app context's teardown functions have run; ``exc`` is the error or None.""",
)

appcontext_popped = _signals.signal(
    "appcontext-popped",
    """An app context is no longer the current one.""",
)

message_flashed = _signals.signal(
    "message-flashed",
    """A ``message`` was flashed under a ``category``.""",
)
