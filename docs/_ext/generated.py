"""What is made from the program: settings, commands, the test suites, the benchmarks.

A page says where with a comment, ``<!-- generated: settings -->``; Markdown takes its place
before the page is parsed, so that headings, links and the index are as on any other page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from sphinx.errors import ExtensionError

from benchmarks import chart, report
from benchmarks.results import PUBLISHED, Run
from brim.cli import cli
from brim.config import SETTINGS
from conformance import results, suites

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def settings() -> Iterator[str]:
    """Yield each setting of ``brim.config.SETTINGS`` as a ``confval``, in order of names."""
    names = {setting.name for setting in SETTINGS}

    def link(found: re.Match[str]) -> str:
        return f"{{confval}}{found[0]}" if found[1] in names else found[0]

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
        yield "\n" + re.sub("`([A-Z_]+)`", link, setting.doc) + "\n:::\n"


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
    paragraphs = f"{command.help or ''}\n\n{command.epilog or ''}".strip().split("\n\n")
    for paragraph in paragraphs:
        # Click is told by \b to leave a paragraph as it is; the first line is its title.
        if paragraph.startswith("\b\n"):
            title, *lines = paragraph.removeprefix("\b\n").rstrip().split("\n")
            yield from (title, "", "```text", *(line.strip() for line in lines), "```", "")
        else:
            yield _prose(paragraph) + "\n"
    yield f"```{{program}} {path}\n```\n"
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            yield from _option(option, ctx)


def _option(option: click.Option, ctx: click.Context) -> Iterator[str]:
    names, text = option.get_help_record(ctx) or ("", "")
    yield f":::{{option}} {re.sub(' / ?|, ', ', ', names)}"
    yield _prose(text)
    default = option.opts[0] if option.secondary_opts and option.default is True else option.default
    if isinstance(default, str | int) and not isinstance(default, bool):
        yield f"By default `{default}`."
    yield ":::\n"


def _prose(text: str) -> str:
    """Help for a terminal as Markdown: names in quotes, options and files are code there."""
    text = " ".join(text.split())
    return re.sub(
        r"'((?:brim )?[^' ]+(?: --[a-z]+)*)'|(?<![\w-])(--[a-z][a-z-]*|[A-Z]+_[A-Z]+)\b",
        r"`\1\2`",
        text,
    )


def test_suites() -> Iterator[str]:
    """Yield a table of the suites of ``conformance/``: what passes on Flask, and on Brim of it.

    Raises ``ExtensionError`` where a suite has no result, or that of another release.
    """
    head = [f"{name}, Python {python}" for python in results.TOLD for name in ("Flask", "Brim")]
    yield "| " + " | ".join(["suite", "version", *head]) + " |"
    yield "|---|---|" + "--:|" * len(head)
    kept = {python: results.load(python) for python in results.TOLD}
    for suite in suites.load():
        cells = [suite.name, suite.version]
        for python in results.TOLD:
            result = kept[python].get(suite.name)
            if result is None or result.version != suite.version:
                raise ExtensionError(
                    f"{results.file_of(python).name} in conformance/results/ has no "
                    f"{suite.name} {suite.version}; run `make conformance "
                    f'SUITES={suite.name} ARGS="--python {python}"`'
                )
            cells += [f"{result.flask:,}", f"{result.here:,}"]
        yield "| " + " | ".join(cells) + " |"
    sums = [f"**{number:,}**" for python in results.TOLD for number in results.sums(python)]
    yield "| " + " | ".join(["**together**", "", *sums]) + " |"


def benchmarks() -> Iterator[str]:
    """Yield the questions that benchmarks/ asks."""
    return report.questions()


def figures() -> Iterator[str]:
    """Yield the published run of the benchmarks: its charts, its times, its targets."""
    run = Run.read(PUBLISHED)
    yield f"{report.summary(run)}\n"
    charts = "".join(svg for _, svg in chart.charts(run))
    yield f'```{{raw}} html\n<div class="bench-charts">\n{charts}</div>\n```\n'
    for door in ("WSGI", "ASGI"):
        yield f"### Microseconds a request, {door}\n"
        yield from report.times(run, door)
        yield ""
    yield "### Targets\n"
    yield from report.targets(run)


GENERATORS = {
    "settings": settings,
    "commands": commands,
    "suites": test_suites,
    "benchmarks": benchmarks,
    "figures": figures,
}


def fill_in(app: Sphinx, docname: str, content: list[str]) -> None:
    """Put what is generated where the page has its comment."""

    def generated(found: re.Match[str]) -> str:
        return "\n".join(GENERATORS[found[1]]())

    content[0] = re.sub(r"<!-- generated: (\w+) -->", generated, content[0])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
