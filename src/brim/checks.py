"""What is wrong with an application's configuration, as far as that is certain.

Each check is a function from an application to problems, and each problem says what to
write instead. What might be meant as it is, is no problem: a setting of an extension, or
one of the application's own. Nothing is changed, imported or opened here, and who is told
is decided elsewhere.
"""

from __future__ import annotations

import dis
import inspect
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.sansio.utils import host_is_trusted

from . import gone
from .config import SETTINGS
from .globals import session
from .helpers import flash
from .sessions import SecureCookieSessionInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

    from .typing import Flask

#: Settings that Flask 2.3 dropped, each with the attribute of ``app.json`` that took over.
JSON_SETTINGS = {
    "JSON_AS_ASCII": "ensure_ascii",
    "JSON_SORT_KEYS": "sort_keys",
    "JSONIFY_MIMETYPE": "mimetype",
}
#: Attributes that Flask dropped, and that nobody has for something else.
ASSIGNED = (
    "json_decoder",
    "json_encoder",
    "propagate_exceptions",
    "send_file_max_age_default",
    "session_cookie_name",
    "templates_auto_reload",
    "use_x_sendfile",
)
#: Keys that stand in examples, and so in every list that is tried.
KNOWN_KEYS = frozenset(
    "change me|change-me|change_me|changeme|default|dev|development|key|mysecretkey|"
    "not-so-secret|password|replace-me|secret|secret key|secret-key|secret_key|secretkey|"
    "super secret|super secret key|super-secret|supersecret|supersecretkey|test|testing|"
    "topsecret|you-will-never-guess|your secret key|your-secret-key|your_secret_key".split("|")
)
#: The fewest bytes of a key that can't be guessed.
SHORTEST_KEY = 16
MAKE_A_KEY = "python -c 'import secrets; print(secrets.token_hex())'"


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: the setting it is about, what, and what to do about it."""

    setting: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what} {self.fix}"


def problems(app: Flask, *, host: str = "127.0.0.1", port: int | None = None) -> list[Problem]:
    """Return what is certainly wrong with an application's configuration.

    ``host`` and ``port`` are what it is about to be served on. An empty list says that
    nothing was found, not that all is well.

    >>> from brim import Flask
    >>> app = Flask("shop")
    >>> app.config["SESSION_COOKIE_SAMSITE"] = "Lax"
    >>> for problem in problems(app):
    ...     print(problem)
    SESSION_COOKIE_SAMSITE is read by nothing. Did you mean SESSION_COOKIE_SAMESITE?
    """
    checks = [partial(check, app) for check in _CHECKS]
    found: list[Problem] = []
    for check in (*checks, partial(_address, app, host, port)):
        # What an application keeps in its settings may be anything, and a check that fails on
        # it must not keep the application from being served.
        with suppress(Exception):
            found += check()
    return found


# Names of settings --------------------------------------------------------------------


def _misspelt(app: Flask) -> Iterator[Problem]:
    """A name very near to that of a built-in setting, which is itself left as it was."""
    defaults = {setting.name: setting.default for setting in SETTINGS}
    unset = [name for name, default in defaults.items() if app.config.get(name) == default]
    for key in app.config:
        if not key.isupper() or key in defaults or len(key) < 9:
            continue
        # A second one, or several: SECRET_KEY_2, SERVER_NAMES.
        close = get_close_matches(key, unset, 1, 0.94)
        if close and key.rstrip("S_0123456789") != close[0]:
            yield Problem(key, f"{key} is read by nothing.", f"Did you mean {close[0]}?")


def _dropped(app: Flask) -> Iterator[Problem]:
    """A setting that Flask had once, and whose wish isn't fulfilled by other means."""
    for name, attribute in JSON_SETTINGS.items():
        wish = app.config.get(name)
        if wish is not None and wish != getattr(app.json, attribute, wish):
            fix = f"Write app.json.{attribute} = {wish!r} instead."
            yield Problem(name, f"{name} has no effect since Flask 2.3.", fix)
    pretty = app.config.get("JSONIFY_PRETTYPRINT_REGULAR")
    if pretty and getattr(app.json, "compact", False) is not False:
        yield Problem(
            "JSONIFY_PRETTYPRINT_REGULAR",
            "JSONIFY_PRETTYPRINT_REGULAR has no effect since Flask 2.3.",
            "Write app.json.compact = False instead.",
        )
    if "PRESERVE_CONTEXT_ON_EXCEPTION" in app.config:
        yield Problem(
            "PRESERVE_CONTEXT_ON_EXCEPTION",
            "PRESERVE_CONTEXT_ON_EXCEPTION has no effect since Flask 2.3.",
            "Remove it; in a test, 'with client:' keeps the context.",
        )
    if os.environ.get("FLASK_ENV") == "development" and not app.debug:
        what = "FLASK_ENV has no effect since Flask 2.3."
        yield Problem("FLASK_ENV", what, "Give --debug, or set FLASK_DEBUG=1 instead.")
    for name in ASSIGNED:
        if name in vars(app):
            since, instead = gone.OF_APPS[name]
            yield Problem(name, f"app.{name} is read by nothing since Flask {since}.", instead)


