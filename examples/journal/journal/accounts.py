"""Accounts: registering, logging in and out."""

from __future__ import annotations

import re

from brim import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from brim.typing import ResponseReturnValue
from flask_login import current_user, login_required, login_user, logout_user
from sqlalchemy.exc import IntegrityError

from .extensions import db, login_manager
from .forms import LoginForm, RegisterForm
from .models import User

bp = Blueprint("accounts", __name__, url_prefix="/accounts")


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Make an account."""
    if current_user.is_authenticated:
        return redirect(url_for("entries.index"))
    form = RegisterForm()
    if form.validate_on_submit():
        user = User(name=form.name.data)
        user.set_password(form.password.data)
        db.session.add(user)
        try:
            db.session.commit()
        except IntegrityError:
            # To ask first whether the name is free would leave a gap for someone else to take it.
            db.session.rollback()
            form.name.errors.append("This name is taken.")
        else:
            flash(f"Welcome, {user.name}. You can log in now.", "success")
            return redirect(url_for(".login"))
    return render_template("accounts/register.html", form=form)


@bp.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Log in, and go on to where one was going."""
    if current_user.is_authenticated:
        return redirect(next_page())
    form = LoginForm()
    if form.validate_on_submit():
        user = User.with_password(form.name.data, form.password.data)
        if user:
            # Whatever the session held belonged to nobody in particular.
            session.clear()
            login_user(user, remember=form.remember.data)
            flash(f"Hello, {user.name}.", "success")
            return redirect(next_page())
        current_app.logger.warning("Failed login as %r", form.name.data)
        # One message for both, as it must not tell which names there are.
        form.password.errors.append("The name or the password is wrong.")
    return render_template("accounts/login.html", form=form)


@bp.post("/logout")
@login_required
def logout() -> ResponseReturnValue:
    """Log out."""
    session.clear()
    logout_user()
    flash("You are logged out.", "info")
    return redirect(url_for("entries.index"))


@login_manager.unauthorized_handler
def ask_to_log_in() -> ResponseReturnValue:
    """What a visitor meets where an account is needed."""
    if request.blueprint == "api":
        abort(401, "Log in first.")
    flash("Please log in first.", "info")
    if request.method == "GET":
        return redirect(url_for("accounts.login", next=request.path))
    return redirect(url_for("accounts.login"))


def next_page() -> str:
    """Where `?next=` leads, as long as that is a page of this site; else the index.

    Browsers take `//host`, and `/` followed by a backslash, for another site; and they skip tabs
    and line ends. So nothing but a plain path is followed.
    """
    target = request.args.get("next", "")
    return target if re.fullmatch(r"/(?![/\\])[^\\\s]*", target) else url_for("entries.index")
