"""Two applications in one process: a public site, and its admin below ``/admin``.

Each has its own configuration, session cookie and error page, and neither can see the
other's: the dispatcher hands a request to one of them before any of Brim's work begins.

    brim --app examples/two_apps run
    python examples/two_apps.py

Keys and the password come from the environment: SITE_SECRET_KEY, ADMIN_SECRET_KEY and
ADMIN_PASSWORD. Without a password, nobody gets into the admin.
"""

from __future__ import annotations

import secrets

from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

from brim import Flask, redirect, render_template_string, request, session, url_for
from brim.typing import ResponseReturnValue

LOGIN = """\
<form method="post">
  <label>Password <input name="password" type="password"></label> <button>Log in</button>
</form>
"""


def create_site() -> Flask:
    """The public site: counts a visitor's visits."""
    site = Flask("site")
    site.config.from_mapping(SECRET_KEY=secrets.token_hex(), SESSION_COOKIE_NAME="site_session")
    site.config.from_prefixed_env("SITE")

    @site.get("/")
    def index() -> ResponseReturnValue:
        session["visits"] = session.get("visits", 0) + 1
        return render_template_string("Welcome. Visit {{ session.visits }}.")

    @site.errorhandler(404)
    def no_page(error: NotFound) -> ResponseReturnValue:
        return render_template_string("No such page. <a href='/'>Home</a>"), 404

    return site


def create_admin() -> Flask:
    """The admin: a page for those who logged in."""
    admin = Flask("admin")
    admin.config.from_mapping(
        APPLICATION_ROOT="/admin",  # the path of its cookie: the site never receives it
        PASSWORD=None,
        SECRET_KEY=secrets.token_hex(),
        SESSION_COOKIE_NAME="admin_session",
        SESSION_COOKIE_SAMESITE="Strict",
    )
    admin.config.from_prefixed_env("ADMIN")

    @admin.before_request
    def only_for_admins() -> ResponseReturnValue | None:
        if request.endpoint != "login" and "admin" not in session:
            return redirect(url_for("login"))
        return None

    @admin.get("/")
    def index() -> ResponseReturnValue:
        return render_template_string("Signed in. <a href='/'>To the site</a>")

    @admin.route("/login", methods=["GET", "POST"])
    def login() -> ResponseReturnValue:
        if request.method == "GET":
            return LOGIN
        expected, given = admin.config["PASSWORD"], request.form.get("password", "")
        if not expected or not secrets.compare_digest(given.encode(), str(expected).encode()):
            return LOGIN, 403
        session["admin"] = True
        return redirect(url_for("index"))

    @admin.errorhandler(404)
    def no_record(error: NotFound) -> ResponseReturnValue:
        return {"error": "no such record", "path": request.path}, 404

    return admin


# The application that `brim run` finds; its middleware sends all below /admin to the other.
app = create_site()
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/admin": create_admin()})  # type: ignore[method-assign]

if __name__ == "__main__":
    run_simple("127.0.0.1", 5000, app)