# Values of settings -------------------------------------------------------------------


def _of_wrong_type(app: Flask) -> Iterator[Problem]:
    """A value that no code can read as what the setting is."""
    for name in ("MAX_CONTENT_LENGTH", "MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS"):
        value = app.config.get(name)
        if value is not None and not isinstance(value, (int, float)):
            fix = "Write a number, as in 16 * 1024 * 1024, or None."
            yield Problem(name, f"{name} is {value!r}, which is no number.", fix)
    for name in ("PERMANENT_SESSION_LIFETIME", "SEND_FILE_MAX_AGE_DEFAULT"):
        value = app.config.get(name)
        if value is not None and not isinstance(value, (int, float, timedelta)):
            what = f"{name} is {value!r}, which is no span of time."
            yield Problem(name, what, "Write seconds, as a number, or a timedelta.")
    for name in ("TRUSTED_HOSTS", "SECRET_KEY_FALLBACKS"):
        value = app.config.get(name)
        if isinstance(value, (str, bytes)):
            what = f"{name} is one text, of which each letter would be taken by itself."
            # The value of a key is nobody's business.
            fix = f"Write [{value!r}]." if name == "TRUSTED_HOSTS" else "Write a list."
            yield Problem(name, what, fix)


def _secret_key(app: Flask) -> Iterator[Problem]:
    key: object = app.config.get("SECRET_KEY")
    if not key:
        if user := _user_of_the_session(app):
            what = f"SECRET_KEY is not set, and {user} writes to the session."
            yield Problem("SECRET_KEY", what, f"Make one: {MAKE_A_KEY}")
        return
    if not isinstance(key, (str, bytes)):
        what = f"SECRET_KEY is of type {type(key).__name__!r}, with which nothing can be signed."
        yield Problem("SECRET_KEY", what, f"Make one: {MAKE_A_KEY}")
        return
    if app.debug or app.testing:
        return
    text = key.decode("latin-1") if isinstance(key, bytes) else key
    if text.lower() in KNOWN_KEYS or len(text) < SHORTEST_KEY:
        why = "stands in examples" if text.lower() in KNOWN_KEYS else "is short"
        what = f"SECRET_KEY {why}, so sessions can be forged."
        yield Problem("SECRET_KEY", what, f"Make another one: {MAKE_A_KEY}")


def _session_cookie(app: Flask) -> Iterator[Problem]:
    samesite = app.config.get("SESSION_COOKIE_SAMESITE")
    if not samesite:
        return
    if not isinstance(samesite, str) or samesite.title() not in {"Lax", "Strict", "None"}:
        yield Problem(
            "SESSION_COOKIE_SAMESITE",
            f"SESSION_COOKIE_SAMESITE is {samesite!r}, which is no value of it.",
            "Write 'Lax', 'Strict' or 'None'.",
        )
    elif samesite.title() == "None" and not (
        app.config.get("SESSION_COOKIE_SECURE") or app.config.get("SESSION_COOKIE_PARTITIONED")
    ):
        yield Problem(
            "SESSION_COOKIE_SAMESITE",
            "SESSION_COOKIE_SAMESITE is 'None' without SESSION_COOKIE_SECURE; browsers drop"
            " such a cookie.",
            "Set SESSION_COOKIE_SECURE = True, or SESSION_COOKIE_SAMESITE = 'Lax'.",
        )


