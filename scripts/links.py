"""Check that every link of the built documentation leads somewhere, and of Markdown files too.

Links within the site are followed: to a page, an image or another file, and to an anchor. Links
to other sites can't be followed where there is no network, so their form is checked: ``https``
and a host of ``HOSTS``, which is where documentation that lasts is kept. Run by ``make docs``::

    python scripts/links.py docs/_build/html README.md CONTRIBUTING.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: The hosts of other sites that pages link to. One more is a decision: will it be there?
HOSTS = frozenset(
    {
        "blinker.readthedocs.io",
        "click.palletsprojects.com",
        "developer.mozilla.org",
        "docs.gunicorn.org",
        "docs.python.org",
        "flask.palletsprojects.com",
        "github.com",
        "jinja.palletsprojects.com",
        "nginx.org",
        "peps.python.org",
        "pyinstrument.readthedocs.io",
        "werkzeug.palletsprojects.com",
        "www.rfc-editor.org",
        # Furo's and Sphinx's names at the foot of each page.
        "pradyunsg.me",
        "www.sphinx-doc.org",
    }
)
#: Where the examples on the pages are served: no link, but what a reader may open.
EXAMPLES = frozenset({"127.0.0.1", "localhost"})

#: The attributes that hold a URL, by tag.
ATTRIBUTES = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "src"}
#: A link of Markdown; code has been taken out.
MARKDOWN = re.compile(r"\]\(<?([^)\s>]+)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


class _Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if anchor := values.get("id"):
            self.anchors.add(anchor)
        if tag == "a" and (name := values.get("name")):
            self.anchors.add(name)
        url = values.get(ATTRIBUTES.get(tag, ""))
        if url is not None:
            self.links.append(url)


@cache
def page_of(path: Path) -> _Page:
    return _Page(path.read_text(encoding="utf-8"))


@cache
def headings_of(path: Path) -> frozenset[str]:
    """The anchors that a Markdown file's headings get where it is shown."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    names = (re.sub(r"[^\w\- ]", "", found).strip().lower() for found in HEADING.findall(text))
    return frozenset(name.replace(" ", "-") for name in names)


def broken(place: Path) -> Iterator[str]:
    """Yield one line for each link of a site's folder, or of a Markdown file, that is wrong."""
    if place.suffix == ".md":
        text = CODE.sub("", place.read_text(encoding="utf-8"))
        for link in MARKDOWN.findall(text):
            if reason := fault_of(link, place, place.parent):
                yield f"{place}: {link}: {reason}"
        return
    pages = sorted(place.rglob("*.html"))
    if not pages:
        yield f"{place}: no page; build the documentation first"
    for page in pages:
        for link in page_of(page).links:
            if reason := fault_of(link, page, place):
                yield f"{page.relative_to(place)}: {link}: {reason}"


def fault_of(link: str, source: Path, root: Path) -> str | None:
    """What is wrong with a link of a file, or None."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError as error:
        return str(error)
    if parts.scheme or parts.netloc:
        return _fault_of_other(parts.scheme, host)
    if not parts.path and not parts.fragment:
        # Furo's controls are links to nowhere, which a script acts on.
        return None if link in ("", "#") else "leads nowhere"
    target = (source.parent / unquote(parts.path)).resolve() if parts.path else source.resolve()
    if not target.is_relative_to(root.resolve()):
        return "leads out of the folder"
    if target.is_dir() and source.suffix == ".html":
        target = target / "index.html"
    if not target.exists():
        return "there is no such file"
    return _fault_of_anchor(unquote(parts.fragment), target)


def _fault_of_other(scheme: str, host: str | None) -> str | None:
    if scheme in ("data", "mailto") or (scheme == "http" and host in EXAMPLES):
        return None
    if scheme != "https":
        return "links to other sites begin with https://"
    if host not in HOSTS:
        return f"{host} is not among the hosts of scripts/links.py"
    return None


def _fault_of_anchor(anchor: str, target: Path) -> str | None:
    if not anchor:
        return None
    if target.suffix == ".html":
        known = anchor in page_of(target).anchors
    else:
        known = target.suffix != ".md" or anchor in headings_of(target)
    return None if known else f"there is no anchor {anchor!r}"


def main(places: list[str]) -> int:
    if not places:
        print("usage: links.py FOLDER_OR_MARKDOWN_FILE...", file=sys.stderr)
        return 2
    found = [line for place in places for line in broken(Path(place))]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
