"""What `scripts/links.py` takes for a broken link."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import links

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of two pages, one of them in a folder, and an image."""
    (tmp_path / "howto").mkdir()
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "howto" / "index.html").write_text('<h2 id="go">Go</h2><a name="old"></a>')
    return tmp_path


def broken(site: Path, html: str) -> list[str]:
    page = site / "index.html"
    page.write_text(html)
    links.page_of.cache_clear()
    return list(links.broken(site))


@pytest.mark.parametrize(
    "html",
    [
        '<a href="howto/index.html">',
        '<a href="howto/">',
        '<a href="howto/index.html#go">',
        '<a href="howto/index.html#old">',
        '<p id="here"><a href="#here">',
        '<p id="a b"><a href="#a%20b">',
        '<a href="#">',
        '<img src="logo.svg">',
        '<a href="logo.svg#layer">',
        '<img src="data:image/png;base64,AAAA">',
        '<a href="https://docs.python.org/3/library/logging.html#logging.Logger">',
        '<a href="http://127.0.0.1:5000/Ada">',
    ],
)
def test_a_link_that_leads_somewhere(site: Path, html: str) -> None:
    assert broken(site, html) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="nothing.html">', "nothing.html: there is no such file"),
        ('<img src="nothing.png">', "nothing.png: there is no such file"),
        ('<link href="nothing.css">', "nothing.css: there is no such file"),
        ('<script src="nothing.js"></script>', "nothing.js: there is no such file"),
        ('<a href="howto/index.html#no">', "howto/index.html#no: there is no anchor 'no'"),
        ('<a href="#no">', "#no: there is no anchor 'no'"),
        ('<a href="../secret.html">', "../secret.html: leads out of the folder"),
        ('<a href="/howto/">', "/howto/: leads out of the folder"),
        ('<a href="?x=1">', "?x=1: leads nowhere"),
        (
            '<a href="http://docs.python.org/">',
            "http://docs.python.org/: links to other sites begin with https://",
        ),
        (
            '<a href="//docs.python.org/">',
            "//docs.python.org/: links to other sites begin with https://",
        ),
        ('<a href="https://[::1">', "https://[::1: Invalid IPv6 URL"),
        (
            '<a href="https://example.org/">',
            "https://example.org/: example.org is not among the hosts of scripts/links.py",
        ),
    ],
)
def test_a_link_that_does_not(site: Path, html: str, fault: str) -> None:
    assert broken(site, html) == [f"index.html: {fault}"]


def test_a_folder_without_a_page_was_not_built(tmp_path: Path) -> None:
    assert len(list(links.broken(tmp_path))) == 1


def test_links_of_markdown_are_checked_where_they_are_no_code(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(
        "# Brim\n\n## What's `new`, today\n\n```\n# No\n```\n"
    )
    page = tmp_path / "README.md"
    page.write_text(
        "[a](docs/index.md) [b](docs/) [c](docs/index.md#whats-new-today) `[d](d.md)`\n"
        "```\n[e](e.md)\n```\n[f](f.md) [g](docs/index.md#no) ![h](h.png)\n"
    )
    assert [line.removeprefix(f"{page}: ") for line in links.broken(page)] == [
        "f.md: there is no such file",
        "docs/index.md#no: there is no anchor 'no'",
        "h.png: there is no such file",
    ]


def test_the_status_tells_whether_all_links_are_good(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert links.main([]) == 2
    assert links.main([str(site)]) == 0
    (site / "README.md").write_text("[a](a.md)")
    assert links.main([str(site), str(site / "README.md")]) == 1
    assert capsys.readouterr().out.endswith("README.md: a.md: there is no such file\n")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_links_of_the_projects_own_pages_lead_somewhere(name: str) -> None:
    assert list(links.broken(ROOT / name)) == []
