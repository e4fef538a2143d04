"""Blueprints: registrations that are recorded, and played back on an application.

A blueprint never runs anything of a request; the application it was registered on does.
"""

from __future__ import annotations

import os
from collections import defaultdict
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from . import gone
from .names import endpoint_from_view
from .registry import Scaffold, named_decorator, setupmethod

if TYPE_CHECKING:
    from collections.abc import Callable

    from .registry import (
        T_after_request,
        T_after_websocket,
        T_before_request,
        T_context_processor,
        T_error_handler,
        T_teardown,
        T_url_defaults,
        T_url_value_preprocessor,
    )
    from .typing import Flask, Response, RouteCallable

F = TypeVar("F", bound="Callable[..., Any]")
DeferredSetupFunction: TypeAlias = "Callable[[BlueprintSetupState], None]"

_named_after_blueprint: Any = object()


class BlueprintSetupState:
    """One registration of a blueprint on an application; what recorded functions get."""

    def __init__(
        self, blueprint: Blueprint, app: Flask, options: Any, first_registration: bool
    ) -> None:
        #: The application.
        self.app = app
        #: The blueprint.
        self.blueprint = blueprint
        #: The options of ``register_blueprint``.
        self.options = options
        #: Whether the blueprint is on this application for the first time.
        self.first_registration = first_registration
        subdomain = options.get("subdomain")
        #: The subdomain of the rules, unless they name one.
        self.subdomain = blueprint.subdomain if subdomain is None else subdomain
        url_prefix = options.get("url_prefix")
        #: What all the rules' URLs begin with.
        self.url_prefix = blueprint.url_prefix if url_prefix is None else url_prefix
        self.name = options.get("name", blueprint.name)
        self.name_prefix = options.get("name_prefix", "")
        #: Values of variables, for all the rules.
        self.url_defaults = {
            **blueprint.url_values_defaults,
            **dict(options.get("url_defaults", ())),
        }

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        **options: Any,
    ) -> None:
        """Add a rule to the application, below the blueprint's prefix and name."""
        if self.url_prefix is not None:
            prefix = self.url_prefix
            rule = f"{prefix.rstrip('/')}/{rule.lstrip('/')}" if rule else prefix
        options.setdefault("subdomain", self.subdomain)
        if endpoint is None:
            endpoint = endpoint_from_view(view_func)
        own_defaults: dict[str, Any] = options.pop("defaults", None) or {}
        defaults = {**self.url_defaults, **own_defaults}
        self.app.add_url_rule(
            rule,
            f"{self.name_prefix}.{self.name}.{endpoint}".lstrip("."),
            view_func,
            defaults=defaults,
            **options,
        )


