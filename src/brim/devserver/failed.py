"""What is served in place of an application that could not be loaded.

The error's page, for the developer's own browser, and a plain 500 for everybody else. How
the error came about, and what follows it, is not known here.
"""

from __future__ import annotations

import linecache
import threading
import traceback
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ..discovery import AppImportError, NoAppException, format_user_error, user_traceback
from .own import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..typing import StartResponse, WSGIEnvironment
    from .debugger import Visitors

#: Asks for an answer once the application is loaded anew.
WAIT = "__brim_wait__"


@dataclass(frozen=True)
class Place:
    """A place in a source file: lines count from 1, columns from 0, ``end`` is exclusive."""

    file: str
    line: int
    column: int | None = None
    end: int | None = None

    def excerpt(self, around: int = 3) -> list[tuple[int, str]]:
        """Return the lines about the place, each with its number."""
        linecache.checkcache(self.file)
        lines = linecache.getlines(self.file)
        first = max(self.line - around, 1)
        return [
            (number, text.rstrip("\n"))
            for number, text in enumerate(lines[first - 1 : self.line + around], first)
        ]

    def caret(self, text: str) -> str:
        """Return the line that points at the place in ``text``; empty if it is all of it."""
        if self.column is None:
            return ""
        margin = "".join(c if c == "\t" else " " for c in text[: self.column])
        return margin + "^" * max((self.end or 0) - self.column, 1)


def place_of(error: BaseException) -> Place | None:
    """Return where in the user's code an error came from; ``None`` if from nowhere in it.

    For a ``SyntaxError`` that is where the parser stumbled, and otherwise the last line
    that was the application's own.
    """
    if isinstance(error, SyntaxError):
        if not error.filename or not error.lineno:
            return None
        column = error.offset - 1 if error.offset else None
        end = error.end_offset - 1 if error.end_offset else None
        if error.end_lineno not in {None, error.lineno}:
            end = None
        return Place(error.filename, error.lineno, column, end)
    frames = traceback.extract_tb(user_traceback(error))
    own = [frame for frame in frames if is_own(frame.filename)] or list(frames)
    if not own or own[-1].lineno is None:
        return None
    return Place(own[-1].filename, own[-1].lineno)


class FailedApp:
    """Stands in for an application that couldn't be loaded: each request is told the error.

    ``visitors`` tells who is shown the error's page; without it nobody is. The page waits
    for the application: its request with the query ``__brim_wait__`` is answered when
    :meth:`end` is called or the process ends. ``threaded``: whether one such request
    leaves the server free for others.
    """

    def __init__(
        self,
        error: BaseException,
        visitors: Visitors | None = None,
        threaded: bool = True,
    ) -> None:
        if isinstance(error, AppImportError):
            error = error.error
        self.error = error
        self.visitors = visitors
        self.threaded = threaded
        self._over = threading.Event()
        # Now, as the file will hold something else when the page is asked for again.
        place = place_of(error)
        self._where = _where(place) if place else ""
        #: What there is to say about it in the terminal.
        self.report = (
            f"Error: {error.format_message()}\n"
            if isinstance(error, NoAppException)
            else format_user_error(error)
        )

    def end(self) -> None:
        """Have the pages that wait look again."""
        self._over.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.visitors is None or not self.visitors.are_local(environ):
            return _send(start_response, "text/plain", "Internal Server Error\n")
        query = environ.get("QUERY_STRING", "")
        if query == WAIT and self.threaded:
            self._over.wait()
            return _send(start_response, "text/plain", "")
        reload = self.threaded and environ.get("REQUEST_METHOD") == "GET"
        return _send(start_response, "text/html", self.page(reload))

    def page(self, reload: bool = True) -> str:
        """Return the error's page; with ``reload`` it follows the application."""
        error = self.error
        if isinstance(error, NoAppException):
            title, text = "No application", error.format_message()
        else:
            title, text = type(error).__name__, str(getattr(error, "msg", None) or error)
        details = (
            ""
            if isinstance(error, NoAppException)
            else f"<h2>Traceback</h2>\n<pre>{escape(self.report)}</pre>"
        )
        return _PAGE.format(
            title=escape(f"{title}: {text}" if text else title),
            name=escape(title),
            text=escape(text),
            where=self._where,
            details=details,
            script=_SCRIPT if reload else "",
        )


class ProcessEnded(Exception):
    """The server's process ended by itself; the message says how, and what to do."""


def _send(start_response: StartResponse, kind: str, text: str) -> Iterable[bytes]:
    body = text.encode("utf-8", "replace")
    headers = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response("500 INTERNAL SERVER ERROR", headers)
    return [body]


def _where(place: Place) -> str:
    """The file and line of the error, and the source around it."""
    rows: list[str] = []
    for number, text in place.excerpt():
        row = f"{number:>5}  {escape(text)}\n"
        if number == place.line:
            row = f"<mark>{row}</mark>"
            if caret := place.caret(text):
                row += f"<b>{' ' * 7}{escape(caret)}</b>\n"
        rows.append(row)
    source = f"<pre>{''.join(rows)}</pre>" if rows else ""
    return f"<p class=place>{escape(place.file)}, line {place.line}</p>\n{source}"


# The page asks once and is answered when this server ends; then it looks for the next one.
_SCRIPT = f"""\
<script>
  const look = () => fetch(location.href, {{method: "HEAD"}})
    .then(() => location.reload(), () => setTimeout(look, 1000));
  fetch("?{WAIT}").then(look, look);
</script>
"""

_PAGE = """\
<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; --line: #d7dce2; --back: #f6f7f9; --soft: #5a6472;
    --mark: #fde8e6; --red: #b3261e; }}
  @media (prefers-color-scheme: dark) {{ :root {{ --line: #39414d; --back: #1d2229;
    --soft: #a3adba; --mark: #4a2320; --red: #ff9a90; }} }}
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;
    padding: 2rem 1rem; }}
  h1 {{ color: var(--red); font-size: 1.5rem; margin: 0; }}
  h2 {{ font-size: 1rem; margin: 2rem 0 .5rem; }}
  p {{ margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
  .place, footer {{ color: var(--soft); }}
  .place {{ margin: 1.5rem 0 .5rem; }}
  pre {{ background: var(--back); border: 1px solid var(--line); border-radius: 6px;
    padding: .75rem; margin: 0; overflow-x: auto; font: 14px/1.5 ui-monospace, monospace; }}
  mark {{ background: var(--mark); color: inherit; }}
  b {{ color: var(--red); }}
  footer {{ margin-top: 2rem; }}
</style>
<h1>{name}</h1>
<p>{text}</p>
{where}
{details}
<footer>The application could not be loaded. Save the file once it is mended.</footer>
{script}</html>
"""
