"""Invokes an application's commands, as its command line would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from ..commands import ScriptInfo

if TYPE_CHECKING:
    from click.testing import Result

    from ..typing import Flask


class FlaskCliRunner(CliRunner):
    """A ``click.testing.CliRunner`` for the application's commands."""

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        self.app = app
        super().__init__(**kwargs)

    def invoke(self, cli: Any = None, args: Any = None, **kwargs: Any) -> Result:  # type: ignore[override]
        """Run a command, by default ``app.cli``, with ``args``; return its result.

        result = app.test_cli_runner().invoke(args=["init-db"])
        assert result.exit_code == 0
        """
        if cli is None:
            cli = self.app.cli
        if "obj" not in kwargs:
            kwargs["obj"] = ScriptInfo(create_app=lambda: self.app)
        return super().invoke(cli, args, **kwargs)
