"""Sessions: what remembers a client between its requests, and the signed cookie.

Here lives what a session is and how one is loaded and stored. When it is opened and
saved is decided by whoever holds the request.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from itsdangerous import BadData
from werkzeug.datastructures import CallbackDict

from .cookies import SessionSerializer, cookie_attributes, find_cookie
from .json.tag import TaggedJSONSerializer
from .wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from itsdangerous import URLSafeTimedSerializer

    from .typing import Flask

NO_SECRET_KEY = """\
The session is unavailable because no secret key was set. It can be read, and is empty, \
but nothing can be stored in it. Set app.secret_key (or SECRET_KEY in the configuration) \
to a long random value, for example one made with 'python -c "import secrets; \
print(secrets.token_hex())"'."""


class SessionMixin(MutableMapping[str, Any]):
    """What makes a mapping a session: a few attributes beside its keys."""

    #: Whether the session was made for this request. Not every store can tell.
    new = False

    #: Whether the session has to be stored. A class that can't tell leaves it ``True``.
    modified = True

    #: Whether a request looked at the session: set at each access through its context,
    #: whether keys, values or only the length are of interest then.
    accessed = False

    @property
    def permanent(self) -> bool:
        """Whether the session outlives the browser; the key ``"_permanent"``."""
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)


def _mark_modified(session: SecureCookieSession) -> None:
    session.modified = True


class SecureCookieSession(  # pyright: ignore[reportIncompatibleMethodOverride]
    CallbackDict[str, Any], SessionMixin
):
    """The session that a signed cookie holds: a dict that notes its changes.

    A change of a mutable value inside is not noted; set :attr:`modified` then::

        session["seen"].append(article.id)
        session.modified = True
    """

    modified = False

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(initial, _mark_modified)


class NullSession(SecureCookieSession):
    """Stands in for a session that can't be had: empty, and refuses to be filled.

    Raises ``RuntimeError``, which says what is missing, for every change.
    """

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(NO_SECRET_KEY)

    __setitem__ = __delitem__ = __ior__ = _fail
    clear = pop = popitem = setdefault = update = _fail


class SessionInterface:
    """How sessions are loaded and stored; set ``app.session_interface`` to another.

    A subclass has to provide :meth:`open_session` and :meth:`save_session`. The session
    that it opens is a dict-like object with the attributes of :class:`SessionMixin`.

    A session is opened when a request first asks for it, and then only is it saved. A
    request that never does costs the store nothing. Errors in :meth:`open_session` come
    from the place that asked.
    """

    #: The class of what :meth:`make_null_session` makes.
    null_session_class = NullSession

    #: Whether sessions are pickled. For tools such as debug toolbars that show them.
    pickle_based = False

    def make_null_session(self, app: Flask) -> NullSession:
        """Return what stands in where :meth:`open_session` returned ``None``.

        It can be read, and every change raises an error that explains what is missing.
        """
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Tell whether ``obj`` is one of those; they are never saved."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: Flask) -> str:
        """The name of the cookie: ``SESSION_COOKIE_NAME``."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Flask) -> str | None:
        """The cookie's ``Domain``: ``SESSION_COOKIE_DOMAIN``.

        Without one, browsers send the cookie to the very host that set it only.
        """
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: Flask) -> str:
        """The cookie's ``Path``: ``SESSION_COOKIE_PATH`` or ``APPLICATION_ROOT``."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: Flask) -> bool:
        """Whether scripts are kept from the cookie: ``SESSION_COOKIE_HTTPONLY``."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the cookie is sent over HTTPS only: ``SESSION_COOKIE_SECURE``."""
        secure: bool = app.config["SESSION_COOKIE_SECURE"]
        return secure

    def get_cookie_samesite(self, app: Flask) -> str | None:
        """``"Strict"``, ``"Lax"`` or ``None``: ``SESSION_COOKIE_SAMESITE``."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: Flask) -> bool:
        """Whether the cookie is kept per embedding site: ``SESSION_COOKIE_PARTITIONED``."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        """When the cookie expires; ``None`` if it ends with the browser's session.

        A permanent session lasts ``app.permanent_session_lifetime`` from now on.
        """
        if not session.permanent:
            return None
        return datetime.now(UTC) + app.permanent_session_lifetime

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether the response gets the cookie: for :meth:`save_session` to ask.

        It does if the session was modified, or is permanent and
        ``SESSION_REFRESH_EACH_REQUEST`` is set.
        """
        if session.modified:
            return True
        return session.permanent and bool(app.config["SESSION_REFRESH_EACH_REQUEST"])

    def must_refresh(self, app: Flask, request: Request) -> bool:
        """Whether a session that this request never asked for is opened and saved still.

        Asked at the end of a request that came with the session's cookie. No by default: a store is
        not asked for what nobody wanted. Return true where a response has to prolong
        the session anyway.
        """
        return False

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """Return the session of the client that sent ``request``.

        Return ``None`` where sessions can't be had at all, for want of a setting; see
        :meth:`make_null_session`. Called once per request, by then routed.
        """
        raise NotImplementedError

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Store ``session`` and have ``response`` set, or delete, its cookie.

        Called after all ``after_request`` functions, for sessions that were opened and
        are no null sessions.
        """
        raise NotImplementedError


#: Serialises the sessions in cookies, of all applications: tags registered here are for all.
session_json_serializer = TaggedJSONSerializer()


def _lazy_sha1(string: bytes = b"") -> Any:
    """SHA-1, not looked up before use: builds of Python for FIPS may lack it."""
    return hashlib.sha1(string)


class SecureCookieSessionInterface(SessionInterface):
    """The default: the whole session in a cookie, signed, readable by the client.

    ``SECRET_KEY`` signs; it and the keys in ``SECRET_KEY_FALLBACKS`` are accepted. A
    cookie with a bad signature, or an older one than ``PERMANENT_SESSION_LIFETIME``, is
    taken for none. The format is Flask's, so both read each other's.
    """

    #: Goes into the signing key, so that what the same secret signs elsewhere is no session.
    salt = "cookie-session"
    #: The hash function of the signature.
    digest_method: Callable[..., Any] = staticmethod(_lazy_sha1)
    #: How itsdangerous makes the signing key of the secret key and the salt.
    key_derivation = "hmac"
    #: Writes the session as text and reads it.
    serializer = session_json_serializer
    session_class = SecureCookieSession

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and verifies cookies; ``None`` without a secret key.

        It is shared by all calls with the same keys, so it must not be changed.
        """
        secret_key = app.secret_key
        if not secret_key:
            return None
        # The last of these signs.
        keys = (*(app.config["SECRET_KEY_FALLBACKS"] or ()), secret_key)
        digest_method = self.digest_method
        if digest_method is _lazy_sha1:
            # PERF: the C code for HMAC takes hashlib's own functions only;
            # benchmarks/bench_session.py.
            digest_method = hashlib.sha1
        recipe = (keys, self.salt, self.serializer, self.key_derivation, digest_method)
        try:
            return _signing_serializer(*recipe)
        except TypeError:  # something in the recipe can't be hashed
            return _signing_serializer.__wrapped__(*recipe)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        signing = self.get_signing_serializer(app)
        if signing is None:
            return None
        value = _cookie_of(request, self.get_cookie_name(app))
        if not value:
            return self.session_class()
        max_age = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.session_class(signing.loads(value, max_age=max_age))
        except BadData:
            return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed:
            _vary_by_cookie(response)
        if not session:
            # Emptied during this request: the client is to forget it.
            if session.modified:
                response.delete_cookie(self.get_cookie_name(app), **self._attributes(app))
                _vary_by_cookie(response)
            return
        if not self.should_set_cookie(app, session):
            return
        signing = self.get_signing_serializer(app)
        if signing is None:
            raise RuntimeError(NO_SECRET_KEY)
        _set_cookie(
            app,
            response,
            self.get_cookie_name(app),
            signing.dumps(dict(session)),
            self.get_expiration_time(app, session),
            self._attributes(app),
            type(signing) is SessionSerializer,
        )
        if not session.accessed:
            _vary_by_cookie(response)

    def _attributes(self, app: Flask) -> dict[str, Any]:
        """What the cookie is set and deleted with; browsers match them."""
        return {
            "domain": self.get_cookie_domain(app),
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "partitioned": self.get_cookie_partitioned(app),
            "samesite": self.get_cookie_samesite(app),
            "httponly": self.get_cookie_httponly(app),
        }

    def must_refresh(self, app: Flask, request: Request) -> bool:
        """Whether the request's cookie says that the session is permanent.

        The signature is not verified for that; :meth:`open_session` does so, if this is
        true. Always false if ``SESSION_REFRESH_EACH_REQUEST`` isn't set. True for any
        session cookie where a subclass has made a format or rules of its own.
        """
        name = self.get_cookie_name(app)
        header: str = request.environ.get("HTTP_COOKIE", "")
        own = SecureCookieSessionInterface
        cls = type(self)
        own_rule = cls.should_set_cookie is own.should_set_cookie
        if own_rule and not app.config["SESSION_REFRESH_EACH_REQUEST"]:
            return False
        # PERF: a fifth of the time that parsing all cookies takes, for each request of a
        # client with a session that doesn't use it; benchmarks/bench_session.py.
        only = find_cookie(header, name)
        if only is not None:
            values = [only]
        else:
            pairs = [part.partition("=") for part in header.split(";")]
            values = [value.strip(' "') for key, _, value in pairs if key.strip() == name]
        own_format = (
            cls.open_session is own.open_session
            and cls.get_signing_serializer is own.get_signing_serializer
            and type(self.serializer) is TaggedJSONSerializer
            and self.session_class.permanent is SessionMixin.permanent
        )
        return any(map(_says_permanent if own_rule and own_format else bool, values))


