"""Settings of Sphinx; ``make docs`` builds with them. What is Brim's own is in _ext/."""

from __future__ import annotations

import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

HERE = Path(__file__).parent


def sources(folder: str) -> FileFinder:
    """Find Brim's modules as they are written, for their comments, though they be compiled."""
    if not Path(folder).resolve().is_relative_to(HERE.parent / "src"):
        raise ImportError
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


sys.path_hooks.insert(0, sources)
sys.path_importer_cache.clear()

import brim  # noqa: E402

# The extensions below, and conformance/, whose suites a page lists.
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "Brim"
copyright = "Brim contributors"
version = release = brim.__brim_version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "api",
    "generated",
    "navigation",
    "testref",
]
exclude_patterns = ["_build", "_ext"]

# Quotes and dashes are what they were typed as: an option begins with two of them.
smartquotes = False
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Every reference has to lead somewhere. Names of other projects lead nowhere, as their pages
# are not asked for when the documentation is built.
nitpicky = True
# Type variables have no page.
nitpick_ignore_regex = [("py:.*", r"(?!brim\b).*|brim\.\w+\.(T|F|T_\w+)")]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_inherit_docstrings = False
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
add_module_names = False

# The prompt and the output of a command are not copied.
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = f"Brim {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sphinx = False
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "light_logo": "logo-light.svg",
    "dark_logo": "logo-dark.svg",
    "sidebar_hide_name": True,
    "light_css_variables": {
        "color-brand-primary": "#0b6a70",
        "color-brand-content": "#0b6a70",
        "color-brand-visited": "#0b6a70",
        "color-api-name": "#0b6a70",
        "color-api-pre-name": "#0b6a70",
    },
    "dark_css_variables": {
        "color-brand-primary": "#5fd0d3",
        "color-brand-content": "#5fd0d3",
        "color-brand-visited": "#5fd0d3",
        "color-api-name": "#5fd0d3",
        "color-api-pre-name": "#5fd0d3",
    },
}
# Comments too can be read, on either ground.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
