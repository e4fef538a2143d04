"""Every error's answer: a page for people, JSON below /api. No other file renders an error.

What nobody expected is logged once, by Brim, with its traceback, and arrives here as a 500 that
tells the visitor nothing of it.
"""

from __future__ import annotations

from brim import Flask, current_app, json, render_template, request
from brim.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
    UnprocessableEntity,
)


class InvalidFields(UnprocessableEntity):
    """What was sent to the API can't be accepted: which fields, and why."""

    description = "Some fields can't be accepted."

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__()
        self.fields = fields


def init_app(app: Flask) -> None:
    """Answer all errors here."""
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> ResponseReturnValue:
    """The error as its visitor can read it, with the headers that belong to it."""
    response = error.get_response()
    if request.path.startswith("/api/"):
        response.data = json.dumps({"error": describe(error)})
        response.content_type = "application/json"
        return response
    try:
        response.data = render_template("errors/error.html", **describe(error))
    except Exception:
        if not isinstance(error, InternalServerError):
            raise
        # The page says who is logged in. Where the database is what failed, that fails again,
        # and the plain page that `get_response` made has to do.
        current_app.logger.exception("The page for an error failed as well")
    return response


def describe(error: HTTPException) -> dict[str, object]:
    """What is told about an error."""
    told: dict[str, object] = {"code": error.code, "name": error.name, "description": words(error)}
    if isinstance(error, InvalidFields):
        told["fields"] = error.fields
    return told


def words(error: HTTPException) -> str | None:
    """What happened, and what to do about it."""
    if isinstance(error, CSRFError):
        return (
            "The form was open for too long, or was not sent from a page of this journal."
            f" Go back, load the page again and send it once more. ({error.description})"
        )
    if isinstance(error, NotFound):
        return "There is no such page, or it is somebody's own."
    if isinstance(error, RequestEntityTooLarge):
        size = current_app.config["MAX_CONTENT_LENGTH"] // 1024**2
        return f"What was sent is too large: {size} MiB are the most. Choose a smaller picture."
    return error.description