# Classes of an application's own may have others.
_REQUEST_COOKIES = Request.cookies
_SET_COOKIE = Response.set_cookie
_MAX_COOKIE_SIZE = Response.max_cookie_size
_VARY_COOKIE = ("Vary", "Cookie")


def _cookie_of(request: Request, name: str) -> str | None:
    """Return the value of a request's cookie, if it has one."""
    if type(request).cookies is _REQUEST_COOKIES and "cookies" not in request.__dict__:
        header = request.environ.get("HTTP_COOKIE")
        if not header:
            return None
        value = find_cookie(header, name)
        if value is not None:
            return value
    return request.cookies.get(name)


def _set_cookie(
    app: Flask,
    response: Response,
    name: str,
    value: str,
    expires: datetime | None,
    attributes: dict[str, Any],
    is_plain: bool,
) -> None:
    """Have a response set a cookie; ``is_plain``: its value certainly needs no quotes."""
    cls = type(response)
    if (
        is_plain
        and cls.set_cookie is _SET_COOKIE
        and cls.max_cookie_size is _MAX_COOKIE_SIZE
        and (expires is None or type(expires) is datetime)
    ):
        second = None if expires is None else expires.replace(microsecond=0)
        rest = cookie_attributes(name, second, **attributes)
        size = app.config["MAX_COOKIE_SIZE"]
        if rest is not None and (not size or len(name) + len(value) + len(rest) < size):
            response._add_header("Set-Cookie", f"{name}={value}{rest}")
            return
    # It warns of cookies that browsers may refuse.
    response.set_cookie(name, value, expires=expires, **attributes)