class Blueprint(Scaffold):
    """A part of an application: views, hooks, templates and files under one name.

    ``name``: what its endpoints begin with, without dots. ``import_name``: ``__name__``.
    ``url_prefix``, ``subdomain``, ``url_defaults``: for all its rules, unless
    :meth:`~brim.Flask.register_blueprint` says otherwise. ``cli_group``: the name of the
    group its commands are in, by default its own; None puts them at the top.

        bp = Blueprint("shop", __name__, url_prefix="/shop")
        app.register_blueprint(bp)
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | None = _named_after_blueprint,
    ) -> None:
        super().__init__(
            import_name=import_name,
            static_folder=static_folder,
            static_url_path=static_url_path,
            template_folder=template_folder,
            root_path=root_path,
        )
        if not name:
            raise ValueError("A blueprint's 'name' may not be empty.")
        if "." in name:
            raise ValueError(
                f"A blueprint's 'name' may not contain a dot: {name!r}. Dots are for nesting."
            )
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[Callable[[BlueprintSetupState], None]] = []
        self.url_values_defaults: dict[str, Any] = {} if url_defaults is None else url_defaults
        self.cli_group = cli_group
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            self._refuse_setup(
                f_name,
                f"blueprint '{self.name}'",
                "It has already been registered on an application, which would not see the change.",
            )

    # Recording ------------------------------------------------------------------------

    @setupmethod
    def record(self, func: Callable[[BlueprintSetupState], None]) -> None:
        """Call ``func`` with the state of each registration."""
        self.deferred_functions.append(func)

    @setupmethod
    def record_once(self, func: Callable[[BlueprintSetupState], None]) -> None:
        """Call ``func`` at the first registration on each application only."""

        def once(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(once, func))

    def _record_app(self, table: str, f: F) -> F:
        """Record that ``f`` goes into one of the application's tables, for all requests."""
        self.record_once(lambda state: getattr(state.app, table).setdefault(None, []).append(f))
        return f

    def make_setup_state(
        self, app: Flask, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """Make the object that recorded functions get; override it for one of your own."""
        return BlueprintSetupState(self, app, options, first_registration)

    @setupmethod
    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Nest a blueprint in this one; options as for the application's method."""
        if blueprint is self:
            raise ValueError("Cannot register a blueprint on itself.")
        self._blueprints.append((blueprint, options))

    # Registration ---------------------------------------------------------------------

    def register(self, app: Flask, options: dict[str, Any]) -> None:
        """Play everything back on ``app``; called by ``app.register_blueprint``."""
        own_name = options.get("name", self.name)
        name = f"{options.get('name_prefix', '')}.{own_name}".lstrip(".")
        if name in app.blueprints:
            which = "this" if app.blueprints[name] is self else "a different"
            also = f" as '{name}'" if own_name != name else ""
            raise ValueError(
                f"The name '{own_name}' is already registered for {which} blueprint{also}."
                " Use 'name=' to provide a unique name."
            )
        first = not any(known is self for known in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                view_func=self.send_static_file,
                endpoint="static",
            )
        self._merge_blueprint_funcs(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        self._register_commands(app, name, options)
        for blueprint, nested_options in self._blueprints:
            blueprint.register(app, _nest(state, name, blueprint, nested_options))

    def send_static_file(self, filename: str) -> Response:
        """Answer with a file of the static folder; the view of the static route."""
        return super().send_static_file(filename)

    # Extensions are told of it by Flask's name: csrf.exempt("flask.blueprints.send_static_file").
    send_static_file.__module__ = "flask.blueprints"

    def _register_commands(self, app: Flask, name: str, options: dict[str, Any]) -> None:
        if "cli" not in vars(self) or not self.cli.commands:
            return
        group = options.get("cli_group", self.cli_group)
        if group is None:
            app.cli.commands.update(self.cli.commands)
            return
        self.cli.name = name if group is _named_after_blueprint else group
        app.cli.add_command(self.cli)

    def _merge_blueprint_funcs(self, app: Flask, name: str) -> None:
        def named(key: str | None) -> str:
            return name if key is None else f"{name}.{key}"

        for table in (
            "before_request_funcs",
            "after_request_funcs",
            "teardown_request_funcs",
            "before_websocket_funcs",
            "after_websocket_funcs",
            "teardown_websocket_funcs",
            "url_default_functions",
            "url_value_preprocessors",
            "template_context_processors",
        ):
            merged = getattr(app, table)
            for key, functions in getattr(self, table).items():
                merged[named(key)].extend(functions)
        for key, by_code in self.error_handler_spec.items():
            copied: defaultdict[int | None, dict[Any, Any]] = defaultdict(dict)
            copied.update({code: dict(handlers) for code, handlers in by_code.items()})
            app.error_handler_spec[named(key)] = copied
        app.view_functions.update(self.view_functions)

    @setupmethod
    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Record a rule; see :meth:`brim.Flask.add_url_rule`."""
        if endpoint and "." in endpoint:
            raise ValueError(f"'endpoint' may not contain a dot '.' character: {endpoint!r}.")
        view_name = getattr(view_func, "__name__", "")
        if view_func is not None and "." in view_name:
            raise ValueError(f"'view_func' name may not contain a dot '.': {view_name!r}.")
        self.record(
            lambda state: state.add_url_rule(
                rule,
                endpoint,
                view_func,
                provide_automatic_options=provide_automatic_options,
                **options,
            )
        )

    # For the whole application --------------------------------------------------------

    def _jinja(self, table: str, f: Any, name: str | None) -> None:
        def add(state: BlueprintSetupState) -> None:
            getattr(state.app.jinja_env, table)[name or f.__name__] = f

        self.record_once(add)

    @named_decorator
    def app_template_filter(self, f: Any, name: str | None) -> None:
        """Decorate a filter for all templates; see :meth:`brim.Flask.template_filter`."""
        self.add_app_template_filter(f, name)

    @setupmethod
    def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a filter for all templates."""
        self._jinja("filters", f, name)

    @named_decorator
    def app_template_test(self, f: Any, name: str | None) -> None:
        """Decorate a test for all templates; see :meth:`brim.Flask.template_test`."""
        self.add_app_template_test(f, name)

    @setupmethod
    def add_app_template_test(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a test for all templates."""
        self._jinja("tests", f, name)

    @named_decorator
    def app_template_global(self, f: Any, name: str | None) -> None:
        """Decorate a global of all templates; see :meth:`brim.Flask.template_global`."""
        self.add_app_template_global(f, name)

    @setupmethod
    def add_app_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """Add a global for all templates."""
        self._jinja("globals", f, name)

    @setupmethod
    def before_app_request(self, f: T_before_request) -> T_before_request:
        """Like :meth:`before_request`, for every request of the application."""
        return self._record_app("before_request_funcs", f)

    @setupmethod
    def after_app_request(self, f: T_after_request) -> T_after_request:
        """Like :meth:`after_request`, for every request of the application."""
        return self._record_app("after_request_funcs", f)

    @setupmethod
    def teardown_app_request(self, f: T_teardown) -> T_teardown:
        """Like :meth:`teardown_request`, for every request of the application."""
        return self._record_app("teardown_request_funcs", f)

    @setupmethod
    def before_app_websocket(self, f: T_before_request) -> T_before_request:
        """Like :meth:`before_websocket`, for every WebSocket of the application."""
        return self._record_app("before_websocket_funcs", f)

    @setupmethod
    def after_app_websocket(self, f: T_after_websocket) -> T_after_websocket:
        """Like :meth:`after_websocket`, for every WebSocket of the application."""
        return self._record_app("after_websocket_funcs", f)

    @setupmethod
    def teardown_app_websocket(self, f: T_teardown) -> T_teardown:
        """Like :meth:`teardown_websocket`, for every WebSocket of the application."""
        return self._record_app("teardown_websocket_funcs", f)

    @setupmethod
    def app_context_processor(self, f: T_context_processor) -> T_context_processor:
        """Like :meth:`context_processor`, for all templates."""
        return self._record_app("template_context_processors", f)

    @setupmethod
    def app_url_value_preprocessor(self, f: T_url_value_preprocessor) -> T_url_value_preprocessor:
        """Like :meth:`url_value_preprocessor`, for every request of the application."""
        return self._record_app("url_value_preprocessors", f)

    @setupmethod
    def app_url_defaults(self, f: T_url_defaults) -> T_url_defaults:
        """Like :meth:`url_defaults`, for every URL of the application."""
        return self._record_app("url_default_functions", f)

    @setupmethod
    def app_errorhandler(
        self, code: type[Exception] | int
    ) -> Callable[[T_error_handler], T_error_handler]:
        """Like :meth:`errorhandler`, for every request of the application."""

        def decorator(f: T_error_handler) -> T_error_handler:
            self.record_once(lambda state: state.app.register_error_handler(code, f))
            return f

        return decorator


def _nest(
    state: BlueprintSetupState, name: str, blueprint: Blueprint, options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options to register a nested blueprint with: below its parent's."""
    options = options.copy()
    subdomain = options.get("subdomain")
    if subdomain is None:
        subdomain = blueprint.subdomain
    subdomains = [part for part in (subdomain, state.subdomain) if part is not None]
    if subdomains:
        options["subdomain"] = ".".join(subdomains)
    url_prefix = options.get("url_prefix")
    if url_prefix is None:
        url_prefix = blueprint.url_prefix
    if state.url_prefix is not None and url_prefix is not None:
        options["url_prefix"] = f"{state.url_prefix.rstrip('/')}/{url_prefix.lstrip('/')}"
    elif url_prefix is not None or state.url_prefix is not None:
        options["url_prefix"] = url_prefix if state.url_prefix is None else state.url_prefix
    options["name_prefix"] = name
    return options


gone.explain(Blueprint, gone.OF_BLUEPRINTS)
