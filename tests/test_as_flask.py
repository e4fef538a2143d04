"""The alias: what `import flask` means after `import brim.as_flask`.

The alias is for a whole process, so nearly every test here starts one. A folder named
`flask`, with metadata beside it, stands in for the Flask that may be installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

import brim

BRIM = str(Path(brim.__path__[0]).parent)

#: Flask's own public modules that Brim has a file for.
MODULES = [
    "app",
    "blueprints",
    "cli",
    "config",
    "ctx",
    "globals",
    "helpers",
    "json",
    "json.provider",
    "json.tag",
    "logging",
    "sessions",
    "signals",
    "templating",
    "testing",
    "typing",
    "views",
    "wrappers",
]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs Python in a folder of its own, where every warning is an error."""

    def run(
        *args: str, path: list[Path] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        search = [*map(str, path or []), BRIM, os.environ.get("PYTHONPATH", "")]
        variables = {
            "PYTHONPATH": os.pathsep.join(filter(None, search)),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins of the developer's take seconds
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", *args],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def code(run: Run) -> Callable[..., str]:
    """Runs a program that turns the alias on first; answers what it prints."""

    def code(text: str, path: list[Path] | None = None) -> str:
        return run("-c", "import brim.as_flask\n" + dedent(text), path=path).stdout

    return code


@pytest.fixture
def bare(tmp_path: Path) -> Callable[[str], str]:
    """Runs a program where no package but Brim can be seen; answers what it prints."""

    def bare(text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-W", "error", "-c", dedent(text), BRIM],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return bare


@pytest.fixture
def other_flask(tmp_path: Path) -> Path:
    """A site-packages folder with another Flask in it, and an extension of that one."""
    site = tmp_path / "site-packages"
    for name in ("flask", "flask_dummy", "flask-9.9.dist-info"):
        (site / name).mkdir(parents=True)
    (site / "flask/__init__.py").write_text("from .app import Flask\nfrom .globals import g\n")
    (site / "flask/app.py").write_text("class Flask: ...\n")
    (site / "flask/globals.py").write_text(
        "from werkzeug.local import LocalProxy\ng = LocalProxy(lambda: 1 / 0)\n"
    )
    (site / "flask_dummy/__init__.py").write_text("from .views import show\n")
    (site / "flask_dummy/views.py").write_text("from flask import g\ndef show(): return g\n")
    (site / "flask-9.9.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: Flask\nVersion: 9.9\n"
    )
    return site


# What an import answers -----------------------------------------------------------------


def test_flask_and_its_modules_are_brims(code: Callable[..., str]) -> None:
    """They are the same objects, and stay what they were under their own names."""
    code(f"""
        import sys, importlib
        import flask
        import brim
        assert flask is brim and brim.__name__ == brim.__spec__.name == "brim"
        for name in {MODULES}:
            module = importlib.import_module("flask." + name)
            assert module is importlib.import_module("brim." + name), name
            assert module is sys.modules["flask." + name] is sys.modules["brim." + name]
            assert module.__name__ == module.__spec__.name == "brim." + name
            assert module.__spec__.loader is module.__loader__
    """)


def test_any_way_to_import_reaches_the_same_objects(code: Callable[..., str]) -> None:
    code("""
        import pickle, pkgutil
        from unittest import mock

        from flask import *
        from flask import cli, json as j1
        import flask.json as j2
        import flask.json.provider
        from flask.config import Config
        import brim.config, brim.json, brim.json.provider, brim.helpers

        assert j1 is j2 is brim.json
        assert flask.json.provider is brim.json.provider
        assert Flask is brim.Flask and isinstance(Flask("x"), brim.app.Flask)
        assert cli.AppGroup is pkgutil.resolve_name("flask.cli:AppGroup")
        assert pkgutil.resolve_name("flask.json:dumps") is brim.json.dumps
        with mock.patch("flask.helpers.url_for") as double:
            assert brim.helpers.url_for is double
        # As a pickle that was written where flask was Flask.
        assert pickle.loads(b"cflask.config\\nConfig\\n.") is Config is brim.config.Config
        assert pickle.loads(pickle.dumps(Flask)) is Flask
    """)


def test_reloading_reloads_the_brim_module(code: Callable[..., str]) -> None:
    code("""
        import importlib
        import flask.config, flask.globals
        import brim
        before = flask.config.Config
        assert importlib.reload(flask.config) is brim.config
        assert flask.config.Config is brim.config.Config is not before
        assert importlib.reload(flask) is brim
    """)


def test_the_other_flask_stays_out_of_the_way(code: Callable[..., str], other_flask: Path) -> None:
    """Where Flask is installed, its extensions get Brim, and its metadata stay its own."""
    code(
        """
        import importlib.metadata
        import flask, flask.app, flask_dummy, brim
        assert flask is brim and flask.app is brim.app
        assert flask_dummy.views.g is brim.g
        assert importlib.metadata.version("flask") == "9.9"
        assert [d.version for d in importlib.metadata.distributions(name="flask")] == ["9.9"]
        """,
        path=[other_flask],
    )


def test_modules_without_a_file_in_brim(code: Callable[..., str]) -> None:
    """They lead to the places where Brim has their names, all of which exist."""
    code("""
        import importlib
        from flask import debughelpers, sansio
        import brim.app, brim.as_flask, brim.blueprints, brim.errors, brim.registry
        from flask.sansio.app import App
        from flask.sansio.blueprints import *
        from flask.sansio.scaffold import Scaffold, _endpoint_from_view_func
        from flask.debughelpers import DebugFilesKeyError

        assert App is brim.app.Flask
        assert Blueprint is brim.blueprints.Blueprint
        assert Scaffold is brim.registry.Scaffold is sansio.scaffold.Scaffold
        assert _endpoint_from_view_func(importlib.reload) == "reload"
        assert DebugFilesKeyError is brim.errors.DebugFilesKeyError
        for name in brim.as_flask._TABLES:
            module = importlib.import_module(name)
            assert importlib.reload(module) is module
            for public in module.__all__:
                assert public in dir(module) and getattr(module, public)
            assert not hasattr(module, "nope")
    """)


@pytest.mark.parametrize(
    ("name", "missing", "hint"),
    [
        ("flask.nope", "flask.nope", "`flask` is Brim"),
        ("flask.ext.login", "flask.ext", "flask_login"),
        ("flask.scaffold", "flask.scaffold", "flask.sansio.scaffold"),
        ("flask.sansio.nope", "flask.sansio.nope", "`flask` is Brim"),
    ],
)
def test_a_module_that_does_not_exist(
    code: Callable[..., str], name: str, missing: str, hint: str, other_flask: Path
) -> None:
    """The error names it and tells what to look for, even if the other Flask has it."""
    (other_flask / "flask/nope.py").touch()
    said = code(
        f"""
        try:
            import {name}
        except ModuleNotFoundError as error:
            print(error.name, error)
        """,
        path=[other_flask],
    )
    assert said.startswith(f"{missing} No module named {missing!r}")
    assert hint in said


def test_no_file_is_loaded_under_two_names(code: Callable[..., str]) -> None:
    """Brim's own modules, which Flask has not, are the same ones under Flask's name too."""
    code("""
        import importlib.util, sys
        import flask.tables, flask.dispatch, brim.tables, brim.dispatch
        assert flask.tables is sys.modules["flask.tables"] is brim.tables
        assert flask.dispatch is sys.modules["flask.dispatch"] is brim.dispatch
        assert importlib.util.find_spec("flask.doors").name == "flask.doors"
        assert "brim.doors" not in sys.modules
        assert not importlib.util.find_spec("flask_nope")
    """)


def test_an_agent_that_patches_after_the_import(code: Callable[..., str]) -> None:
    """It looks into the module that it handed to the loader, and finds Brim's classes."""
    code("""
        import sys

        class Agent:
            def find_spec(self, fullname, path=None, target=None):
                if fullname != "flask.config":
                    return None
                spec = next(filter(None, (
                    f.find_spec(fullname, path) for f in sys.meta_path if f is not self
                )))
                execute = spec.loader.exec_module

                def exec_module(module):
                    execute(module)
                    module.Config.patched = True

                spec.loader.exec_module = exec_module
                return spec

        sys.meta_path.insert(0, Agent())
        import flask.config
        import brim.config
        assert flask.config is brim.config and brim.config.Config.patched
    """)


AGENT = """
import importlib.util, sys

class Agent:
    seen = []
    busy = False

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "flask.app" or self.busy:
            return None
        self.busy = True
        spec = importlib.util.find_spec(fullname)
        self.busy = False
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            self.seen.append(module.Flask)

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Agent())
"""


@pytest.mark.parametrize("first", ["agent", "alias"])
def test_an_agent_that_waits_for_a_module(run: Run, other_flask: Path, first: str) -> None:
    """It sees the import by Flask's name of what the package loads when it is needed."""
    parts = [AGENT, "import brim.as_flask\n"]
    parts = parts if first == "agent" else parts[::-1]
    parts.append("from flask import Flask\nimport brim\n")
    parts.append("assert Agent.seen == [Flask] == [brim.Flask], Agent.seen")
    run("-c", "".join(parts), path=[other_flask])


# What it costs --------------------------------------------------------------------------


def test_it_loads_nothing_else(bare: Callable[[str], str]) -> None:
    """Nothing of Brim's but itself, and nothing that gevent would have to patch."""
    said = bare("""
        import sys
        sys.path.insert(0, sys.argv[1])
        before = set(sys.modules)
        import brim.as_flask
        print(*set(sys.modules) - before)
    """)
    new = set(said.split())
    assert {n for n in new if n.startswith("brim")} == {"brim", "brim.as_flask"}
    assert {n.partition(".")[0] for n in new}.isdisjoint(
        "asyncio click contextvars email jinja2 logging queue select selectors signal socket ssl"
        " subprocess threading werkzeug".split()
    )
    assert new.isdisjoint({"importlib.metadata", "importlib.util"})


# Metadata -------------------------------------------------------------------------------


def test_metadata_where_no_flask_is_installed(bare: Callable[[str], str]) -> None:
    """There is a Flask to be found, at the version of the API; elsewhere nothing is."""
    bare("""
        import sys
        sys.path.insert(0, sys.argv[1])
        import brim.as_flask, flask
        from importlib import metadata
        assert metadata.version("flask") == metadata.version("Flask") == flask.__version__
        assert flask.__version__ == "3.1.3"
        flask = metadata.distribution("flask")
        assert flask.metadata["Name"] == "Flask" and flask.requires is flask.files is None
        assert flask.locate_file("flask").name == "flask"
        assert [d.name for d in metadata.distributions()].count("Flask") == 1
        assert metadata.packages_distributions()["flask"] == ["Flask"]
        assert not list(metadata.distributions(name="flask", path=["/"]))
        try:
            metadata.version("flask-nope")
        except metadata.PackageNotFoundError:
            print("none")
    """)


# Twice, and too late --------------------------------------------------------------------


def test_importing_it_again_changes_nothing(code: Callable[..., str]) -> None:
    """Nor does it matter which of the modules was thrown away in between."""
    code("""
        import importlib, sys
        import flask.config
        finders = len(sys.meta_path)

        importlib.reload(brim.as_flask)
        assert len(sys.meta_path) == finders

        sys.modules.pop("flask")
        sys.modules.pop("flask.config", None)
        import flask.config
        assert flask is brim and flask.config is brim.config

        for name in [n for n in sys.modules if n.partition(".")[0] == "brim"]:
            del sys.modules[name]
        import brim.as_flask, flask.config
        assert len(sys.meta_path) == finders
        assert flask is sys.modules["brim"] and flask.config is brim.config
    """)


LATE = """\
import sys
{first}
try:
    import brim.as_flask
except ImportError as error:
    print(error)
    assert error.name == "flask"
import flask
assert flask.__file__ != sys.modules["brim"].__file__ and "brim.as_flask" not in sys.modules
assert not any("brim" in type(finder).__module__ for finder in sys.meta_path)
"""


@pytest.mark.parametrize(
    ("first", "who", "before"),
    [
        (
            "from flask import Flask",
            "__main__ ({tmp}/late.py)",
            "the import of it in {tmp}/late.py",
        ),
        ("from flask import g", "__main__ ({tmp}/late.py)", "the import of it in {tmp}/late.py"),
        ("import flask", "__main__ ({tmp}/late.py)", "the import of it in {tmp}/late.py"),
        ("import own", "own ({tmp}/own.py)", "the first import of own"),
        (
            "import flask_dummy",
            "installed package flask_dummy ({tmp}/site-packages/flask_dummy/views.py)",
            "the first import of flask_dummy",
        ),
        ("__import__('flask.app')", "Another Flask", "all other imports"),
    ],
)
def test_too_late(
    run: Run, tmp_path: Path, other_flask: Path, first: str, who: str, before: str
) -> None:
    """The error says who was first and what to do, and the process stays what it was."""
    (tmp_path / "own.py").write_text("from flask import Flask\n")
    (tmp_path / "late.py").write_text(LATE.format(first=first))
    said = run(str(tmp_path / "late.py"), path=[other_flask]).stdout
    assert f"Another Flask ({other_flask}/flask/__init__.py) is loaded" in said
    assert who.format(tmp=tmp_path) in said
    assert f"Put `import brim.as_flask` before {before.format(tmp=tmp_path)}" in said
    assert "`pytest -p brim.as_flask`" in said
    assert "`brim run`" in said


def test_modules_that_load_lazily_stay_unloaded(
    run: Run, tmp_path: Path, other_flask: Path
) -> None:
    """The search for who was first touches nothing; a module that isn't one is no matter."""
    (tmp_path / "late.py").write_text("""\
import importlib.util, sys
spec = importlib.util.find_spec("this")
lazy = importlib.util.module_from_spec(spec)
sys.modules["this"] = lazy
importlib.util.LazyLoader(spec.loader).exec_module(lazy)
sys.modules["odd"] = 7
sys.modules["forbidden"] = None
__import__("flask")
import brim.as_flask
""")
    done = run(str(tmp_path / "late.py"), path=[other_flask], status=1)
    assert "Zen" not in done.stdout
    assert "brim.as_flask.AliasError: Another Flask" in done.stderr


def test_a_forbidden_import_is_not_another_flask(run: Run) -> None:
    run("-c", "import sys; sys.modules['flask'] = None; import brim.as_flask, flask; flask.g")


# Where it is turned on ------------------------------------------------------------------


def test_as_a_plugin_of_pytest(run: Run, tmp_path: Path, other_flask: Path) -> None:
    """It comes before conftest files, and a line at the top tells what is tested."""
    (tmp_path / "conftest.py").write_text("import flask_dummy\nfrom flask.app import Flask\n")
    (tmp_path / "test_it.py").write_text(
        "import brim, flask, flask_dummy\n"
        "def test_it(): assert flask is brim and flask_dummy.views.g is brim.g\n"
    )
    (tmp_path / "sitecustomize.py").write_text("import brim.as_flask\n")
    args = ["-m", "pytest", "-p", "brim.as_flask", "-W", "error", "-p", "no:cacheprovider"]
    for path in ([other_flask], [tmp_path, other_flask]):
        said = run(*args, path=path).stdout
        assert f"flask: is brim {brim.__brim_version__} ({brim.__path__[0]})" in said
        assert "1 passed" in said
        assert "warning" not in said


def test_as_a_plugin_that_comes_too_late(run: Run, tmp_path: Path, other_flask: Path) -> None:
    (tmp_path / "early.py").write_text("import flask\n")
    args = ["-m", "pytest", "-p", "early", "-p", "brim.as_flask"]
    # The status depends on pytest's version.
    said = run(*args, path=[other_flask, tmp_path], status=None).stderr
    assert f"early ({tmp_path / 'early.py'}) imported it" in said


def test_python_m_flask_is_the_brim_command(run: Run, tmp_path: Path) -> None:
    """A sitecustomize reaches child processes: programs that start `flask` get Brim."""
    (tmp_path / "sitecustomize.py").write_text("import brim.as_flask\n")
    said = run("-m", "flask", "--version", path=[tmp_path]).stdout
    assert "Flask 3.1.3" in said
    assert said == run("-m", "brim", "--version").stdout


def test_a_name_that_is_gone_says_what_to_write(code: Callable[..., str]) -> None:
    printed = code("""
        for statement in (
            "from flask import Markup",
            "from flask import request, _request_ctx_stack",
            "from flask.json import JSONEncoder",
        ):
            try:
                exec(statement)
            except ImportError as error:
                print(error)
        import flask, flask.json
        print(hasattr(flask, "Markup"), hasattr(flask.json, "JSONEncoder"))
        try:
            from flask import nothing_of_the_kind
        except ImportError as error:
            print(str(error).partition(" (")[0])
    """)
    assert printed.splitlines() == [
        "`flask.Markup` is gone since Flask 3.0. Write `from markupsafe import Markup`.",
        "`flask._request_ctx_stack` is gone since Flask 3.0. Use `request` and `session`; the"
        " context itself is `flask.globals.request_ctx`.",
        "`flask.json.JSONEncoder` is gone since Flask 2.3. Write a subclass of"
        " `flask.json.provider.DefaultJSONProvider`, and set it as the application's"
        " `json_provider_class`.",
        "False False",
        "cannot import name 'nothing_of_the_kind' from 'brim'",
    ]


def test_modules_have_the_names_that_flasks_have_beside_their_own(code: Callable[..., str]) -> None:
    """Each name of the table can be imported from its module, and the modules miss no other."""
    printed = code("""
        from importlib import import_module
        from brim.as_flask import _BESIDE, _TABLES
        for module, names in {**_BESIDE, **_TABLES}.items():
            for name in names:
                exec(f"from {module} import {name}")
                assert not hasattr(import_module(module), name + "_")
        from flask.wrappers import Response, ResponseBase
        assert issubclass(Response, ResponseBase) and Response is not ResponseBase
        from flask.app import App, Flask
        assert App is Flask
        print("all there")
    """)
    assert printed.strip() == "all there"
