"""An app's settings: their dict, its loaders, and the ones Brim reads.

Knows files, modules and the environment as sources of keys and values. Never acts on
a setting: what ``SECRET_KEY`` or ``DEBUG`` bring about is decided where they are read.
``SETTINGS`` is the one list of built-in settings; the defaults and the configuration
page of the documentation are made from it.
"""

from __future__ import annotations

import errno
import json
import os
import types
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from werkzeug.datastructures import ImmutableDict
from werkzeug.utils import import_string

from . import gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

T = TypeVar("T")


class ConfigAttribute(Generic[T]):
    """An attribute of an app that reads and writes a key of ``app.config``.

    ``get_converter`` turns the stored value into the one that is read; what is
    written is stored as it is.

    >>> class App:
    ...     config = {"LIFETIME": "60"}
    ...     lifetime = ConfigAttribute[int]("LIFETIME", int)
    >>> App().lifetime
    60
    """

    def __init__(self, name: str, get_converter: Callable[[Any], T] | None = None) -> None:
        self.__name__ = name
        self.get_converter = get_converter

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, obj: Any, owner: type | None = None) -> T: ...
    def __get__(self, obj: Any, owner: type | None = None) -> T | Self:
        if obj is None:
            return self
        value: Any = obj.config[self.__name__]
        if self.get_converter is None:
            return value  # type: ignore[no-any-return]
        return self.get_converter(value)

    def __set__(self, obj: Any, value: Any) -> None:
        obj.config[self.__name__] = value


class Config(dict[str, Any]):
    """A dict of settings that loads files, objects and the environment.

    The loaders that take whole files or objects keep the keys that are in upper case
    and leave the rest alone, so that a configuration file may have imports and helper
    values of its own. ``root_path`` is the folder that relative file names start from.

    >>> config = Config("/srv/shop", {"DEBUG": False})
    >>> config.from_mapping(DEBUG=True, helper="ignored")
    True
    >>> config
    <Config {'DEBUG': True}>
    """

    def __init__(
        self, root_path: str | os.PathLike[str], defaults: dict[str, Any] | None = None
    ) -> None:
        super().__init__(defaults or {})
        self.root_path = root_path

    def from_envvar(self, variable_name: str, silent: bool = False) -> bool:
        """Load the Python file that an environment variable names.

        Returns whether a file was loaded. ``silent`` accepts both an unset variable and
        a missing file; without it they raise ``RuntimeError`` and ``OSError``.
        """
        filename = os.environ.get(variable_name)
        if filename:
            return self.from_pyfile(filename, silent=silent)
        if silent:
            return False
        raise RuntimeError(
            f"No configuration was loaded: the environment variable {variable_name!r} is not"
            " set. Set it to the path of a Python configuration file, or pass 'silent=True'"
            " to do without one."
        )

    def from_prefixed_env(
        self, prefix: str = "FLASK", *, loads: Callable[[str], Any] = json.loads
    ) -> bool:
        """Load every environment variable that starts with ``prefix`` and ``_``.

        The key is what follows the prefix. ``loads`` turns the text into a value; a
        text it raises an error for is kept as text. With the default, ``FLASK_RETRIES=3``
        sets an int and ``FLASK_MOTTO=hello`` a str.

        Two underscores lead into a dict: ``FLASK_DB__pool__size=5`` sets
        ``config["DB"]["pool"]["size"]``. Dicts that are missing on the way, or None, are
        made. Keys keep their case (Windows has variables in upper case only).

        Raises ``ValueError``, having changed nothing, where something other than a dict
        is in the way, as ``FLASK_DB=sqlite`` is in the way of ``FLASK_DB__pool=5``.
        """
        prefix = f"{prefix}_"
        loaded: dict[str, Any] = {}
        for variable in sorted(os.environ):
            if variable.startswith(prefix):
                value: Any = os.environ[variable]
                try:
                    value = loads(value)
                except Exception:  # whatever a parser of the user's choice may raise
                    pass
                loaded[variable] = value

        _check_nesting(prefix, loaded, self)
        for variable, value in loaded.items():
            *parents, last = variable.removeprefix(prefix).split("__")
            inner: MutableMapping[str, Any] = self
            for parent in parents:
                if inner.get(parent) is None:
                    inner[parent] = {}
                inner = inner[parent]
            inner[last] = value
        return True

    def from_pyfile(self, filename: str | os.PathLike[str], silent: bool = False) -> bool:
        """Run a Python file and load its names that are in upper case.

        A relative name starts from ``root_path``. Returns True; with ``silent``, False
        if there is no such file, which otherwise raises ``OSError``.
        """
        filename = os.path.join(self.root_path, filename)
        module = types.ModuleType("config")
        module.__file__ = filename
        try:
            with open(filename, mode="rb") as file:
                source = file.read()
        except OSError as e:
            if silent and e.errno in {errno.ENOENT, errno.EISDIR, errno.ENOTDIR}:
                return False
            e.strerror = _cannot_load(e)
            raise
        exec(compile(source, filename, "exec"), module.__dict__)
        self.from_object(module)
        return True

    def from_object(self, obj: object | str) -> None:
        """Load the attributes of an object that are in upper case.

        ``obj`` is a module, a class or any object, or the import name of one. A class
        is not instantiated; pass an instance to have its properties read.
        """
        if isinstance(obj, str):
            obj = import_string(obj)
        for key in dir(obj):
            if key.isupper():
                self[key] = getattr(obj, key)

    def from_file(
        self,
        filename: str | os.PathLike[str],
        load: Callable[[IO[Any]], Mapping[str, Any]],
        silent: bool = False,
        text: bool = True,
    ) -> bool:
        """Load a file with a parser of your choice, as ``from_mapping``.

        ``load`` gets the open file: a text file in UTF-8, or with ``text=False`` a binary
        one. A relative name starts from ``root_path``. Returns True; with ``silent``,
        False if there is no such file, which otherwise raises ``OSError``.

        >>> import tomllib
        >>> config.from_file("config.toml", load=tomllib.load, text=False)  # doctest: +SKIP
        """
        filename = os.path.join(self.root_path, filename)
        try:
            with open(filename, "r" if text else "rb", encoding="utf-8" if text else None) as file:
                values = load(file)
        except OSError as e:
            if silent and e.errno in {errno.ENOENT, errno.EISDIR}:
                return False
            e.strerror = _cannot_load(e)
            raise
        return self.from_mapping(values)

    def from_mapping(
        self,
        mapping: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        **kwargs: Any,
    ) -> bool:
        """Load the keys in upper case, as ``dict.update`` would; return True."""
        values: dict[str, Any] = dict(mapping) if mapping is not None else {}
        values.update(kwargs)
        for key, value in values.items():
            if key.isupper():
                self[key] = value
        return True

    def get_namespace(
        self, namespace: str, lowercase: bool = True, trim_namespace: bool = True
    ) -> dict[str, Any]:
        """Return the settings that start with ``namespace``, as a dict.

        Keys are put in lower case and lose the namespace unless told otherwise, so that
        the result fits a function's keyword arguments.

        >>> config = Config("/srv/shop", {"STORE_TYPE": "fs", "STORE_PATH": "/media"})
        >>> config.get_namespace("STORE_")
        {'type': 'fs', 'path': '/media'}
        """
        found: dict[str, Any] = {}
        for key, value in self.items():
            if key.startswith(namespace):
                if trim_namespace:
                    key = key.removeprefix(namespace)
                found[key.lower() if lowercase else key] = value
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self)!r}>"


