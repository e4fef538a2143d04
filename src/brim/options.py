"""Kinds of values that options of the command take: certificates and lists of paths.

Here a text becomes a value or a message that says why it can't. What the value is for is
not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from ssl import SSLContext


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    """The value of ``--cert``: a file, ``adhoc``, or where an ``SSLContext`` is imported from."""

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | SSLContext:
        """Return a file's absolute path, ``"adhoc"`` or an ``SSLContext``."""
        try:
            # Python can be built without it.
            import ssl
        except ImportError:
            self.fail("This Python has no 'ssl' module, which HTTPS needs.", param, ctx)
        try:
            return cast("str", self.path_type(value, param, ctx))
        except click.BadParameter as error:
            no_file = error.message
        if value == "adhoc":
            try:
                # Optional, and slow to load.
                import cryptography  # noqa: F401  # pyright: ignore[reportUnusedImport]
            except ImportError:
                self.fail(
                    "A certificate made for the occasion needs the library 'cryptography':"
                    " pip install cryptography.",
                    param,
                    ctx,
                )
            return "adhoc"
        from werkzeug.utils import import_string  # needed for this one form of an option only

        found = import_string(value, silent=True)
        if isinstance(found, ssl.SSLContext):
            return found
        self.fail(f"{no_file} It is no 'SSLContext' to import and not 'adhoc' either.", param, ctx)


def pair_key(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Make ``cert`` the pair of files that the server takes, if a key is given."""
    # The option --cert is eager: its value is there, whichever stood first.
    cert = ctx.params.get("cert")
    is_file = isinstance(cert, str) and cert != "adhoc"
    if value is None:
        if is_file:
            raise click.BadParameter("A file given by '--cert' needs one.", ctx, param)
    elif is_file:
        ctx.params["cert"] = cert, value
    elif cert is None:
        raise click.BadParameter("It needs a certificate: give '--cert' too.", ctx, param)
    else:
        what = "'adhoc'" if cert == "adhoc" else "an 'SSLContext'"
        raise click.BadParameter(f"'--cert' is {what}, which has its own.", ctx, param)
    return value


class SeparatedPathType(click.Path):
    """Several paths in one value, separated as in ``PATH``: by ``:``, on Windows ``;``."""

    def convert(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Any]:
        """Return the list of paths."""
        paths = self.split_envvar_value(value) if isinstance(value, str) else value
        return [super(SeparatedPathType, self).convert(path, param, ctx) for path in paths]
