"""The alias: once this file is imported, ``import flask`` means Brim.

Here lives how Flask's module names are answered, and nothing that has behaviour of its
own. Loading it loads nothing else of Brim's and nothing that a bare interpreter could do
without, so that gevent can still patch the process afterwards; whatever the finder needs
later is imported inside the function that needs it.

It is also a pytest plugin. PYTEST_DONT_REWRITE: it holds no assertion, and without this
word pytest complains where a ``sitecustomize`` has imported it before.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.abc import Loader
    from importlib.metadata import Distribution, DistributionFinder
    from types import CodeType, ModuleType
else:
    # importlib.abc brings in a dozen modules; the import system asks for methods only.
    Loader = object

#: Flask's modules that no file of Brim's answers: each name, and where Brim has it.
#: An app or a blueprint is one class in Brim, with or without I/O.
_TABLES: dict[str, dict[str, str]] = {
    "flask.debughelpers": {
        "DebugFilesKeyError": "brim.errors",
        "FormDataRoutingRedirect": "brim.errors",
        "UnexpectedUnicodeError": "brim.errors",
    },
    "flask.sansio": {},
    "flask.sansio.app": {
        "App": "brim.app:Flask",
        "Config": "brim.config",
        "ConfigAttribute": "brim.config",
        "DispatchingJinjaLoader": "brim.templating",
        "DefaultJSONProvider": "brim.json.provider",
        "Environment": "brim.templating",
        "Response": "werkzeug.sansio.response",
        "cached_property": "werkzeug.utils",
        "JSONProvider": "brim.json.provider",
        "Scaffold": "brim.registry",
        "create_logger": "brim.logging",
        "find_package": "brim.paths",
        "get_debug_flag": "brim.helpers",
        "setupmethod": "brim.registry",
        **dict.fromkeys(("Aborter", "BadRequest", "BadRequestKeyError"), "werkzeug.exceptions"),
        **dict.fromkeys(("BuildError", "Map", "Rule"), "werkzeug.routing"),
    },
    "flask.sansio.blueprints": {
        "Blueprint": "brim.blueprints",
        "BlueprintSetupState": "brim.blueprints",
        "Scaffold": "brim.registry",
        "setupmethod": "brim.registry",
    },
    "flask.sansio.scaffold": {
        "HTTPException": "werkzeug.exceptions",
        "Scaffold": "brim.registry",
        "_default_template_ctx_processor": "brim.templating",
        "_endpoint_from_view_func": "brim.names:endpoint_from_view",
        "find_package": "brim.paths",
        "get_root_path": "brim.paths",
        "setupmethod": "brim.registry",
    },
}

#: Names that Flask's modules have beside their own, as each imports them for itself. Public code
#: is known to take them from there.
_BESIDE: dict[str, dict[str, str]] = {
    "flask.app": {
        "App": "brim.app:Flask",
        "BadRequestKeyError": "werkzeug.exceptions",
        "BaseResponse": "werkzeug.wrappers:Response",
        "HTTPException": "werkzeug.exceptions",
        "Headers": "werkzeug.datastructures",
        "InternalServerError": "werkzeug.exceptions",
        "RequestRedirect": "werkzeug.routing",
        "RoutingException": "werkzeug.routing",
        "appcontext_tearing_down": "brim.signals",
        "cli": "brim",
        "get_flashed_messages": "brim.helpers",
        "get_load_dotenv": "brim.helpers",
        "got_request_exception": "brim.signals",
        "is_running_from_reloader": "werkzeug.serving",
        "request_finished": "brim.signals",
        "request_started": "brim.signals",
        "request_tearing_down": "brim.signals",
        "send_from_directory": "brim.files",
    },
    "flask.blueprints": {
        "AppGroup": "brim.commands",
        "SansioBlueprint": "brim.blueprints:Blueprint",
        "current_app": "brim.globals",
        "send_from_directory": "brim.files",
    },
    "flask.cli": {
        "ParameterSource": "click.core",
        "current_app": "brim.globals",
        "import_string": "werkzeug.utils",
        "is_running_from_reloader": "werkzeug.serving",
        "run_simple": "werkzeug.serving",
        "version_option": "brim.cli.app_options",
    },
    "flask.ctx": {"HTTPException": "werkzeug.exceptions"},
    "flask.helpers": {"BaseResponse": "werkzeug.wrappers:Response"},
    "flask.json": {"current_app": "brim.globals"},
    "flask.logging": {"request": "brim.globals"},
    "flask.sessions": {"BadSignature": "itsdangerous"},
    "flask.templating": {
        "current_app": "brim.globals",
        "stream_with_context": "brim.helpers",
    },
    "flask.testing": {
        "BaseRequest": "werkzeug.wrappers:Request",
        "Result": "click.testing",
    },
    "flask.wrappers": {
        "RequestBase": "werkzeug.wrappers:Request",
        "ResponseBase": "werkzeug.wrappers:Response",
    },
}

#: Modules that older Flasks had and 3.1 has not: what an import of one should become.
_GONE = {
    "flask.ext": "Since Flask 1.0 an extension is imported by its own name: flask_login.",
    "flask.scaffold": "Since Flask 3.0 its names are in flask.sansio.scaffold.",
}
#: The same for names in packages; :mod:`~brim.gone` has those of objects.
_GONE_NAMES = {
    "flask.Markup": ("3.0", "Write `from markupsafe import Markup`."),
    "flask.escape": ("3.0", "Write `from markupsafe import escape`."),
    "flask.safe_join": ("2.1", "Write `from werkzeug.utils import safe_join`."),
    "flask._app_ctx_stack": (
        "3.0",
        "Write `from flask import g`, and keep an extension's data on it under its own name.",
    ),
    "flask._request_ctx_stack": (
        "3.0",
        "Use `request` and `session`; the context itself is `flask.globals.request_ctx`.",
    ),
    "flask.signals_available": ("3.0", "Signals are always there: leave the question out."),
    "flask.json_available": ("2.0", "JSON is always there: leave the question out."),
    "flask.json.JSONEncoder": (
        "2.3",
        "Write a subclass of `flask.json.provider.DefaultJSONProvider`, and set it as the"
        " application's `json_provider_class`.",
    ),
    "flask.json.JSONDecoder": (
        "2.3",
        "Write a subclass of `flask.json.provider.DefaultJSONProvider`, and set it as the"
        " application's `json_provider_class`.",
    ),
    "flask.json.htmlsafe_dumps": (
        "2.3",
        "Use `|tojson` in a template, or `from jinja2.utils import htmlsafe_json_dumps`.",
    ),
}
_NOT_THERE = (
    "`flask` is Brim in this process (`import brim.as_flask` did that), which has the modules"
    " of Flask 3.1: look there for the name that is needed."
)

_METADATA = """\
Metadata-Version: 2.1
Name: Flask
Version: {version}
Summary: Flask's public API, as Brim answers it
"""


class AliasError(ImportError):
    """Another Flask was imported before ``brim.as_flask``.

    Raised by ``import brim.as_flask``. Nothing was changed by then: ``import flask``
    means what it meant before. As the module did not load, code that wants to catch this
    catches ``ImportError``.
    """


class _AliasLoader(Loader):
    """Answers one of Flask's module names with the Brim module of that name."""

    def __init__(self, target: ModuleSpec) -> None:
        self.target = target

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make a module that stands in until the answer is there.

        To hand over Brim's own module here would have its ``__spec__`` overwritten.
        """

    def exec_module(self, module: ModuleType) -> None:
        target = import_module(self.target.name)
        if beside := _BESIDE.get(module.__name__):
            vars(target).setdefault("__getattr__", _getter(target, beside))
        # Agents that patch a module after its import look into the one that they handed
        # in; the classes and functions they find there are Brim's own.
        names = vars(target).items()
        vars(module).update({k: v for k, v in names if not k.startswith("__")})
        sys.modules[module.__name__] = target

    def get_code(self, fullname: str) -> CodeType | None:
        """The code that ``python -m`` runs for one of Flask's names."""
        get_code = getattr(self.target.loader, "get_code", None)
        code: CodeType | None = get_code and get_code(self.target.name)
        return code


