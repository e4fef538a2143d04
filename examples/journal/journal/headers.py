"""The headers that tell a browser what to refuse."""

from __future__ import annotations

from brim import Flask, Response

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def init_app(app: Flask) -> None:
    """Send the headers with each response."""
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    """Add what the response does not have yet."""
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # Flask-WTF looks at the referrer under HTTPS, so it has to be sent within the site.
    headers.setdefault("Referrer-Policy", "same-origin")
    if response.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    return response
