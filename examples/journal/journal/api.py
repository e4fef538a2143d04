"""The journal as JSON. Errors below /api are JSON as well, which `errors.py` sees to."""

from __future__ import annotations

from typing import Any

from brim import Blueprint, Response, abort, jsonify, request, url_for
from flask_login import current_user, login_required
from werkzeug.datastructures import MultiDict

from .errors import InvalidFields
from .extensions import db
from .forms import TextForm
from .models import Entry, newest_first

bp = Blueprint("api", __name__, url_prefix="/api")

#: What an entry is made of when it is sent, and the words for it.
FIELDS = {"title": (str, "text"), "text": (str, "text"), "private": (bool, "true or false")}


def as_dict(entry: Entry) -> dict[str, Any]:
    """What the API tells of an entry."""
    return {
        "id": entry.id,
        "title": entry.title,
        "text": entry.text,
        "author": entry.author.name,
        "created": entry.created.isoformat(),
        "cover": url_for("entries.cover", id=entry.id) if entry.cover else None,
        "url": url_for("entries.show", id=entry.id),
    }


@bp.get("/entries")
def entries() -> dict[str, Any]:
    """A page of the public entries, newest first."""
    page = newest_first(Entry.public())

    def link(number: int | None) -> str | None:
        return url_for(".entries", page=number, per_page=page.per_page) if number else None

    return {
        "items": [as_dict(entry) for entry in page],
        "page": page.page,
        "pages": page.pages,
        "per_page": page.per_page,
        "total": page.total,
        "next": link(page.next_num),
        "prev": link(page.prev_num),
    }


@bp.get("/entries/<int:id>")
def entry(id: int) -> dict[str, Any]:
    """One entry."""
    return as_dict(Entry.find(id, current_user))


@bp.post("/entries")
@login_required
def create() -> Response:
    """Write an entry. The header X-CSRFToken carries the token, as a form's field does."""
    sent = request.get_json()
    if not isinstance(sent, dict):
        abort(400, 'Send an object: {"title": …, "text": …}.')

    wrong = {name: ["There is no such field."] for name in sent.keys() - FIELDS}
    for name, (kind, words) in FIELDS.items():
        if name in sent and not isinstance(sent[name], kind):
            wrong[name] = [f"This must be {words}."]
    # The header was checked for the token before; the form need not ask for it again.
    form = TextForm(formdata=MultiDict({} if wrong else sent), meta={"csrf": False})
    if wrong or not form.validate():
        raise InvalidFields(wrong or form.errors)

    entry = Entry(author_id=current_user.id, **form.data)
    db.session.add(entry)
    db.session.commit()
    response = jsonify(as_dict(entry))
    response.status_code = 201
    response.location = url_for(".entry", id=entry.id)
    return response
