"""Pages that are made from the program: the settings, and the commands with their options.

A page says where with a comment, ``<!-- generated: settings -->``; Markdown takes its place
before the page is parsed, so that headings, links and the index are as on any other page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from brim.cli import cli
from brim.config import SETTINGS

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def settings() -> Iterator[str]:
    """Yield each setting of ``brim.config.SETTINGS`` as a ``confval``, in order of names."""
    for setting in sorted(SETTINGS, key=lambda setting: setting.name):
        default = setting.default
        shown = repr(default)
        if isinstance(default, timedelta):
            shown = f"timedelta(days={default.days})"
        elif isinstance(default, int) and default > 9999:
            shown = f"{default:_}"
        yield f":::{{confval}} {setting.name}"
        yield f":type: `{setting.type}`"
        yield f":default: `{shown}`"
        yield f"\n{setting.doc}\n:::\n"


def commands() -> Iterator[str]:
    """Yield the tree of Click commands below ``brim``, each with its options."""
    ctx = click.Context(cli, info_name="brim")
    yield from _command(cli, ctx)
    for name in sorted(cli.commands):
        command = cli.commands[name]
        yield from _command(command, click.Context(command, info_name=name, parent=ctx))


def _command(command: click.Command, ctx: click.Context) -> Iterator[str]:
    path = ctx.command_path
    yield f"## `{path}`\n"
    text = re.sub(r"\n(?!\n)\s*", " ", (command.help or "").strip())
    yield text.replace(" " * 2, "\n\n") + "\n"
    if command.epilog:
        title, _, examples = command.epilog.replace("\b", "").strip().partition("\n")
        yield from (title, "", "```text", *_dedented(examples), "```", "")
    yield f"```{{program}} {path}\n```\n"
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield from _option(option, ctx)


def _dedented(text: str) -> list[str]:
    # An empty line stands before Click's own remark about --help, which is none of a command.
    return [line.removeprefix("  ") for line in text.partition("\n\n")[0].split("\n")]


def _option(option: click.Option, ctx: click.Context) -> Iterator[str]:
    names, help_text = option.get_help_record(ctx) or ("", "")
    names = ", ".join(part.strip() for part in re.split(r"[,/]", names) if part.strip())
    yield f":::{{option}} {names}\n{help_text or option.help or ''}"
    if option.default is not None and not option.is_flag and option.default != "":
        yield f"By default `{option.default}`." if _is_plain(option.default) else ""
    if option.secondary_opts and option.default is True:
        yield f"By default `{option.opts[0]}`."
    yield ":::\n"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int)


GENERATORS = {"settings": settings, "commands": commands}


def fill_in(app: Sphinx, docname: str, content: list[str]) -> None:
    """Put what is generated where the page has its comment."""

    def generated(found: re.Match[str]) -> str:
        return "\n".join(GENERATORS[found[1]]())

    content[0] = re.sub(r"<!-- generated: (\w+) -->", generated, content[0])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