def _cannot_load(error: OSError) -> str:
    return f"Unable to load configuration file ({error.strerror})"


def _check_nesting(prefix: str, variables: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where the way of a nested variable meets no dict."""
    for variable in variables:
        parents = variable.removeprefix(prefix).split("__")[:-1]
        inner = config
        source = "the config"
        for depth, parent in enumerate(parents, 1):
            key = "__".join(parents[:depth])
            found: object = inner.get(parent)
            # A variable replaces what the config holds; variables below it add to that.
            if prefix + key in variables:
                found = variables[prefix + key]
                source = f"the environment variable {prefix + key!r}"
            if found is None:
                break
            if not isinstance(found, MutableMapping):
                raise ValueError(
                    f"The environment variable {variable!r} sets a key in the dict {key!r}, but"
                    f" {source} has a value of type {type(found).__name__!r} there. Unset one of"
                    " the two, or give the dict as a whole, as JSON."
                )
            inner = cast("Mapping[str, Any]", found)


@dataclass(frozen=True, slots=True)
class Setting:
    """One built-in setting: its name, default, type (as text) and meaning."""

    name: str
    default: Any
    type: str
    doc: str


#: Every setting that Brim itself reads.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DEBUG",
        False,
        "bool",
        "Debug mode: errors reach the interactive debugger and templates are reloaded when"
        " they change. `brim run --debug` or the environment variable `FLASK_DEBUG` turn it"
        " on early enough for everything to see it; set in code, it may come too late for"
        " parts that have already looked. Never turn it on in production: the debugger lets"
        " whoever reaches it run code.",
    ),
    Setting(
        "TESTING",
        False,
        "bool",
        "Test mode: errors that no handler takes are raised to the test instead of becoming"
        " a 500 answer. Extensions may behave differently too, such as sending no mail.",
    ),
    Setting(
        "PROPAGATE_EXCEPTIONS",
        None,
        "bool | None",
        "Whether errors that no handler takes are raised out of the app, to the server or"
        " debugger, instead of becoming a 500 answer. None means: in debug or test mode.",
    ),
    Setting(
        "SECRET_KEY",
        None,
        "str | bytes | None",
        "Signs the session cookie, and whatever extensions sign. Sessions can't be written"
        " without it. Make one with `python -c 'import secrets; print(secrets.token_hex())'`"
        " and keep it out of version control.",
    ),
    Setting(
        "SECRET_KEY_FALLBACKS",
        None,
        "list[str | bytes] | None",
        "Former secret keys, oldest first: what they signed is still accepted, nothing new is"
        " signed with them. Lets a key be replaced without ending every session. Remove a key"
        " once what it signed has expired. Extensions may not know this setting.",
    ),
    Setting(
        "PERMANENT_SESSION_LIFETIME",
        timedelta(days=31),
        "timedelta | int",
        "How long a session with `session.permanent = True` lasts, as a `timedelta` or in"
        " seconds. Sets the cookie's expiry; a signature older than this is refused.",
    ),
    Setting(
        "USE_X_SENDFILE",
        False,
        "bool",
        "Let the web server in front send files: answers of `send_file` carry an"
        " `X-Sendfile` header with the path, and no body. Only for a server that is"
        " configured to honour it.",
    ),
    Setting(
        "TRUSTED_HOSTS",
        None,
        "list[str] | None",
        "The hosts that requests may be addressed to: exact names, or a leading dot for a"
        " domain with its subdomains. A request for any other host is answered with 400."
        " Checked when the request is routed; `before_request` and `after_request` functions"
        " still run. None accepts every host.",
    ),
    Setting(
        "SERVER_NAME",
        None,
        "str | None",
        "The host, with port if it isn't the usual one, that the app is served as. Needed to"
        " build external URLs outside a request, and to tell the subdomain from the domain"
        " with `subdomain_matching`. Does not restrict which hosts are answered; that is"
        " `TRUSTED_HOSTS`.",
    ),
    Setting(
        "APPLICATION_ROOT",
        "/",
        "str",
        "The path the app is mounted under. Used to build URLs outside a request, and as the"
        " session cookie's path if `SESSION_COOKIE_PATH` is not set. Within a request the"
        " server says it, as `SCRIPT_NAME`.",
    ),
    Setting(
        "SESSION_COOKIE_NAME",
        "session",
        "str",
        "The name of the session cookie.",
    ),
    Setting(
        "SESSION_COOKIE_DOMAIN",
        None,
        "str | None",
        "The domain the session cookie is sent to, including its subdomains. None keeps it to"
        " the exact host that set it, which is safer. After a change browsers may hold the"
        " cookie twice and send either first; change the name along with it.",
    ),
    Setting(
        "SESSION_COOKIE_PATH",
        None,
        "str | None",
        "The path the session cookie is sent under. None takes `APPLICATION_ROOT`.",
    ),
    Setting(
        "SESSION_COOKIE_HTTPONLY",
        True,
        "bool",
        "Whether the session cookie is hidden from JavaScript.",
    ),
    Setting(
        "SESSION_COOKIE_SECURE",
        False,
        "bool",
        "Whether the session cookie is sent over HTTPS only. Turn it on for every app that is"
        " served over HTTPS.",
    ),
    Setting(
        "SESSION_COOKIE_PARTITIONED",
        False,
        "bool",
        "Whether the session cookie is kept apart for each site that embeds the app (CHIPS)."
        " Browsers accept that over HTTPS only, so it implies `SESSION_COOKIE_SECURE`.",
    ),
    Setting(
        "SESSION_COOKIE_SAMESITE",
        None,
        "'Lax' | 'Strict' | 'None' | None",
        "Which requests that come from other sites carry the session cookie. `'Lax'` is"
        " recommended; None sends no such attribute and leaves it to the browser.",
    ),
    Setting(
        "SESSION_REFRESH_EACH_REQUEST",
        True,
        "bool",
        "Whether the cookie of a permanent session is sent with every answer, which moves its"
        " expiry along, or only when the session has changed.",
    ),
    Setting(
        "MAX_CONTENT_LENGTH",
        None,
        "int | None",
        "The most bytes of a request's body that are read; more is answered with 413. A view"
        " can set its own through `request.max_content_length`. None sets no limit here; a"
        " body of unknown length is then read only if the server marks where it ends.",
    ),
    Setting(
        "MAX_FORM_MEMORY_SIZE",
        500_000,
        "int | None",
        "The most bytes a field of a `multipart/form-data` body that is no file may have; more"
        " is answered with 413. A view can set its own through"
        " `request.max_form_memory_size`. None sets no limit.",
    ),
    Setting(
        "MAX_FORM_PARTS",
        1000,
        "int | None",
        "The most fields a `multipart/form-data` body may have; more is answered with 413. A"
        " view can set its own through `request.max_form_parts`. None sets no limit.",
    ),
    Setting(
        "SEND_FILE_MAX_AGE_DEFAULT",
        None,
        "timedelta | int | None",
        "How long browsers may use a file they were sent without asking again, as a"
        " `timedelta` or in seconds. None has them ask each time whether it has changed. For a"
        " rule by file name override `get_send_file_max_age` on the app or a blueprint.",
    ),
    Setting(
        "TRAP_BAD_REQUEST_ERRORS",
        None,
        "bool | None",
        "Whether a missing key of `request.form` and its like is an error as any other, with"
        " its traceback, instead of a 400 answer. None means: in debug mode.",
    ),
    Setting(
        "TRAP_HTTP_EXCEPTIONS",
        False,
        "bool",
        "Whether HTTP errors that no handler takes are raised as any other error, so that the"
        " debugger shows where they came from, instead of becoming their answer.",
    ),
    Setting(
        "EXPLAIN_TEMPLATE_LOADING",
        False,
        "bool",
        "Log, for each template that is loaded, which loaders were asked in what order and"
        " what they answered.",
    ),
    Setting(
        "PREFERRED_URL_SCHEME",
        "http",
        "str",
        "The scheme of external URLs that are built outside a request.",
    ),
    Setting(
        "TEMPLATES_AUTO_RELOAD",
        None,
        "bool | None",
        "Whether a template is loaded again when its file has changed. None means: in debug mode.",
    ),
    Setting(
        "MAX_COOKIE_SIZE",
        4093,
        "int",
        "Warn about a `Set-Cookie` header of more bytes than this, which browsers may drop"
        " without a word. 0 never warns.",
    ),
    Setting(
        "PROVIDE_AUTOMATIC_OPTIONS",
        True,
        "bool",
        "Whether routes answer `OPTIONS` requests by themselves. A view's attribute"
        " `provide_automatic_options`, or the argument of that name where it is routed, says"
        " otherwise for one route.",
    ),
    Setting(
        "BACKGROUND_TASK_SHUTDOWN_TIMEOUT",
        5.0,
        "float",
        "How many seconds background tasks have to end when the process is told to. Those that"
        " haven't ended by then are given up, and logged.",
    ),
    Setting(
        "REDIRECT_CODE",
        302,
        "int",
        "The status of `redirect()` where it is given none. Flask 3.2 changes it from 302 to"
        " 303; set 303 here to have that today.",
    ),
    Setting(
        "WEBSOCKET_ALLOWED_ORIGINS",
        (),
        "tuple[str, ...] | list[str] | str",
        "The origins, such as `https://example.com`, whose pages may open WebSockets besides the"
        " pages of the app's own host. `'*'` among them allows all. Clients that are no"
        " browsers send no origin and are not asked for one.",
    ),
    Setting(
        "WEBSOCKET_MAX_MESSAGE_SIZE",
        1024 * 1024,
        "int | None",
        "The most bytes of a message that a client sends over a WebSocket; a longer one closes"
        " the connection with code 1009. None sets no limit here.",
    ),
    Setting(
        "WEBSOCKET_MAX_THREADS",
        500,
        "int",
        "The most WebSockets that sync views serve at a time in one process under ASGI, where"
        " each takes a thread; beyond it a connection is refused with 503.",
    ),
    Setting(
        "WEBSOCKET_PING_INTERVAL",
        20.0,
        "float | None",
        "After how many seconds without a message a client is sent a ping, while a view waits"
        " for it under WSGI. None sends none. ASGI servers have an option of their own.",
    ),
    Setting(
        "WEBSOCKET_PING_TIMEOUT",
        20.0,
        "float | None",
        "How many seconds a client has to answer that ping, and to take what it is sent; then"
        " the connection counts as broken. None waits without an end.",
    ),
)

#: The value of every setting in an app that has set none.
default_config: ImmutableDict[str, Any] = ImmutableDict(
    {setting.name: setting.default for setting in SETTINGS}
)

gone.explain(Config, gone.OF_CONFIGS)