class _TableLoader(Loader):
    """Fills a module from its table, each name when it is first asked for."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        names = _TABLES[module.__name__]
        vars(module).update(
            __doc__="Names of Flask's, where Brim has them; the alias alone knows this module.",
            __all__=sorted(names),
            __getattr__=_getter(module, names),
            __dir__=lambda: sorted({*vars(module), *names}),
        )


def _getter(module: ModuleType, names: dict[str, str]) -> Callable[[str], object]:
    """Return a ``__getattr__`` for a module, which fetches each of these names when asked."""

    def __getattr__(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        home, _, there = names[name].partition(":")
        value = getattr(import_module(home), there or name)
        setattr(module, name, value)
        return value

    return __getattr__


class _AliasFinder:
    """Finds ``flask`` and all below it in Brim, before any installed Flask is found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.startswith("brim."):
            # What `from flask import Markup` asks for where the package has no such name. To
            # `hasattr`, and to who expects an ImportError, it is not there, as in Flask.
            name = fullname.replace("brim", "flask", 1)
            if name in _GONE_NAMES:
                since, instead = _GONE_NAMES[name]
                text = f"`{name}` is gone since Flask {since}. {instead}"
                raise ImportError(text, name=fullname)
            return None
        if fullname in _TABLES:
            return ModuleSpec(fullname, _TableLoader(), is_package=fullname == "flask.sansio")
        if not _is_flask(fullname):
            return None
        # Not at the top of the file, see there.
        from importlib.util import find_spec

        in_table = fullname.rpartition(".")[0] in _TABLES
        found = None if in_table else find_spec("brim" + fullname.removeprefix("flask"))
        if found is None:
            # To answer None would send the search on into Brim's folder, by PathFinder.
            hint = _GONE.get(fullname, _NOT_THERE)
            raise ModuleNotFoundError(f"No module named {fullname!r}. {hint}", name=fullname)
        spec = ModuleSpec(fullname, _AliasLoader(found), origin=found.origin)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def find_distributions(self, context: DistributionFinder.Context) -> Iterable[Distribution]:
        """Answer for Flask's metadata where no Flask is installed."""
        if (context.name or "flask").lower() != "flask" or "path" in vars(context):
            return
        from importlib.metadata import DistributionFinder

        wanted = DistributionFinder.Context(name="flask")
        for finder in sys.meta_path:
            find = getattr(finder, "find_distributions", None)
            if finder is not self and find is not None and any(True for _ in find(wanted)):
                return
        yield _distribution()


