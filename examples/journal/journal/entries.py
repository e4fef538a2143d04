"""The pages of entries: lists, one entry, writing, editing, deleting, and the cover."""

from __future__ import annotations

from datetime import datetime

from brim import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    send_from_directory,
    url_for,
)
from brim.typing import ResponseReturnValue
from flask_login import current_user, login_required
from sqlalchemy import select

from . import covers
from .extensions import db
from .forms import DeleteForm, EntryForm
from .models import Entry, User, newest_first, now

bp = Blueprint("entries", __name__)
PER_PAGE = 6


@bp.app_template_filter("date")
def date(moment: datetime) -> str:
    """For people: 21 November 2026."""
    return f"{moment.day} {moment:%B %Y}"


@bp.app_template_filter("iso")
def iso(moment: datetime) -> str:
    """For machines: 2026-11-21T09:30:00+00:00."""
    return moment.isoformat(timespec="seconds")


@bp.get("/")
def index() -> str:
    """What everybody wrote, as far as it is public."""
    page = newest_first(Entry.public(), PER_PAGE)
    return render_template("entries/index.html", page=page, author=None)


@bp.get("/by/<name>")
def by(name: str) -> str:
    """What one person wrote."""
    author = db.first_or_404(select(User).where(User.name == name))
    page = newest_first(Entry.by(author, current_user), PER_PAGE)
    return render_template("entries/index.html", page=page, author=author)


@bp.get("/entries/<int:id>")
def show(id: int) -> str:
    """One entry."""
    entry = Entry.find(id, current_user)
    return render_template("entries/show.html", entry=entry, form=DeleteForm())


@bp.get("/entries/<int:id>/cover")
def cover(id: int) -> ResponseReturnValue:
    """The cover of an entry."""
    entry = Entry.find(id, current_user)
    if entry.cover is None:
        abort(404)
    # A browser may keep it, and asks each time whether it is still the same: the cover can be
    # replaced, and the entry made private.
    response = send_from_directory(current_app.config["COVERS"], entry.cover)
    response.cache_control.private = response.cache_control.no_cache = True
    return response


@bp.route("/entries/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """Write an entry."""
    form = EntryForm()
    del form.remove_cover
    if form.validate_on_submit():
        entry = Entry(author_id=current_user.id)
        save(entry, form)
        flash("The entry is saved.", "success")
        return redirect(url_for(".show", id=entry.id))
    return render_template("entries/edit.html", form=form, entry=None)


@bp.route("/entries/<int:id>/edit", methods=["GET", "POST"])
@login_required
def edit(id: int) -> ResponseReturnValue:
    """Change an entry of one's own."""
    entry = own_entry(id)
    form = EntryForm(title=entry.title, text=entry.text, private=entry.private)
    if entry.cover is None:
        del form.remove_cover
    if form.validate_on_submit():
        entry.edited = now()
        save(entry, form)
        flash("The changes are saved.", "success")
        return redirect(url_for(".show", id=entry.id))
    return render_template("entries/edit.html", form=form, entry=entry)


@bp.post("/entries/<int:id>/delete")
@login_required
def delete(id: int) -> ResponseReturnValue:
    """Delete an entry of one's own, and its cover."""
    entry = own_entry(id)
    file = entry.cover
    db.session.delete(entry)
    db.session.commit()
    if file:
        covers.remove(file)
    flash("The entry is deleted.", "success")
    return redirect(url_for(".index"))


def own_entry(id: int) -> Entry:
    """The entry, if the current user wrote it; else 403, or 404 where it can't be read either."""
    entry = Entry.find(id, current_user)
    if entry.author != current_user:
        abort(403, "Only its author may change an entry.")
    return entry


def save(entry: Entry, form: EntryForm) -> None:
    """Store what the form holds, and keep the folder of covers in step with the database.

    The new file is written before the commit, so that no entry names a file that isn't there, and
    goes again if the commit fails. The old file goes when nothing names it any more.
    """
    entry.title, entry.text, entry.private = form.title.data, form.text.data, form.private.data
    old = new = entry.cover
    if form.picture:
        new = covers.store(form.picture)
        entry.cover_width, entry.cover_height = form.picture.size
    elif form.remove_cover and form.remove_cover.data:
        new = entry.cover_width = entry.cover_height = None
    entry.cover = new
    try:
        db.session.add(entry)
        db.session.commit()
    except BaseException:
        if new and new != old:
            covers.remove(new)
        raise
    if old and old != new:
        covers.remove(old)
