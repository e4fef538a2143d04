"""Jinja for an app: environment, loaders, and functions that render.

What a template sees, where it is looked for and when it is compiled is decided here.
Which folders hold templates is not (apps and blueprints say that), nor how Jinja works.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any, cast

from jinja2 import BaseLoader, Template, TemplateNotFound
from jinja2 import Environment as BaseEnvironment
from jinja2.runtime import new_context
from jinja2.utils import LRUCache

from .ctx import _cv_ctx, current_ctx
from .globals import g, request, session
from .helpers import _default_template_ctx_processor as _default_template_ctx_processor
from .helpers import get_flashed_messages
from .signals import before_render_template, template_rendered
from .streams import keep_request
from .wrappers import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .typing import AppContext, Flask, Scaffold

    #: What a loader returns: the source, its file, and whether that is up to date.
    Source = tuple[str, str | None, Callable[[], bool] | None]

#: Compiled strings that an environment keeps. A program renders few different ones,
#: unless it puts values into them, and then none is worth keeping.
STRING_CACHE_SIZE = 128

_ESCAPED_SUFFIXES = (".html", ".htm", ".xml", ".xhtml", ".svg")


class Environment(BaseEnvironment):
    """A Jinja environment that knows its app, and so its blueprints."""

    #: The compiled strings, and the state of the environment that they hold for.
    _strings: tuple[LRUCache, dict[str, Any]] | None = None

    def __init__(self, app: Flask, **options: Any) -> None:
        if "loader" not in options:
            options["loader"] = app.create_global_jinja_loader()
        super().__init__(**options)
        self.app = app

    def string_template(self, source: str) -> Template:
        """Return ``source`` compiled, as ``from_string`` does, and keep it.

        Only while nothing has changed that compiling depends on: filters, tests,
        extensions, policies, and every attribute of the environment.

        PERF: compiling is most of what rendering a string costs; comparing the state
        is a hundredth of it. Measured by benchmarks/bench_templating.py.
        """
        if (
            type(source) is not str
            or type(self).from_string is not BaseEnvironment.from_string
            or "from_string" in vars(self)
        ):
            return self.from_string(source)

        strings = self._strings
        if strings is None or vars(self) != strings[1]:
            strings = self._strings = (LRUCache(STRING_CACHE_SIZE), {})
            # Filled only now, as "_strings" is an attribute too.
            strings[1].update(self._state())
        # An app's own rule for escaping may look at more than the name.
        escape = self.autoescape
        key = (source, escape(None) if callable(escape) else escape)
        template: Template | None = strings[0].get(key)
        if template is None:
            template = strings[0][key] = self.from_string(source)
        return template

    def _state(self) -> dict[str, Any]:
        """Return the attributes, with copies of those that are changed in place."""
        state = dict(vars(self))
        # Globals are looked up when a template is rendered; all else is compiled in.
        for name in ("filters", "tests", "policies", "extensions"):
            state[name] = dict(state[name])
        return state


class DispatchingJinjaLoader(BaseLoader):
    """A loader that asks the app's loader, then its blueprints' in order.

    With the setting ``EXPLAIN_TEMPLATE_LOADING`` it asks them all, and logs what each
    one answered.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app

    def get_source(self, environment: BaseEnvironment, template: str) -> Source:
        """Return the first loader's answer, or raise ``TemplateNotFound``."""
        if self.app.config["EXPLAIN_TEMPLATE_LOADING"]:
            return self._get_source_explained(environment, template)
        for _, loader in self._iter_loaders(template):
            try:
                return loader.get_source(environment, template)
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)

    def list_templates(self) -> list[str]:
        """Return the names of the app's and its blueprints' templates, sorted."""
        return sorted(
            {name for _, loader in self._own_loaders() for name in loader.list_templates()}
        )

    def _iter_loaders(self, template: str) -> Iterator[tuple[Scaffold, BaseLoader]]:
        # Subclasses override it to ask in another order.
        return self._own_loaders()

    def _own_loaders(self) -> Iterator[tuple[Scaffold, BaseLoader]]:
        owners: list[Scaffold] = [self.app, *self.app.iter_blueprints()]
        for owner in owners:
            loader = owner.jinja_loader
            if loader is not None:
                yield owner, loader

    def _get_source_explained(self, environment: BaseEnvironment, template: str) -> Source:
        attempts: list[tuple[Scaffold, BaseLoader, Source | None]] = []
        for owner, loader in self._iter_loaders(template):
            try:
                found: Source | None = loader.get_source(environment, template)
            except TemplateNotFound:
                found = None
            attempts.append((owner, loader, found))

        self.app.logger.info(_explain(self.app, template, attempts))
        for _, _, found in attempts:
            if found is not None:
                return found
        raise TemplateNotFound(template)


