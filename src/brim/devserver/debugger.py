"""Who may see what went wrong: the developer at this machine, and nobody else.

Werkzeug's debugger shows source and runs code. :class:`Visitors` tells a request of the
developer's browser from any other; :class:`LocalDebugger` keeps the debugger from the
others, whatever address the server is bound to.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..typing import StartResponse, WSGIApplication, WSGIEnvironment

#: Addresses that stand for every interface; a name of none.
WILDCARDS = frozenset({"", "0.0.0.0", "::"})


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is this machine's own; what is no address is not."""
    try:
        ip = ip_address(address.strip().strip("[]"))
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def answers_elsewhere(host: str) -> bool:
    """Tell whether a server bound to ``host`` can be reached from other machines."""
    return host != "localhost" and not host.endswith(".localhost") and not is_loopback(host)


class Visitors:
    """Tells requests of the developer's own browser from all others.

    ``host`` is what the server was asked to bind to; a name that the developer wrote is
    trusted, beside ``localhost``, its subdomains, and the loopback addresses.
    """

    def __init__(self, host: str) -> None:
        self.host = "" if host in WILDCARDS else host.lower()

    def are_local(self, environ: WSGIEnvironment) -> bool:
        """Tell whether the request came from this machine, to a name of this machine.

        A page of another site can have its own name lead to 127.0.0.1, and then read
        answers; hence the ``Host`` header. A proxy or a tunnel on this machine asks from
        127.0.0.1 for clients anywhere; hence the headers in which proxies name them.
        """
        client = environ.get("REMOTE_ADDR") or ""
        # Who has the very address that the server is bound to is this machine as well.
        if not is_loopback(client) and client != (self.host or None):
            return False
        if "HTTP_FORWARDED" in environ:
            return False
        for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"):
            if not all(map(is_loopback, environ.get(header, "127.0.0.1").split(","))):
                return False
        return all(
            self._is_trusted(environ[header])
            for header in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST")
            if header in environ
        )

    def _is_trusted(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == "localhost" or name.endswith(".localhost") or self._is_named(name)

    def _is_named(self, name: str) -> bool:
        return is_loopback(name) or (self.host != "" and name == self.host)


class LocalDebugger:
    """A WSGI application within Werkzeug's debugger, for the developer's own requests.

    Any other request meets the application as it would without a debugger: its error
    goes to the server, which logs it and answers a plain 500.
    """

    def __init__(self, app: WSGIApplication, host: str, evalex: bool = True) -> None:
        # Debug mode alone needs it.
        from werkzeug.debug import DebuggedApplication

        self.app = app
        self.host = host
        self.visitors = Visitors(host)
        # The PIN is printed with the rest of the start, not each time the server restarts.
        self.debugged = DebuggedApplication(app, evalex=evalex, pin_logging=False)
        # On, so that the debugger's page can have it printed again.
        self.debugged.pin_logging = True
        if self.visitors.host:
            self.debugged.trusted_hosts.append(self.visitors.host)

    def describe(self) -> str:
        """Say what it asks for before it runs code, and whom it answers."""
        pin = self.debugged.pin if self.debugged.evalex else None
        text = f"PIN {pin}" if pin else "no PIN" if self.debugged.evalex else "runs no code"
        if answers_elsewhere(self.host):
            names = "this machine" if self.visitors.host else "localhost"
            text += f"; answers {names} only, others get a plain 500"
        return text

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.visitors.are_local(environ):
            return self.debugged(environ, start_response)
        return self.app(environ, start_response)