def _places(app: Flask) -> Iterator[Problem]:
    """Where the application says it is."""
    root: object = app.config.get("APPLICATION_ROOT")
    if isinstance(root, str) and not root.startswith("/"):
        what = f"APPLICATION_ROOT is {root!r}, and a path begins with a slash."
        yield Problem("APPLICATION_ROOT", what, f"Write {'/' + root!r}.")
    name: object = app.config.get("SERVER_NAME")
    if isinstance(name, str) and "/" in name:
        bare = urlsplit(name if "://" in name else f"//{name}").netloc
        what = f"SERVER_NAME is {name!r}; it is a host, without scheme or path."
        fix = f"Write {bare!r}." if bare else "Write the host."
        yield Problem("SERVER_NAME", what, fix)


_THIS_MACHINE = frozenset({"localhost", "127.0.0.1"})


def _address(app: Flask, host: str, port: int | None) -> Iterator[Problem]:
    """Settings that contradict the address that is served, on the developer's machine."""
    name: object = app.config.get("SERVER_NAME")
    if isinstance(name, str) and "/" not in name:
        parts = urlsplit(f"//{name}")
        # Without a port, a proxy may be meant that takes requests for this one.
        with suppress(ValueError):
            if parts.hostname in _THIS_MACHINE and port and parts.port:
                if parts.port != port:
                    what = f"SERVER_NAME is {name!r}, and port {port} is served: URLs made outside"
                    fix = f"Write '{parts.hostname}:{port}', or serve that port."
                    yield Problem("SERVER_NAME", f"{what} a request lead elsewhere.", fix)
    trusted: list[str] | str | None = app.config.get("TRUSTED_HOSTS")
    if trusted and not isinstance(trusted, str) and host in {"127.0.0.1", "localhost"}:
        port_part = "" if port is None else f":{port}"
        names = [f"{name}{port_part}" for name in ("localhost", "127.0.0.1")]
        here = [entry for entry in trusted if urlsplit(f"//{entry}").hostname in _THIS_MACHINE]
        if not here and not any(host_is_trusted(name, trusted) for name in names):
            what = f"TRUSTED_HOSTS has no {host!r}: requests to http://{host}{port_part} get a 400."
            yield Problem("TRUSTED_HOSTS", what, f"Add {host!r} to it.")


# Folders ------------------------------------------------------------------------------


def _folders(app: Flask) -> Iterator[Problem]:
    """A folder that was named and isn't there."""
    for owner in (app, *app.blueprints.values()):
        static = owner.static_folder
        # The default name is there without a folder; any other was written by someone.
        if static and os.path.basename(static) != "static" and not os.path.isdir(static):
            what = f"The static folder {static!r} of {owner.name!r} is not there."
            yield Problem("static_folder", what, "Make it, or give static_folder another path.")


# What views use -----------------------------------------------------------------------


def _user_of_the_session(app: Flask) -> str | None:
    """Name something of the application's that writes to a signed session."""
    if type(app.session_interface) is not SecureCookieSessionInterface:
        return None
    for endpoint, view in app.view_functions.items():
        with suppress(ValueError):  # a view that claims to wrap itself
            if _writes_to_the_session(inspect.unwrap(view)):
                return f"the view {endpoint!r}"
    return None


def _writes_to_the_session(view: object) -> bool:
    """Tell whether a function calls ``flash``, or sets items and names ``session``."""
    code: CodeType | None = getattr(view, "__code__", None)
    names: dict[str, object] = getattr(view, "__globals__", {})
    used = {id(names.get(name)) for name in getattr(code, "co_names", ())}
    if id(flash) in used:
        return True
    if code is None or id(session) not in used:
        return False
    return any(step.opname == "STORE_SUBSCR" for step in dis.get_instructions(code))


_CHECKS: tuple[Callable[[Flask], Iterator[Problem]], ...] = (
    _misspelt,
    _dropped,
    _of_wrong_type,
    _secret_key,
    _session_cookie,
    _places,
    _folders,
)
