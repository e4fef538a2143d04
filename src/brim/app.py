"""The application: the composition root, where the parts are put together.

Methods here are the public face; each leaves its work to the part that knows how.
"""

from __future__ import annotations

import os
import sys
import warnings
import weakref
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from werkzeug.datastructures import ImmutableDict
from werkzeug.exceptions import Aborter
from werkzeug.routing import BuildError, MapAdapter, Rule
from werkzeug.utils import redirect as _werkzeug_redirect

from . import bridge, doors, files, gone, paths, url_map, urls
from .config import Config, ConfigAttribute, default_config
from .ctx import AppContext, RequestContext, _AppCtxGlobals
from .dispatch.engine import WAYS_IN, Engine
from .dispatch.overridable import Overridable
from .dispatch.plan import OVERRIDABLE
from .doors import wsgi

# Not used here, but imported from here by code that grew up with Flask.
from .globals import current_app as current_app
from .globals import g as g
from .globals import request as request
from .globals import request_ctx as request_ctx
from .globals import session as session
from .globals import websocket as websocket
from .guessing import NOT_RSGI, look_like_coroutine, made_anew
from .helpers import get_debug_flag
from .json.provider import DefaultJSONProvider, JSONProvider
from .lazy import imported, lazy
from .lifespan import LifespanMethods
from .logging import create_logger
from .names import endpoint_from_view
from .registry import Scaffold, named_decorator, setupmethod
from .routing import Map
from .sessions import SecureCookieSessionInterface, SessionInterface
from .tables import watch
from .wrappers import Request, Response

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Coroutine, Iterable, ValuesView
    from typing import IO

    from werkzeug.wrappers import Response as BaseResponse

    from .blueprints import Blueprint
    from .templating import DispatchingJinjaLoader, Environment
    from .testing import AsyncFlaskClient, FlaskClient, FlaskCliRunner
    from .typing import (
        ASGIApplication,
        ASGIReceive,
        ASGIScope,
        ASGISend,
        RouteCallable,
        ShellContextProcessorCallable,
        StartResponse,
        TeardownCallable,
        WSGIEnvironment,
    )

F = TypeVar("F", bound="Callable[..., Any]")
T_shell_context_processor = TypeVar(
    "T_shell_context_processor", bound="ShellContextProcessorCallable"
)
T_teardown = TypeVar("T_teardown", bound="TeardownCallable")

#: The tables whose changes outdate what was compiled from them.
_WATCHED_TABLES = frozenset(
    {
        "view_functions",
        "error_handler_spec",
        "before_request_funcs",
        "after_request_funcs",
        "teardown_request_funcs",
        "before_websocket_funcs",
        "after_websocket_funcs",
        "teardown_websocket_funcs",
        "teardown_appcontext_funcs",
        "url_value_preprocessors",
        "template_context_processors",
    }
)
#: The methods that are called only where they are replaced.
_METHODS = (*OVERRIDABLE, *WAYS_IN, "url_for", "inject_url_defaults", "update_template_context")
_CLASSES = ("request_class", "response_class")
_WATCHED = {*_WATCHED_TABLES, *_METHODS, *_CLASSES, "url_map", "subdomain_matching", "ensure_sync"}


def _as_timedelta(value: Any) -> Any:
    return timedelta(seconds=value) if isinstance(value, int) else value


_ANOTHER_FLASK = """\
Flask is loaded beside Brim: extensions that imported it won't see this application. Put \
`import brim.as_flask` before the first import of an extension."""


