"""The captions of the navigation, for those who have it read to them.

Sphinx marks them as headings without a level; here they get one. No text is here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: What furo's template is given.
TREE = "furo_navigation_tree"
#: After furo's own function, whose priority is the usual 500.
LATE = 900


def add_levels(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Give each caption of the navigation the level below the page's title."""
    if TREE in context:
        context[TREE] = context[TREE].replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", add_levels, priority=LATE)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