def create_jinja_environment(app: Flask) -> Environment:
    """Make the Jinja environment of an app: an ``app.jinja_environment``.

    It takes ``app.jinja_options``. Unless they say otherwise, escaping is decided by
    ``app.select_jinja_autoescape`` and reloading by the setting
    ``TEMPLATES_AUTO_RELOAD``, or else by debug mode.
    """
    options = dict(app.jinja_options)
    options.setdefault("autoescape", app.select_jinja_autoescape)
    if "auto_reload" not in options:
        reload = app.config["TEMPLATES_AUTO_RELOAD"]
        options["auto_reload"] = app.debug if reload is None else reload

    env = app.jinja_environment(app, **options)
    # Jinja's annotations know its own globals only.
    names: dict[str, Any] = cast("dict[str, Any]", env.globals)
    names.update(
        url_for=app.url_for,
        get_flashed_messages=get_flashed_messages,
        config=app.config,
        # Imported templates see globals only, so what lasts for one request is here
        # as proxies. Templates that don't mention the session never open it.
        request=request,
        session=session,
        g=g,
    )
    env.policies["json.dumps_function"] = app.json.dumps
    return env


def select_jinja_autoescape(filename: str | None) -> bool:
    """Say whether a template's values are escaped for HTML.

    Yes for strings (``None``), and for files that end in ``.html``, ``.htm``, ``.xml``,
    ``.xhtml`` or ``.svg``, in lower case.
    """
    return filename is None or filename.endswith(_ESCAPED_SUFFIXES)


class Contexts:
    """What completes the values of an application's templates, until it changes."""

    __slots__ = ("_by_blueprint", "overridden", "own_blueprints")

    def __init__(self, app: Flask) -> None:
        name = "update_template_context"
        found = getattr(getattr(app, name), "__func__", None)
        #: Whether the application does it in its own way.
        self.overridden = found is not app._engine.originals[name]
        #: Whether its requests have their own idea of their blueprints.
        self.own_blueprints = app.request_class.blueprints is not Request.blueprints
        self._by_blueprint: dict[tuple[str, ...], tuple[Callable[[], Any], ...]] = {}

    def processors(self, app: Flask, ctx: AppContext | None) -> tuple[Callable[[], Any], ...]:
        """Return the processors for what is current, the application's first."""
        request_ctx = None if ctx is None else ctx.request_ctx
        if request_ctx is None:
            inner_first: tuple[str, ...] = ()
        else:
            made = request_ctx._made
            if not self.own_blueprints and (made is None or made.url_rule is request_ctx.url_rule):
                inner_first = app._engine.plan_of(request_ctx).blueprints
            else:
                inner_first = tuple(request_ctx.request.blueprints)
        try:
            return self._by_blueprint[inner_first]
        except KeyError:
            table = app.template_context_processors
            found = tuple(
                app.ensure_sync(processor)
                for name in (None, *reversed(inner_first))
                # Not table[name]: that would add an empty list for each name.
                for processor in table.get(name, ())
            )
            self._by_blueprint[inner_first] = found
            return found


def _contexts(app: Flask) -> Contexts:
    # PERF: which processors there are, and that they are sync, is found once and not at
    #   each rendering; benchmarks/bench_templating.py.
    compiled = app._engine._compiled
    contexts = compiled.contexts
    if contexts is None:
        contexts = compiled.contexts = Contexts(app)
    return contexts


def update_template_context(app: Flask, context: dict[str, Any]) -> None:
    """Add to ``context`` what the app's and the blueprint's processors give.

    The app's processors run first, then those of the request's blueprint, an outer one
    before an inner one; a later value replaces an earlier one. Values that are in
    ``context`` already win over all of them.
    """
    given = context.copy()
    for processor in _contexts(app).processors(app, _cv_ctx.get(None)):
        context.update(processor())
    context.update(given)


def render_template(
    template_name_or_list: str | Template | list[str | Template], **context: Any
) -> str:
    """Render a template by name and return the text.

    Of a list of names, the first that exists is rendered. ``context`` holds the values
    the template sees, besides those of context processors.

    Raises ``jinja2.TemplateNotFound``, ``TemplatesNotFound`` for a list, and
    ``RuntimeError`` where no app is current.

    >>> render_template("user.html", user=user)  # doctest: +SKIP
    """
    app = current_ctx().app
    template = app.jinja_env.get_or_select_template(template_name_or_list)
    return _render(app, template, context)


def render_template_string(source: str, **context: Any) -> str:
    """Render a template that is given as a string, with values escaped.

    Never put values into ``source`` yourself: a client's text would be run as a
    template. Pass them as ``context``; the string is then also compiled only once.

    >>> render_template_string("Hello, {{ name }}!", name="<you>")  # doctest: +SKIP
    'Hello, &lt;you&gt;!'
    """
    app = current_ctx().app
    return _render(app, _from_string(app, source), context)


def stream_template(
    template_name_or_list: str | Template | list[str | Template], **context: Any
) -> Iterator[str]:
    """Render a template by name, piece by piece.

    The template is found and its context made at once; the text is rendered as the
    iterator is read, in the current request's context if there is one. Return it from a
    view to send the first pieces before the last are rendered.
    """
    app = current_ctx().app
    template = app.jinja_env.get_or_select_template(template_name_or_list)
    return _stream(app, template, context)