def _distribution() -> Distribution:
    """Metadata of a Flask that is not installed, at the version Brim's API has."""
    from importlib.metadata import Distribution
    from pathlib import Path

    class FlaskDistribution(Distribution):
        files_by_name = {
            "METADATA": _METADATA.format(version=sys.modules["brim"].__version__),
            "top_level.txt": "flask\n",
        }

        def read_text(self, filename: str) -> str | None:
            return self.files_by_name.get(filename)

        def locate_file(self, path: object) -> Path:
            return Path(__file__).parent.parent / str(path)

    return FlaskDistribution()


def _is_flask(name: str) -> bool:
    return name == "flask" or name.startswith("flask.")


def _is_ours(module: ModuleType) -> bool:
    if str(_names_in(module).get("__name__")).partition(".")[0] == "brim":
        return True
    return _kind(_names_in(module).get("__loader__")) == _kind(_TableLoader())


def _kind(thing: object) -> tuple[str, str]:
    """Its class by name: where this file was loaded twice, there are two of each class."""
    return type(thing).__module__, type(thing).__qualname__


def _names_in(module: object) -> dict[str, object]:
    try:
        # Not vars(): it would load a module that loads lazily.
        names: dict[str, object] = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return dict(names)


def _first_holder(flask_modules: list[ModuleType]) -> tuple[str, dict[str, object]] | None:
    """The first module that holds one of these, or something out of them: name and contents.

    First in the order of ``sys.modules``, which is about the order of their imports.
    """
    marks = {id(module) for module in flask_modules}
    for value in [value for m in flask_modules for value in _names_in(m).values()]:
        kind: type[object] = type(value)
        # Never through the object itself: proxies answer for something else.
        if kind.__module__ == "werkzeug.local" or (
            (issubclass(kind, type) or kind is type(_is_flask))
            and _is_flask(str(getattr(value, "__module__", "")))
        ):
            marks.add(id(value))
    for name, module in list(sys.modules.items()):
        names = {} if _is_flask(name) else _names_in(module)
        if any(id(value) in marks for value in names.values()):
            return name, names
    return None


def _too_late(flask_modules: list[ModuleType]) -> str:
    """What the error says: who was first, and what to do about it."""
    root = next((m for m in flask_modules if _names_in(m).get("__name__") == "flask"), None)
    text = f"Another Flask ({_names_in(root).get('__file__')}) is loaded, so `flask` can't be Brim."
    before = "all other imports of the file that starts the program"
    if holder := _first_holder(flask_modules):
        name, names = holder
        file = str(names.get("__file__", "no file"))
        package = name.partition(".")[0]
        if "site-packages" in file or "dist-packages" in file:
            text += f" The installed package {package} ({file}) imported it."
        else:
            text += f" {name} ({file}) imported it."
        if name == "__main__" or getattr(names.get("__spec__"), "_initializing", False):
            before = f"the import of it in {file}"
        else:
            before = f"the first import of {package}"
    return (
        f"{text} Put `import brim.as_flask` before {before}, or start the app with `brim run`, "
        "or tests with `pytest -p brim.as_flask`, as the first -p. Nothing was changed."
    )


def _install() -> None:
    # None stands for a name whose import somebody forbade.
    modules: dict[str, ModuleType | None] = dict[str, "ModuleType | None"](sys.modules)
    present = {name: m for name, m in modules.items() if _is_flask(name) and m is not None}
    if foreign := [module for module in present.values() if not _is_ours(module)]:
        raise AliasError(_too_late(foreign), name="flask")
    # Where this file is loaded again, what it did the first time makes room.
    for name in present:
        del sys.modules[name]
    finder = _AliasFinder()
    finders = [f for f in sys.meta_path if _kind(f) != _kind(finder)]
    # What comes before Python's own finders are hooks: agents that were started first and
    # want to see the imports of Flask's modules. They ask the others for the module itself.
    own: list[object] = [BuiltinImporter, FrozenImporter, PathFinder]
    places = [place for place, known in enumerate(finders) if known in own]
    finders.insert(min(places, default=0), finder)
    sys.meta_path[:] = finders
    sys.modules["flask"] = sys.modules["brim"]
    # These become attributes of the package, for `from flask import sansio`; they are
    # tables so far, none of the names in them is loaded.
    for name in _TABLES:
        import_module(name)


def pytest_report_header() -> str:
    """The line at the top of a pytest run that tells which Flask is tested."""
    brim = sys.modules["brim"]
    return f"flask: is brim {brim.__brim_version__} ({brim.__path__[0]})"


_install()
