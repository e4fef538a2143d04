from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import brim
from brim import cli as cli_module
from brim.cli import AppGroup, FlaskGroup, with_appcontext
from tests.cli.support import HELLO, brim_program

# The program


def test_the_program_runs_an_unmodified_flask_app(folder: Path) -> None:
    (folder / "app.py").write_text(HELLO.replace("from brim", "from flask"))
    done = brim_program("greet")
    assert (done.returncode, done.stdout) == (0, "hello from app\n")


def test_the_program_shows_a_users_error_without_what_led_to_it(folder: Path) -> None:
    (folder / "app.py").write_text("1 / 0")
    done = brim_program("routes")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "app.py" in lines[1]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "click" not in done.stderr


def test_the_program_says_so_where_another_flask_was_first() -> None:
    start = "import sys, types; sys.modules['flask'] = types.ModuleType('flask');"
    done = subprocess.run(
        [sys.executable, "-c", f"{start} from brim.cli import main; main()"],
        env={**os.environ, "PYTHONPATH": str(Path(brim.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Another Flask")
    assert "Traceback" not in done.stderr


# Names


def test_all_that_flask_cli_offers_by_name_is_here() -> None:
    names = (
        "AppGroup CertParamType FlaskGroup NoAppException ScriptInfo SeparatedPathType cli"
        " find_app_by_string find_best_app get_debug_flag get_load_dotenv get_version"
        " load_dotenv locate_app main pass_script_info prepare_import routes_command"
        " run_command shell_command show_server_banner with_appcontext"
    )
    assert not [name for name in names.split() if not hasattr(cli_module, name)]
    assert issubclass(FlaskGroup, AppGroup)
    assert with_appcontext is cli_module.with_appcontext