def stream_template_string(source: str, **context: Any) -> Iterator[str]:
    """Render a template that is given as a string, piece by piece.

    See ``stream_template`` and ``render_template_string``.
    """
    app = current_ctx().app
    return _stream(app, _from_string(app, source), context)


def _from_string(app: Flask, source: str) -> Template:
    # Annotated as it mostly is; an app may use any class of environments of Jinja's.
    env: Any = app.jinja_env
    template: Template = (
        env.string_template(source) if isinstance(env, Environment) else env.from_string(source)
    )
    return template


def _render(app: Flask, template: Template, context: dict[str, Any]) -> str:
    _complete(app, context)
    if before_render_template.receivers:
        _announce(before_render_template, app, template, context)
    text = _text_of(template, context)
    if template_rendered.receivers:
        _announce(template_rendered, app, template, context)
    return text


def _complete(app: Flask, context: dict[str, Any]) -> None:
    if _contexts(app).overridden:
        app.update_template_context(context)
    else:
        update_template_context(app, context)


# As Jinja defines it; agents that measure replace it, before or after this line.
_RENDER: Any = Template.render
_RENDERS_ITSELF = getattr(_RENDER, "__globals__", {}).get("__name__") == "jinja2.environment"
_CHAIN: Any = ChainMap
_MAKE_GLOBALS: Any = vars(BaseEnvironment)["make_globals"]


def _text_of(template: Template, context: dict[str, Any]) -> str:
    """Return ``template.render(context)``.

    PERF: Jinja joins the globals by a ``ChainMap``, key by key, for each rendering. A
    template that has none of its own sees those of its environment as they are;
    benchmarks/bench_templating.py.
    """
    env: Any = template.environment
    chain: Any = template.globals
    if not (
        _RENDERS_ITSELF
        and type(template) is Template
        and Template.render is _RENDER
        and "render" not in vars(template)
        and getattr(env.make_globals, "__func__", None) is _MAKE_GLOBALS
        and not env.is_async
        and type(chain) is _CHAIN
        and len(chain.maps) == 2
        and chain.maps[1] is env.globals
        and not chain.maps[0]
    ):
        return template.render(context)
    values = new_context(env, template.name, template.blocks, context, False, env.globals)
    try:
        text: str = env.concat(template.root_render_func(values))
    except Exception:
        # Raises it, with the template's lines in its traceback.
        env.handle_exception()
        raise
    return text


def _stream(app: Flask, template: Template, context: dict[str, Any]) -> Iterator[str]:
    _complete(app, context)
    _announce(before_render_template, app, template, context)

    def pieces() -> Iterator[str]:
        yield from template.generate(context)
        _announce(template_rendered, app, template, context)

    ctx = _cv_ctx.get(None)
    if ctx is None or ctx.request_ctx is None:
        return pieces()
    return keep_request(ctx.request_ctx, pieces())


def _announce(signal: Any, app: Flask, template: Template, context: dict[str, Any]) -> None:
    if signal.receivers:
        signal.send(app, _async_wrapper=app.ensure_sync, template=template, context=context)


def _explain(
    app: Flask, template: str, attempts: list[tuple[Scaffold, BaseLoader, Source | None]]
) -> str:
    """Return an account of where a template was looked for, for the log."""
    lines = [f"Locating template {template!r}:"]
    for number, (owner, loader, found) in enumerate(attempts, 1):
        if owner is app:
            whose = f"application {app.import_name!r}"
        else:
            whose = f"blueprint {owner.name!r} ({owner.import_name})"
        lines.append(f"{number:>5}: trying loader of {whose}")
        lines.extend(f"       {line}" for line in _describe_loader(loader))
        if found is None:
            lines.append("       -> no match")
        else:
            lines.append(f"       -> found ({found[1] or '<string>'!r})")

    matches = sum(found is not None for _, _, found in attempts)
    if matches == 0:
        lines.append("Error: the template could not be found.")
    elif matches > 1:
        lines.append("Warning: several loaders have this template; the first one's is used.")

    ctx = _cv_ctx.get(None)
    request_ctx = None if ctx is None else ctx.request_ctx
    blueprint = None if request_ctx is None else request_ctx.request.blueprint
    if blueprint is not None and matches != 1:
        lines += [
            f"  It was looked up from an endpoint that belongs to the blueprint {blueprint!r}.",
            "  Is it in that blueprint's template folder, and under a name that no other"
            " folder has?",
            "  See https://flask.palletsprojects.com/blueprints/#templates",
        ]
    return "\n".join(lines)


def _describe_loader(loader: BaseLoader) -> Iterator[str]:
    """Yield lines that tell a loader's class and plain public attributes."""
    yield f"class: {type(loader).__module__}.{type(loader).__name__}"
    attributes: list[tuple[str, object]] = sorted(vars(loader).items())
    for name, value in attributes:
        if name.startswith("_"):
            continue
        if isinstance(value, (str, int, float)):
            yield f"{name}: {value!r}"
        elif isinstance(value, (list, tuple)):
            items = cast("Sequence[object]", value)
            if all(isinstance(item, str) for item in items):
                yield f"{name}:"
                yield from (f"  - {item}" for item in items)
