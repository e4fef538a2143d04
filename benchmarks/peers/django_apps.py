"""The programs with Django: its handler, no middleware that a program doesn't need.

Django's settings are the process's, and so are the URLs; what differs is the middleware.
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path
from django.views.static import serve

from ..answers import CHUNK, CHUNKS, STATIC, TEXT, USER, Counted, created


def handler(middleware: list[str]) -> WSGIHandler:
    """Make an application with this middleware; the URLs of all programs are at the end."""
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["127.0.0.1"],
            SECRET_KEY="a key for the benchmark, and a long one",
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
            DATA_UPLOAD_MAX_MEMORY_SIZE=None,
            LOGGING_CONFIG=None,
        )
        # Else each 404 would be written to the terminal.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        django.setup()
    settings.MIDDLEWARE = middleware
    return WSGIHandler()


def hello(request: Any) -> HttpResponse:
    return HttpResponse(TEXT)


def user(request: Any, user_id: int) -> JsonResponse:
    return JsonResponse({**USER, "id": user_id})


def create(request: Any) -> JsonResponse:
    return JsonResponse(created(json.loads(request.body)))


def form(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.POST['name']}, {request.POST['city']}")


def upload(request: Any) -> HttpResponse:
    file = request.FILES["file"]
    return HttpResponse(f"{request.POST['name']}: {file.name}, {len(file.read())}")


def stream(request: Any) -> StreamingHttpResponse:
    chunks = (CHUNK for _ in range(CHUNKS))
    return StreamingHttpResponse(chunks, content_type="application/octet-stream")


counted = Counted()


def counting(get_response: Any) -> Any:
    """One of five."""

    def middleware(request: Any) -> Any:
        counted.count += 1
        response = get_response(request)
        counted.count -= 1
        return response

    return middleware


def hooked(request: Any) -> HttpResponse:
    return HttpResponse(counted.text())


def broken(request: Any) -> HttpResponse:
    raise LookupError("no such thing")


def handling(get_response: Any) -> Any:
    """How Django has an exception of the application's handled."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    def process_exception(request: Any, error: Exception) -> HttpResponse | None:
        return HttpResponse(str(error), status=409) if isinstance(error, LookupError) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def login(request: Any) -> HttpResponse:
    request.session["user"] = 7
    request.session["name"] = "ada"
    return HttpResponse(TEXT)


def me(request: Any) -> HttpResponse:
    return HttpResponse(f"{request.session['name']}, {request.session['user']}")


urlpatterns = [
    path("", hello),
    path("users/<int:user_id>", user),
    path("users", create),
    path("form", form),
    path("upload", upload),
    path("stream", stream),
    path("area/", include([path("hooked", hooked)])),
    path("broken", broken),
    path("login", login),
    path("me", me),
    path("idle", hello),
    path("static/<path:path>", serve, {"document_root": STATIC}),
]
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
APPS = {
    "basic": partial(handler, []),
    "upload": partial(handler, []),
    "hooks": partial(handler, [f"{__name__}.counting"] * 5),
    "errors": partial(handler, [f"{__name__}.handling"]),
    "session": partial(handler, [SESSIONS]),
    "static": partial(handler, []),
}