class Flask(Overridable, LifespanMethods, Scaffold):
    """An application: a WSGI callable, and the registry of all it is made of.

    ``import_name``: ``__name__``, from which templates, static files and the instance
    folder are found. ``static_host`` and ``host_matching`` go together.
    ``subdomain_matching``: match rules' subdomains, below ``SERVER_NAME``.
    ``instance_relative_config``: read configuration files from the instance folder.

        app = Flask(__name__)

        @app.route("/")
        def hello():
            return "Hello, World!"
    """

    #: Classes and options that a subclass may replace.
    request_class: type[Request] = Request
    response_class: type[Response] = Response
    aborter_class: type[Aborter] = Aborter
    # Jinja takes a fifth of the time of `from brim import Flask`.
    jinja_environment: type[Environment] = imported(".templating", "Environment")
    app_ctx_globals_class: type[Any] = _AppCtxGlobals
    config_class: type[Config] = Config
    json_provider_class: type[JSONProvider] = DefaultJSONProvider
    url_rule_class: type[Rule] = Rule
    url_map_class: type[Any] = Map
    test_client_class: type[FlaskClient] | None = None
    test_cli_runner_class: type[FlaskCliRunner] | None = None
    session_interface: SessionInterface = SecureCookieSessionInterface()
    jinja_options: dict[str, Any] = {}
    default_config: Any = ImmutableDict(default_config)

    testing = ConfigAttribute[bool]("TESTING")
    secret_key = ConfigAttribute["str | bytes | None"]("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute["timedelta"](
        "PERMANENT_SESSION_LIFETIME",
        get_converter=_as_timedelta,
    )

    _engine: Engine

    def __init__(
        self,
        import_name: str,
        static_url_path: str | None = None,
        static_folder: str | os.PathLike[str] | None = "static",
        static_host: str | None = None,
        host_matching: bool = False,
        subdomain_matching: bool = False,
        template_folder: str | os.PathLike[str] | None = "templates",
        instance_path: str | None = None,
        instance_relative_config: bool = False,
        root_path: str | None = None,
    ) -> None:
        if sys.modules.get("flask", sys.modules["brim"]) is not sys.modules["brim"]:
            warnings.warn(_ANOTHER_FLASK, RuntimeWarning, stacklevel=2)
        object.__setattr__(self, "_engine", Engine(self, _ORIGINALS))
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if instance_path is None:
            instance_path = self.auto_find_instance_path()
        elif not os.path.isabs(instance_path):
            raise ValueError(
                f"The instance path must be absolute, and {instance_path!r} is relative."
                " Make it absolute, for example with os.path.abspath()."
            )
        #: The absolute path of the instance folder, which may not exist yet.
        self.instance_path = instance_path
        #: The settings.
        self.config = self.make_config(instance_relative_config)
        #: Raises the errors of :func:`~brim.abort`.
        self.aborter = self.make_aborter()
        #: Reads and writes JSON.
        self.json: JSONProvider = self.json_provider_class(self)
        #: Functions called when a URL can't be built.
        self.url_build_error_handlers: list[Callable[[Exception, str, dict[str, Any]], str]] = []
        #: Functions called when an application context is left.
        self.teardown_appcontext_funcs: list[TeardownCallable] = []
        self.shell_context_processors: list[ShellContextProcessorCallable] = []
        #: Blueprints by the names they are registered under.
        self.blueprints: dict[str, Blueprint] = {}
        #: Where extensions keep their state.
        self.extensions: dict[str, Any] = {}
        #: The rules.
        self.url_map = self.url_map_class(host_matching=host_matching)
        self.subdomain_matching = subdomain_matching
        self._websocket_endpoints: set[str] = set()
        self._got_first_request = False
        if type(self).__call__ is _CALL:
            look_like_coroutine(self)
        if self.has_static_folder:
            self._add_static_route(static_host, host_matching)

    def _add_static_route(self, static_host: str | None, host_matching: bool) -> None:
        if bool(static_host) != host_matching:
            raise AssertionError("'static_host' and 'host_matching' only work together.")
        # The view knows the application weakly, so that dropping the application frees it.
        app = weakref.ref(self)

        def view(**kwargs: Any) -> Response:
            return app().send_static_file(**kwargs)  # type: ignore[union-attr]

        # Extensions are told of it by Flask's name for it: csrf.exempt("flask.app.<lambda>").
        view.__module__, view.__name__ = "flask.app", "<lambda>"
        self.add_url_rule(
            f"{self.static_url_path}/<path:filename>",
            endpoint="static",
            host=static_host,
            view_func=view,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _WATCHED_TABLES:
            value = watch(value, self._engine.changed)
        object.__setattr__(self, name, value)
        if name in _WATCHED:
            self._engine.changed()
            if name == "url_map" and isinstance(value, Map):
                value.watch(self._engine.changed)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in _WATCHED:
            self._engine.changed()

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_first_request:
            self._refuse_setup(
                f_name,
                "application",
                "It has already handled its first request, and others may be running:"
                " some would see the change and some would not.",
            )

    # What it is made of ---------------------------------------------------------------

    @lazy
    def name(self) -> str:
        """The name for messages: the import name, or the file that is run."""
        return paths.get_app_name(self.import_name)

    @lazy
    def logger(self) -> logging.Logger:
        """The application's logger, which has its name."""
        return create_logger(self)

    @lazy
    def jinja_env(self) -> Environment:
        """The Jinja environment; made when it is first needed."""
        return self.create_jinja_environment()

    @property
    def debug(self) -> bool:
        """Whether debug mode is on, the setting ``DEBUG``."""
        debug: bool = self.config["DEBUG"]
        return debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self.config["DEBUG"] = value
        if self.config["TEMPLATES_AUTO_RELOAD"] is None and "jinja_env" in vars(self):
            self.jinja_env.auto_reload = value

    def make_config(self, instance_relative: bool = False) -> Config:
        """Make the configuration with its defaults."""
        root_path = self.instance_path if instance_relative else self.root_path
        return self.config_class(root_path, {**self.default_config, "DEBUG": get_debug_flag()})

    def make_aborter(self) -> Aborter:
        """Make :attr:`aborter`."""
        return self.aborter_class()

    def auto_find_instance_path(self) -> str:
        """Find the instance folder from where the application's module or package is."""
        return paths.auto_find_instance_path(self.import_name, self.name)

    def open_instance_resource(
        self, resource: str, mode: str = "rb", encoding: str | None = "utf-8"
    ) -> IO[Any]:
        """Open a file in the instance folder, to read or to write."""
        return files.open_instance_resource(self.instance_path, resource, mode, encoding)

    # Templates ------------------------------------------------------------------------

    def create_jinja_environment(self) -> Environment:
        """Make the Jinja environment; override it to change one as a whole."""
        from . import templating  # noqa: PLC0415 -- start-up time

        return templating.create_jinja_environment(self)

    def create_global_jinja_loader(self) -> DispatchingJinjaLoader:
        """Make the loader that searches the application's folder, then the blueprints'."""
        from . import templating  # noqa: PLC0415 -- start-up time

        return templating.DispatchingJinjaLoader(self)

    def select_jinja_autoescape(self, filename: str | None) -> bool:
        """Tell whether values are escaped in a template: those of HTML, XML and SVG."""
        from . import templating  # noqa: PLC0415 -- start-up time

        return templating.select_jinja_autoescape(filename)

    def update_template_context(self, *args: Any, **kwargs: Any) -> None:
        """Add what context processors give to a template's values, in place.

        Takes the values, or as in Flask 3.2 ``ctx`` and the values.
        """
        context: dict[str, Any] = kwargs["context"] if kwargs else args[-1]
        from . import templating  # noqa: PLC0415 -- start-up time

        templating.update_template_context(self, context)

    @named_decorator
    def template_filter(self, f: Any, name: str | None) -> None:
        """Decorate a filter for templates, named after the function or as given.

        @app.template_filter
        def reverse(text): return text[::-1]
        """
        self.add_template_filter(f, name)

    @setupmethod
    def add_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a filter for templates."""
        self.jinja_env.filters[name or f.__name__] = f

    @named_decorator
    def template_test(self, f: Any, name: str | None) -> None:
        """Decorate a test for templates, named after the function or as given."""
        self.add_template_test(f, name)

    @setupmethod
    def add_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a test for templates."""
        self.jinja_env.tests[name or f.__name__] = f

    @named_decorator
    def template_global(self, f: Any, name: str | None) -> None:
        """Decorate a function for templates, named after the function or as given."""
        self.add_template_global(f, name)

    @setupmethod
    def add_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a function for templates."""
        self.jinja_env.globals[name or f.__name__] = f

    # Registration ---------------------------------------------------------------------

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint.

        ``url_prefix``, ``subdomain``, ``url_defaults``, ``cli_group`` replace what it says
        itself, ``name`` registers it under another name, as for a second time.
        """
        blueprint.register(self, options)

    def iter_blueprints(self) -> ValuesView[Blueprint]:
        """Return the blueprints in the order they were registered in."""
        return self.blueprints.values()

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        if endpoint is None:
            endpoint = endpoint_from_view(view_func)
        methods = options.pop("methods", None)
        if methods is None:
            methods = getattr(view_func, "methods", None) or ("GET",)
        added = url_map.make_rule(
            self, rule, endpoint, view_func, methods, provide_automatic_options, options
        )
        if view_func is not None:
            known = self.view_functions.get(endpoint)
            if known is not None and known != view_func:
                raise AssertionError(
                    "View function mapping is overwriting an existing endpoint function:"
                    f" {endpoint}. Give one of the two another 'endpoint'."
                )
        self.url_map.add(added)
        if view_func is not None:
            self.view_functions[endpoint] = view_func

    @setupmethod
    def teardown_appcontext(self, f: T_teardown) -> T_teardown:
        """Call ``f`` when an application context is left, with the error or None.

        That is at the end of each request and of each command.
        """
        self.teardown_appcontext_funcs.append(f)
        return f

    @setupmethod
    def shell_context_processor(self, f: T_shell_context_processor) -> T_shell_context_processor:
        """Add the dict that ``f`` returns to the names of ``brim shell``."""
        self.shell_context_processors.append(f)
        return f

    def make_shell_context(self) -> dict[str, Any]:
        """Return the names that ``brim shell`` begins with."""
        names: dict[str, Any] = {"app": self, "g": g}
        for processor in self.shell_context_processors:
            names.update(processor())
        return names

    # URLs -----------------------------------------------------------------------------

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the URL map to a request, or to ``SERVER_NAME`` outside one.

        Returns None outside a request if ``SERVER_NAME`` isn't set. Raises
        ``SecurityError`` (400) for a host that ``TRUSTED_HOSTS`` doesn't name.
        """
        return url_map.create_adapter(self, request)

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        """Complete the values that a URL is built with, in place."""
        urls.inject_defaults(self, endpoint, values)

    def handle_url_build_error(
        self, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Ask :attr:`url_build_error_handlers` for a URL; raise the error without one."""
        return urls.handle_build_error(self, error, endpoint, values)

    def url_for(
        self,
        /,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        _external: bool | None = None,
        **values: Any,
    ) -> str:
        """Build the URL of an endpoint.

        ``values`` fill the rule's variables, and the query string with what is left. In a
        request ``endpoint`` may begin with a dot for the current blueprint's, and the URL
        is without scheme and host unless ``_external`` or ``_scheme`` say otherwise.

        Raises ``werkzeug.routing.BuildError`` if no rule takes the values, and
        ``RuntimeError`` outside a request if ``SERVER_NAME`` isn't set.
        """
        return urls.url_for(self, endpoint, _anchor, _method, _scheme, _external, values)

    def redirect(self, location: str, code: int | None = None) -> BaseResponse:
        """Make a redirect; :func:`~brim.redirect` calls this.

        ``code``: by default the setting ``REDIRECT_CODE`` (302).
        """
        status: int = self.config.get("REDIRECT_CODE", 302) if code is None else code
        return _werkzeug_redirect(location, code=status, Response=self.response_class)

    # Contexts, doors, tools -----------------------------------------------------------

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function callable from sync code: coroutine functions are wrapped."""
        if isinstance(func, bridge.Synced) or not bridge.is_async(func):
            return func
        return self.async_to_sync(func)

    def async_to_sync(self, func: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """Wrap a coroutine function: calls wait for it on the process's event loop."""
        return bridge.Synced(func)

    def app_context(self) -> AppContext:
        """Make a context for work outside a request, to be used with ``with``."""
        return AppContext(self)

    def request_context(self, environ: WSGIEnvironment) -> RequestContext:
        """Make the context of a request from its WSGI environ."""
        return RequestContext(self, environ)

    def test_request_context(self, *args: Any, **kwargs: Any) -> RequestContext:
        """Make the context of a request that nobody sent, to try things in.

        Arguments are those of :class:`brim.testing.EnvironBuilder`.

            with app.test_request_context("/user/42"):
                assert request.endpoint == "user"
        """
        from .testing import EnvironBuilder  # noqa: PLC0415 -- not needed to serve

        builder = EnvironBuilder(self, *args, **kwargs)
        try:
            return self.request_context(builder.get_environ())
        finally:
            builder.close()

    def test_client(self, use_cookies: bool = True, **kwargs: Any) -> FlaskClient:
        """Make a client that sends requests to the application without a server.

        Other arguments go to :attr:`test_client_class`: ``door="asgi"`` for a client whose
        requests come as from an ASGI server.
        """
        from .testing import FlaskClient  # noqa: PLC0415 -- not needed to serve

        cls = self.test_client_class or FlaskClient
        return cls(self, self.response_class, use_cookies=use_cookies, **kwargs)

    def async_test_client(self, use_cookies: bool = True, **kwargs: Any) -> AsyncFlaskClient:
        """Make a client whose requests are awaited, for tests that are coroutines.

            response = await app.async_test_client().get("/")

        The application answers on the running event loop. Arguments are those of
        :meth:`test_client`, whose :attr:`test_client_class` makes the requests.
        """
        from .testing import AsyncFlaskClient  # noqa: PLC0415 -- not needed to serve

        return AsyncFlaskClient(self.test_client(use_cookies, **kwargs))

    def test_cli_runner(self, **kwargs: Any) -> FlaskCliRunner:
        """Make a runner that invokes commands; arguments go to its class."""
        from .testing import FlaskCliRunner  # noqa: PLC0415 -- not needed to serve

        cls = self.test_cli_runner_class or FlaskCliRunner
        return cls(self, **kwargs)

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        load_dotenv: bool = True,
        **options: Any,
    ) -> None:
        """Serve the application with the development server; not for production.

        ``host`` and ``port``: by default those of ``SERVER_NAME``, or 127.0.0.1:5000.
        ``debug`` turns on debug mode with reloader and debugger. Other options are those of
        ``werkzeug.serving.run_simple``. Under ``brim run`` this does nothing.
        """
        from . import devserver  # noqa: PLC0415 -- not needed to serve in production

        devserver.run(self, host, port, debug, load_dotenv=load_dotenv, **options)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application proper, to be wrapped in middleware.

            app.wsgi_app = ProxyFix(app.wsgi_app)

        What is put here answers under ASGI as well.
        """
        return wsgi.serve(self, environ, start_response)

    @made_anew
    def asgi_app(self) -> ASGIApplication:
        """The ASGI application proper, to be wrapped in middleware or named to a server.

        app.asgi_app = SentryAsgiMiddleware(app.asgi_app)
        """
        # Of use to ASGI servers alone, and it brings in asyncio.
        from .doors.asgi import Door  # noqa: PLC0415

        return Door(self)

    def _log_error(self, message: str, *args: Any, exc_info: Any) -> None:
        # From here the record is the application's: "ERROR in app" is what people search for.
        self.logger.error(message, *args, exc_info=exc_info)

    @overload
    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse, /
    ) -> Iterable[bytes]: ...
    @overload
    def __call__(
        self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend
    ) -> Coroutine[Any, Any, None]: ...
    def __call__(self, scope: Any, receive: Any, send: Any = None) -> Any:
        # Named as ASGI has them, as Daphne gives them by name.
        if send is not None:
            return doors.serve_asgi(self, scope, receive, send)
        if isinstance(scope, dict):
            return self.wsgi_app(scope, receive)  # pyright: ignore[reportUnknownArgumentType]
        raise TypeError(NOT_RSGI)


gone.explain(Flask, gone.OF_APPS)
_CALL = Flask.__call__
_ORIGINALS = {name: getattr(Flask, name) for name in _METHODS}
