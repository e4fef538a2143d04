"""What an application and a blueprint share: the tables, and the decorators that fill them.

Nothing here runs what was registered. The tables are public and stay open to code that
fills them directly; :mod:`brim.dispatch.plan` reads them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from functools import update_wrapper, wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from werkzeug.exceptions import HTTPException, default_exceptions

from . import files
from .errors import SETUP_FINISHED
from .helpers import _default_template_ctx_processor
from .lazy import lazy
from .paths import get_root_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from jinja2.loaders import BaseLoader

    from .typing import (
        AfterRequestCallable,
        AfterWebsocketCallable,
        AppGroup,
        AppOrBlueprintKey,
        BeforeRequestCallable,
        ErrorHandlerCallable,
        Response,
        RouteCallable,
        TeardownCallable,
        TemplateContextProcessorCallable,
        URLDefaultCallable,
        URLValuePreprocessorCallable,
        WebsocketCallable,
    )

F = TypeVar("F", bound="Callable[..., Any]")
T_route = TypeVar("T_route", bound="RouteCallable")
T_websocket = TypeVar("T_websocket", bound="WebsocketCallable")
T_after_websocket = TypeVar("T_after_websocket", bound="AfterWebsocketCallable")
T_error_handler = TypeVar("T_error_handler", bound="ErrorHandlerCallable")
T_before_request = TypeVar("T_before_request", bound="BeforeRequestCallable")
T_after_request = TypeVar("T_after_request", bound="AfterRequestCallable")
T_teardown = TypeVar("T_teardown", bound="TeardownCallable")
T_context_processor = TypeVar("T_context_processor", bound="TemplateContextProcessorCallable")
T_url_defaults = TypeVar("T_url_defaults", bound="URLDefaultCallable")
T_url_value_preprocessor = TypeVar("T_url_value_preprocessor", bound="URLValuePreprocessorCallable")


def setupmethod(f: F) -> F:
    """Decorator for methods that set up: too late a call raises ``AssertionError``."""
    name = f.__name__

    @wraps(f)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(name)
        return f(self, *args, **kwargs)

    return checked  # type: ignore[return-value]


class NamedDecorator(Protocol):
    """A decorator that goes with parentheses and a name, or without either."""

    @overload
    def __call__(self, name: F, /) -> F: ...
    @overload
    def __call__(self, name: str | None = None) -> Callable[[F], F]: ...


class named_decorator:  # noqa: N801 -- reads as a decorator
    """Make a method that adds ``f`` under ``name`` usable as a :class:`NamedDecorator`.

    @app.template_filter
    def reverse(text): ...

    @app.template_filter("upside_down")
    def reverse(text): ...
    """

    def __init__(self, add: Callable[[Any, Any, str | None], None]) -> None:
        self._add = add
        self.__doc__ = add.__doc__
        self.__name__ = add.__name__

    def __get__(self, obj: Any, owner: type | None = None) -> NamedDecorator:
        add = self._add

        def decorate(name: Any = None) -> Any:
            obj._check_setup_finished(add.__name__)
            if callable(name):
                add(obj, name, None)
                return name

            def decorator(f: F) -> F:
                add(obj, f, name)
                return f

            return decorator

        return update_wrapper(decorate, add)


class Scaffold:
    """What can be registered on an application and on a blueprint alike.

    ``import_name``: the module it is made in, ``__name__``. ``root_path``: the folder
    that templates and files are found from, by default that module's.
    """

    #: What it is called in endpoints and messages.
    name: Any
    _static_folder: str | None = None
    _static_url_path: str | None = None

    def __init__(
        self,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        root_path: str | None = None,
    ) -> None:
        #: The name of the module that this was made in.
        self.import_name = import_name
        self.static_folder = static_folder
        self.static_url_path = static_url_path
        #: The folder of templates, relative to ``root_path``; ``None`` for none.
        self.template_folder = template_folder
        #: The folder that relative paths start from.
        self.root_path = get_root_path(import_name) if root_path is None else root_path
        #: Endpoint to view function.
        self.view_functions: dict[str, RouteCallable] = {}
        #: Name, then code (None for all), then class, to the handler.
        self.error_handler_spec: dict[
            AppOrBlueprintKey, dict[int | None, dict[type[Exception], ErrorHandlerCallable]]
        ] = defaultdict(lambda: defaultdict(dict))
        #: Functions to call before each request, by blueprint name.
        self.before_request_funcs: dict[AppOrBlueprintKey, list[BeforeRequestCallable]] = (
            defaultdict(list)
        )
        #: Functions to call with each response, by blueprint name.
        self.after_request_funcs: dict[AppOrBlueprintKey, list[AfterRequestCallable]] = defaultdict(
            list
        )
        #: Functions to call when a request ends, by blueprint name.
        self.teardown_request_funcs: dict[AppOrBlueprintKey, list[TeardownCallable]] = defaultdict(
            list
        )
        #: Functions to call before a WebSocket's view, by blueprint name.
        self.before_websocket_funcs: dict[AppOrBlueprintKey, list[BeforeRequestCallable]] = (
            defaultdict(list)
        )
        #: Functions to call after a WebSocket's view, by blueprint name.
        self.after_websocket_funcs: dict[AppOrBlueprintKey, list[AfterWebsocketCallable]] = (
            defaultdict(list)
        )
        #: Functions to call when a WebSocket's context is left, by blueprint name.
        self.teardown_websocket_funcs: dict[AppOrBlueprintKey, list[TeardownCallable]] = (
            defaultdict(list)
        )
        #: Functions that give values to templates, by blueprint name.
        self.template_context_processors: dict[
            AppOrBlueprintKey, list[TemplateContextProcessorCallable]
        ] = defaultdict(list, {None: [_default_template_ctx_processor]})
        #: Functions that change the values of the URL's variables, by blueprint name.
        self.url_value_preprocessors: dict[
            AppOrBlueprintKey, list[URLValuePreprocessorCallable]
        ] = defaultdict(list)
        #: Functions that complete the values URLs are built with, by blueprint name.
        self.url_default_functions: dict[AppOrBlueprintKey, list[URLDefaultCallable]] = defaultdict(
            list
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _check_setup_finished(self, f_name: str) -> None:
        raise NotImplementedError

    def _refuse_setup(self, f_name: str, kind: str, why: str) -> None:
        raise AssertionError(SETUP_FINISHED.format(name=f_name, kind=kind, why=why))

    @lazy
    def cli(self) -> AppGroup:
        """The group of this one's commands for ``brim``; decorate with ``cli.command()``."""
        from .commands import AppGroup  # noqa: PLC0415 -- start-up time: brings in Click

        return AppGroup(name=self.name)

    # Static files and templates -------------------------------------------------------

    @property
    def static_folder(self) -> str | None:
        """The absolute path of the static folder; ``None`` for none."""
        if self._static_folder is None:
            return None
        return os.path.join(self.root_path, self._static_folder)

    @static_folder.setter
    def static_folder(self, value: str | os.PathLike[str] | None) -> None:
        self._static_folder = None if value is None else os.fspath(value).rstrip(r"\/")

    @property
    def has_static_folder(self) -> bool:
        """Whether there is a static folder."""
        return self.static_folder is not None

    @property
    def static_url_path(self) -> str | None:
        """The URL prefix of static files, by default the static folder's name."""
        if self._static_url_path is not None:
            return self._static_url_path
        if self.static_folder is None:
            return None
        return f"/{os.path.basename(self.static_folder)}".rstrip("/")

    @static_url_path.setter
    def static_url_path(self, value: str | None) -> None:
        self._static_url_path = None if value is None else value.rstrip("/")

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Return how many seconds a browser may keep ``filename`` without asking again.

        By default the setting ``SEND_FILE_MAX_AGE_DEFAULT``; ``None`` for asking always.
        """
        return files.get_send_file_max_age(filename)

    def send_static_file(self, filename: str) -> Response:
        """Answer with a file of the static folder; the view of the static route."""
        return files.send_static_file(self, filename)

    def open_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = None
    ) -> IO[Any]:
        """Open a file below :attr:`root_path` for reading.

        Raises ``ValueError`` for a mode that writes.
        """
        return files.open_resource(self.root_path, resource, mode, encoding)

    @lazy
    def jinja_loader(self) -> BaseLoader | None:
        """The loader of this one's own templates; ``None`` without a folder."""
        if self.template_folder is None:
            return None
        from jinja2 import FileSystemLoader  # noqa: PLC0415 -- start-up time

        return FileSystemLoader(os.path.join(self.root_path, self.template_folder))

    # Routes ---------------------------------------------------------------------------

    def _method_route(self, method: str, rule: str, options: dict[str, Any]) -> Any:
        if "methods" in options:
            raise TypeError(
                f"'{method.lower()}()' takes no 'methods'; use 'route()' to name several."
            )
        return self.route(rule, methods=[method], **options)

    @setupmethod
    def get(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Short for :meth:`route` with ``methods=["GET"]``."""
        return self._method_route("GET", rule, options)  # type: ignore[no-any-return]

    @setupmethod
    def post(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Short for :meth:`route` with ``methods=["POST"]``."""
        return self._method_route("POST", rule, options)  # type: ignore[no-any-return]

    @setupmethod
    def put(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Short for :meth:`route` with ``methods=["PUT"]``."""
        return self._method_route("PUT", rule, options)  # type: ignore[no-any-return]

    @setupmethod
    def delete(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Short for :meth:`route` with ``methods=["DELETE"]``."""
        return self._method_route("DELETE", rule, options)  # type: ignore[no-any-return]

    @setupmethod
    def patch(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Short for :meth:`route` with ``methods=["PATCH"]``."""
        return self._method_route("PATCH", rule, options)  # type: ignore[no-any-return]

    @setupmethod
    def route(self, rule: str, **options: Any) -> Callable[[T_route], T_route]:
        """Decorate a view: requests for ``rule`` call it.

        ``endpoint`` names it for :func:`~brim.url_for`, by default after the function;
        ``methods`` is what it answers, by default GET (and with it HEAD and OPTIONS).
        Other options go to ``werkzeug.routing.Rule``.

            @app.route("/user/<int:id>")
            def user(id): ...
        """

        def decorator(f: T_route) -> T_route:
            endpoint = options.pop("endpoint", None)
            self.add_url_rule(rule, endpoint, f, **options)
            return f

        return decorator

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Route ``rule`` to ``view_func``, as :meth:`route` does.

        Without a ``view_func`` the endpoint's view can be given later, by
        :meth:`endpoint`. ``provide_automatic_options``: whether OPTIONS is answered by
        Brim; by default so unless the view takes it, see ``PROVIDE_AUTOMATIC_OPTIONS``.
        """
        raise NotImplementedError

    @setupmethod
    def endpoint(self, endpoint: str) -> Callable[[F], F]:
        """Decorate the view of an endpoint whose rules are added elsewhere."""

        def decorator(f: F) -> F:
            self.view_functions[endpoint] = f
            return f

        return decorator

    @setupmethod
    def websocket(self, rule: str, **options: Any) -> Callable[[T_websocket], T_websocket]:
        """Decorate a view: WebSockets that are opened at ``rule`` call it.

        It talks to the client by :data:`~brim.websocket`, and the connection is closed when
        it ends. Options are those of :meth:`route`.

            @app.websocket("/echo")
            def echo():
                for message in websocket:
                    websocket.send(message)
        """

        def decorator(f: T_websocket) -> T_websocket:
            endpoint = options.pop("endpoint", None)
            self.add_websocket(rule, endpoint, f, **options)
            return f

        return decorator

    @setupmethod
    def add_websocket(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: WebsocketCallable | None = None,
        **options: Any,
    ) -> None:
        """Have WebSockets at ``rule`` served by ``view_func``, as :meth:`websocket` does."""
        # A rule with ``websocket=True`` alone is an HTTP view's that takes the server's socket
        # for itself, as those of Flask-Sock do.
        view: Any = view_func
        self.add_url_rule(rule, endpoint, view, websocket=True, _for_websockets=True, **options)

    # Hooks ----------------------------------------------------------------------------

    @setupmethod
    def before_request(self, f: T_before_request) -> T_before_request:
        """Call ``f`` before each request; what it returns, unless None, is the answer."""
        self.before_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def after_request(self, f: T_after_request) -> T_after_request:
        """Call ``f`` with each response; it must return it, or another.

        The answer to an unhandled error is a response too. Where such an error is raised
        instead, as in debug mode, only :meth:`teardown_request` functions are called.
        """
        self.after_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def teardown_request(self, f: T_teardown) -> T_teardown:
        """Call ``f`` when a request's context is left, with the error or None.

        All of them run, in the reverse of the order they were registered in. An error
        raised by one is raised again after the last.
        """
        self.teardown_request_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def before_websocket(self, f: T_before_request) -> T_before_request:
        """Call ``f`` before the view of each WebSocket.

        What it returns, unless None, refuses the connection: it is the HTTP answer.
        """
        self.before_websocket_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def after_websocket(self, f: T_after_websocket) -> T_after_websocket:
        """Call ``f`` after the view of each WebSocket, also where the client has left.

        It gets None at the end of a connection. For one that was refused it gets the HTTP
        response, and must return it, or another.
        """
        self.after_websocket_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def teardown_websocket(self, f: T_teardown) -> T_teardown:
        """Call ``f`` when a WebSocket's context is left, with the error or None.

        A client that leaves is no error.
        """
        self.teardown_websocket_funcs.setdefault(None, []).append(f)
        return f

    @setupmethod
    def context_processor(self, f: T_context_processor) -> T_context_processor:
        """Add the dict that ``f`` returns to what templates see."""
        self.template_context_processors[None].append(f)
        return f

    @setupmethod
    def url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Call ``f(endpoint, values)`` before the before-request functions.

        It may change ``values``, the URL's variables, in place.
        """
        self.url_value_preprocessors[None].append(f)
        return f

    @setupmethod
    def url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Call ``f(endpoint, values)`` when a URL is built, to complete ``values``."""
        self.url_default_functions[None].append(f)
        return f

    # Error handlers -------------------------------------------------------------------

    @setupmethod
    def errorhandler(
        self, code_or_exception: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """Decorate the function that answers a kind of error.

        The kind is a class of exceptions, with its subclasses, or an HTTP status code.
        """

        def decorator(f: T_error_handler) -> T_error_handler:
            self.register_error_handler(code_or_exception, f)
            return f

        return decorator

    @setupmethod
    def register_error_handler(
        self, code_or_exception: type[Exception] | int, f: ErrorHandlerCallable
    ) -> None:
        """Register ``f`` as :meth:`errorhandler` does."""
        exc_class, code = self._get_exc_class_and_code(code_or_exception)
        self.error_handler_spec[None][code][exc_class] = f

    @staticmethod
    def _get_exc_class_and_code(
        exc_class_or_code: type[Exception] | int,
    ) -> tuple[type[Exception], int | None]:
        """Return the class to register for, and its HTTP status code if it has one."""
        exc_class: Any = exc_class_or_code
        if isinstance(exc_class_or_code, int):
            exc_class = default_exceptions.get(exc_class_or_code)
            if exc_class is None:
                raise ValueError(
                    f"'{exc_class_or_code}' is not a recognized HTTP error code."
                    " Use a subclass of HTTPException with that code instead."
                )
        if not isinstance(exc_class, type):
            raise TypeError(
                f"{exc_class!r} is an instance, not a class. Handlers are registered"
                " for classes of exceptions or HTTP error codes."
            )
        if not issubclass(exc_class, Exception):
            raise ValueError(
                f"'{exc_class.__name__}' is not a subclass of Exception. Handlers are registered"
                " for classes of exceptions or HTTP error codes."
            )
        if issubclass(exc_class, HTTPException):
            return exc_class, exc_class.code
        return exc_class, None
