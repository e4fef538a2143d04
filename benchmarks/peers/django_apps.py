"""The programs with Django: its handler, no middleware that a program doesn't need.

Django's settings are the process's, so one process can make one of these programs.
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

from ..answers import CHUNK, CHUNKS, TEXT, USER, created


def configured(urls: list[Any], **more: Any) -> WSGIHandler:
    """Set Django up with these URLs and return its application."""
    urlconf: Any = ModuleType("urls")
    urlconf.urlpatterns = urls
    settings.configure(
        ROOT_URLCONF=urlconf,
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="a key for the benchmark, and a long one",
        MIDDLEWARE=more.pop("MIDDLEWARE", []),
        LOGGING_CONFIG=None,
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        **more,
    )
    django.setup()
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


def basic() -> WSGIHandler:
    return configured(
        [
            path("", hello),
            path("users/<int:user_id>", user),
            path("users", create),
            path("form", form),
            path("upload", upload),
            path("stream", stream),
        ]
    )


APPS = {"basic": basic}