def _vary_by_cookie(response: Response) -> None:
    # PERF: a tenth of the time that Werkzeug's set of header values takes;
    # benchmarks/bench_session.py.
    if type(response) is Response and "headers" not in response.__dict__:
        if _VARY_COOKIE not in response._later_headers:
            response._add_header(*_VARY_COOKIE)
        return
    vary = response.headers.get("Vary")
    if vary is None:
        response.headers["Vary"] = "Cookie"
    elif vary != "Cookie":
        response.vary.add("Cookie")


# PERF: saves building the serializer at each opening and each saving, a fifth of what
# either takes; benchmarks/bench_session.py. Bounded, as keys may change at any time.
@lru_cache(maxsize=16)
def _signing_serializer(
    keys: tuple[str | bytes, ...],
    salt: str | bytes,
    serializer: Any,
    key_derivation: str,
    digest_method: Any,
) -> SessionSerializer:
    return SessionSerializer(
        [key.encode() if isinstance(key, str) else key for key in keys],
        salt=salt,
        serializer=serializer,
        signer_kwargs={"key_derivation": key_derivation, "digest_method": digest_method},
    )


# Any value but `false`; the key can't be mistaken for text, where its quotes are escaped.
_PERMANENT = re.compile(rb'"_permanent"\s*:\s*[^\sf]')
# Of compressed sessions, as many bytes are looked at.
_PEEKED = 64 * 1024


def _says_permanent(value: str) -> bool:
    """Tell whether a cookie's payload, unverified, has a true ``"_permanent"``.

    True as well where only opening the session can tell.
    """
    compressed = value.startswith(".")
    payload = value[compressed:].partition(".")[0]
    try:
        data = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        if compressed:
            inflate = zlib.decompressobj()
            data = inflate.decompress(data, _PEEKED)
            if not inflate.eof:
                return True
    except (ValueError, zlib.error):
        return False
    return _PERMANENT.search(data) is not None
