"""Sessions: Flask's cookies, opened when asked for, stored when there is reason to."""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from markupsafe import Markup

from brim import Flask, Request, Response, request, request_finished, session
from brim.json.tag import TaggedJSONSerializer
from brim.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
    session_json_serializer,
)
from brim.testing import FlaskClient

#: When the cookies below were made.
MADE = 1767225600
NAIVE = datetime(2026, 1, 1, 0, 0, 0, 999999)  # noqa: DTZ001

#: Sessions and the cookies that Flask 3.1.3 made of them with the key of the `app` fixture.
FLASKS_COOKIES: list[tuple[dict[str, Any], str]] = [
    ({"user_id": 17}, "eyJ1c2VyX2lkIjoxN30.aVW5AA.X2TtNUEzPfzTofX0ujhl4X7ENfw"),
    (
        {"b": "é\U0001f600", "a": None, "_permanent": True},
        "eyJfcGVybWFuZW50Ijp0cnVlLCJhIjpudWxsLCJiIjoiXHUwMGU5XHVkODNkXHVkZTAwIn0.aVW5AA"
        ".4upOnmVV_GOnuEXzX85lxmIjk_c",
    ),
    (
        {"t": (1, (2,)), "b": b"\xff"},
        ".eJyrVkpSsqpWUgCSSvrltrZKtTpKJWARIBltqANlGMXWxtbWAgAMywxm.aVW5AA"
        ".-_w3dCH0MwI9224I1mum2CH23u0",
    ),
    (
        {"m": Markup("<i>&</i>"), "u": UUID(int=7)},
        ".eJyrVspVsqpWUgCSSjaZdmo2-pl2SrU6SqVgUSCpZIAfmCvV1gIAPwwPuw.aVW5AA"
        ".o5qSVctECJhzjX9SrqoqI2qdf_E",
    ),
    (
        {"d": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
        "eyJkIjp7IiBkIjoiRnJpLCAwMiBKYW4gMjAyNiAwMzowNDowNSBHTVQifX0.aVW5AA"
        ".thTHVTCswae_66ksHMpM8ZQNBV0",
    ),
    (
        {"x": {" t": "no"}, "y": {" t__": [1.5, True]}, "z": {" di": {" di": " di"}}},
        ".eJyrVqpQsqpWUkjJBFMl8fFKVkp5-Uq1tTpKlQihaEM9U52SotLUWKB4FbKOlEyQPDofzK0FAQBf6xy7"
        ".aVW5AA.yF5Pvba0ta4AuYj0cBZwZNQeG8A",
    ),
    (
        {"rows": [{"id": i, "name": "row"} for i in range(12)], "_permanent": True},
        ".eJyrVoovSC3KTcxLzStRsiopKk3VUSrKLy9WsoquVspMUbIy0FHKS8xNVbICCSvV6kBEDbGKGmEVNcYqaoJV"
        "1BSrqBlWUXOsohZYRS2x-wKH59B8F1sLAB0RWTk.aVW5AA.3Kb_zJet_310yrmSzrUO6Ocwt4s",
    ),
]


class Clock:
    """The time that signatures are made and verified at."""

    now = MADE


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: clock.now)
    return clock


@pytest.fixture
def app(app: Flask) -> Flask:
    """An application with a few views on the session."""

    @app.get("/all")
    def everything() -> str:
        return repr(dict(session))

    @app.post("/set")
    def set_items() -> str:
        session.update(request.get_json())
        return ""

    @app.get("/clear")
    def clear() -> str:
        session.clear()
        return ""

    @app.get("/untouched")
    def untouched() -> str:
        return ""

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that sends the cookies it is told to, and keeps none."""
    return app.test_client(use_cookies=False)


def get(client: FlaskClient, path: str, cookie: str = "", name: str = "session") -> Any:
    headers = {"Cookie": f"{name}={cookie}"} if cookie else {}
    return client.get(path, headers=headers)


def unpacked(cookie: str) -> tuple[Any, str]:
    """The payload without compression, which may differ between zlibs, and the time."""
    payload, timestamp, _ = cookie.rsplit(".", 2)
    signing = URLSafeTimedSerializer("any")
    return signing.load_payload(payload.encode(), serializer=json), timestamp


class TestCookie:
    @pytest.mark.parametrize(("content", "cookie"), FLASKS_COOKIES)
    def test_flasks_cookies_are_read(
        self, app: Flask, content: dict[str, Any], cookie: str
    ) -> None:
        with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
            assert session == content
            assert {k: type(v) for k, v in session.items()} == {
                k: type(v) for k, v in content.items()
            }

    @pytest.mark.parametrize(("content", "cookie"), FLASKS_COOKIES)
    def test_cookies_are_written_as_flask_writes_them(
        self, app: Flask, content: dict[str, Any], cookie: str
    ) -> None:
        with app.test_request_context():
            session.update(content)
            response = app.process_response(app.make_response(""))
        name, _, written = response.headers["Set-Cookie"].partition(";")[0].partition("=")
        assert name == "session"
        assert unpacked(written) == unpacked(cookie)
        if not cookie.startswith("."):
            assert written == cookie

    def test_a_bad_cookie_is_taken_for_none(self, app: Flask, client: FlaskClient) -> None:
        good = FLASKS_COOKIES[0][1]
        assert get(client, "/all", good).text == "{'user_id': 17}"
        for bad in (good[:-1], "x" + good, good.replace(".", ""), "....", ".", "\xe9"):
            assert get(client, "/all", bad).text == "{}"

    def test_a_signed_cookie_that_cannot_be_read_is_taken_for_none(
        self, app: Flask, client: FlaskClient
    ) -> None:
        class OtherFormat(TaggedJSONSerializer):
            def dumps(self, value: Any) -> str:
                return '{"id": {" u": "in another format"}}'

        app.session_interface = SecureCookieSessionInterface()
        app.session_interface.serializer = OtherFormat()
        signing = app.session_interface.get_signing_serializer(app)
        assert signing is not None
        cookie = signing.dumps({})
        assert get(client, "/all", cookie).text == "{}"

    def test_a_cookie_is_as_old_as_a_permanent_session_at_most(
        self, app: Flask, client: FlaskClient, clock: Clock
    ) -> None:
        app.permanent_session_lifetime = timedelta(minutes=1)
        cookie = FLASKS_COOKIES[0][1]
        clock.now = MADE + 60
        assert get(client, "/all", cookie).text == "{'user_id': 17}"
        clock.now = MADE + 61
        assert get(client, "/all", cookie).text == "{}"

    def test_attributes_come_from_the_settings(self, app: Flask, client: FlaskClient) -> None:
        app.config.update(
            APPLICATION_ROOT="/app",
            SESSION_COOKIE_NAME="sid",
            SESSION_COOKIE_DOMAIN=".example.com",
            SESSION_COOKIE_HTTPONLY=False,
            SESSION_COOKIE_SECURE=True,
            SESSION_COOKIE_SAMESITE="lax",
            SESSION_COOKIE_PARTITIONED=True,
        )
        cookie = client.post("/set", json={"a": 1}).headers["Set-Cookie"]
        value, _, attributes = cookie.partition("; ")
        assert value.startswith("sid=eyJhIjoxfQ.")
        assert attributes == "Domain=example.com; Secure; Path=/app; SameSite=Lax; Partitioned"
        app.config["SESSION_COOKIE_PATH"] = "/elsewhere"
        sent = {"headers": {"Cookie": value}}
        gone = client.get("/clear", **sent).headers["Set-Cookie"]
        assert gone.startswith("sid=; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT;")
        assert gone.endswith("; Secure; Path=/elsewhere; SameSite=Lax; Partitioned")

    def test_a_permanent_session_expires_later(self, app: Flask, client: FlaskClient) -> None:
        assert "Expires" not in client.post("/set", json={"a": 1}).headers["Set-Cookie"]
        interface = app.session_interface
        permanent = SecureCookieSession({"_permanent": True})
        expires = interface.get_expiration_time(app, permanent)
        assert expires is not None
        assert timedelta(days=30) < expires - datetime.now(UTC) <= timedelta(days=31)
        answer = client.post("/set", json={"_permanent": True})
        assert "; Expires=" in answer.headers["Set-Cookie"]


class TestKeys:
    def cookie_with(self, app: Flask, key: str | bytes | None, fallbacks: Any = None) -> str:
        app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = key, fallbacks
        answer = app.test_client(use_cookies=False).post("/set", json={"key": str(key)})
        return answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]

    def test_old_keys_verify_and_the_current_one_signs(self, app: Flask) -> None:
        old = self.cookie_with(app, "old")
        older = self.cookie_with(app, b"older")
        new = self.cookie_with(app, "new", ["older", "old"])
        client = app.test_client(use_cookies=False)
        for cookie, key in ((old, "old"), (older, "b'older'"), (new, "new")):
            assert key in get(client, "/all", cookie).text
        app.config["SECRET_KEY_FALLBACKS"] = ("old",)
        assert get(client, "/all", older).text == "{}"
        app.secret_key = "older"
        app.config["SECRET_KEY_FALLBACKS"] = None
        assert get(client, "/all", new).text == "{}"
        assert "older" in get(client, "/all", older).text

    def test_the_serializer_is_kept_while_nothing_it_is_made_of_changes(self, app: Flask) -> None:
        interface = SecureCookieSessionInterface()
        first = interface.get_signing_serializer(app)
        assert first is not None
        assert first is interface.get_signing_serializer(app)
        seen = {id(first)}
        app.config["SECRET_KEY_FALLBACKS"] = ["another"]
        kept = [first]
        for attribute, value in (
            ("salt", "salt"),
            ("key_derivation", "django-concat"),
            ("digest_method", hashlib.sha256),
            ("serializer", json),
        ):
            setattr(interface, attribute, value)
            made = interface.get_signing_serializer(app)
            assert made is not None
            kept.append(made)
            seen.add(id(made))
            assert made.loads(made.dumps({"a": 1})) == {"a": 1}
        assert len(seen) == len(kept)

    def test_the_parts_are_for_use_elsewhere_too(self, app: Flask, client: FlaskClient) -> None:
        """As tools and extensions sign a cookie of their own."""
        interface = SecureCookieSessionInterface()
        signing = URLSafeTimedSerializer(
            str(app.secret_key),
            salt=interface.salt,
            serializer=interface.serializer,
            signer_kwargs={
                "key_derivation": interface.key_derivation,
                "digest_method": interface.digest_method,
            },
        )
        assert get(client, "/all", signing.dumps({"a": (1,)})).text == "{'a': (1,)}"

    def test_a_part_that_cannot_be_hashed_will_do(self, app: Flask) -> None:
        class Unhashable(TaggedJSONSerializer):
            __hash__ = None  # type: ignore[assignment]

        interface = SecureCookieSessionInterface()
        interface.serializer = Unhashable()
        signing = interface.get_signing_serializer(app)
        assert signing is not None
        assert signing.loads(signing.dumps((1,))) == (1,)

    def test_without_a_key_a_session_is_empty_and_says_why(self, app: Flask) -> None:
        app.secret_key = None
        cookie = FLASKS_COOKIES[0][1]
        client = app.test_client(use_cookies=False)
        answer = get(client, "/all", cookie)
        assert answer.text == "{}"
        assert "Set-Cookie" not in answer.headers
        with pytest.raises(RuntimeError, match=r"session is unavailable.*app\.secret_key"):
            client.get("/clear")

    def test_a_key_that_is_gone_when_the_session_is_saved_is_missed(self, app: Flask) -> None:
        interface = app.session_interface
        app.secret_key = ""
        changed = SecureCookieSession()
        changed["a"] = 1
        with pytest.raises(RuntimeError, match=r"session is unavailable"):
            interface.save_session(app, changed, app.response_class())


class TestSession:
    @pytest.mark.parametrize(
        ("change", "modified"),
        [
            (lambda s: s.get("a"), False),
            (lambda s: s["a"], False),
            (lambda s: s.setdefault("a", 2), False),
            (lambda s: s.setdefault("b", 2), True),
            (lambda s: s.pop("b", None), False),
            (lambda s: s.pop("a"), True),
            (lambda s: s.popitem(), True),
            (lambda s: s.clear(), True),
            (lambda s: s.update(b=1), True),
            (lambda s: s.__setitem__("a", 1), True),
            (lambda s: s.__delitem__("a"), True),
            (lambda s: s.__ior__({"b": 1}), True),
            (lambda s: setattr(s, "permanent", False), True),
            (lambda s: s.permanent, False),
        ],
    )
    def test_changes_are_noted(self, change: Any, modified: bool) -> None:
        opened = SecureCookieSession({"a": 1})
        assert not opened.modified
        assert not opened.new
        change(opened)
        assert opened.modified is modified

    def test_permanence_is_one_of_its_keys(self) -> None:
        opened = SecureCookieSession()
        assert opened.permanent is False
        opened.permanent = 1  # type: ignore[assignment]
        assert opened == {"_permanent": True}
        assert opened.permanent is True

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: s.__setitem__("a", 1),
            lambda s: s.__delitem__("a"),
            lambda s: s.__ior__({"a": 1}),
            lambda s: s.clear(),
            lambda s: s.pop("a"),
            lambda s: s.popitem(),
            lambda s: s.setdefault("a", 1),
            lambda s: s.update(a=1),
            lambda s: setattr(s, "permanent", True),
        ],
    )
    def test_a_null_session_can_be_read_only(self, change: Any) -> None:
        null = NullSession()
        assert null.get("a") is None
        assert not null.permanent
        assert "a" not in null
        with pytest.raises(RuntimeError, match="session is unavailable because no secret key"):
            change(null)
        assert null == {}

    def test_a_class_that_cannot_tell_is_modified(self) -> None:
        assert SessionMixin.modified is True
        assert SessionMixin.new is SessionMixin.accessed is False


class TestInterface:
    def test_two_methods_have_to_be_provided(self, app: Flask) -> None:
        interface = SessionInterface()
        with app.test_request_context() as ctx:
            with pytest.raises(NotImplementedError):
                interface.open_session(app, ctx.request)
            with pytest.raises(NotImplementedError):
                interface.save_session(app, SecureCookieSession(), app.response_class())
            assert interface.must_refresh(app, ctx.request) is False

    def test_null_sessions_are_of_its_own_class(self, app: Flask) -> None:
        class Missing(NullSession): ...

        interface = SessionInterface()
        assert type(interface.make_null_session(app)) is NullSession
        interface.null_session_class = Missing
        null = interface.make_null_session(app)
        assert interface.is_null_session(null)
        assert not interface.is_null_session(NullSession())
        assert not interface.pickle_based

    @pytest.mark.parametrize("modified", [True, False])
    @pytest.mark.parametrize("permanent", [True, False])
    @pytest.mark.parametrize("refresh", [True, False])
    def test_a_cookie_is_set_for_a_change_or_to_prolong(
        self, app: Flask, modified: bool, permanent: bool, refresh: bool
    ) -> None:
        app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
        opened = SecureCookieSession({"_permanent": permanent})
        opened.modified = modified
        expected = modified or (permanent and refresh)
        assert SessionInterface().should_set_cookie(app, opened) is expected


class TestResponse:
    def test_a_session_that_was_looked_at_varies_by_cookie(
        self, app: Flask, client: FlaskClient
    ) -> None:
        looks: list[Any] = [len, list, bool, repr, lambda s: "a" in s, lambda s: s.get("a")]

        @app.get("/look/<int:index>")
        def look(index: int) -> str:
            looks[index](session)
            return ""

        for index in range(len(looks)):
            answer = client.get(f"/look/{index}")
            assert answer.headers["Vary"] == "Cookie"
            assert "Set-Cookie" not in answer.headers
        assert "Vary" not in client.get("/untouched").headers

    @pytest.mark.parametrize(
        ("before", "after"),
        [("Accept", "Accept, Cookie"), ("Cookie, Accept", "Cookie, Accept"), ("cookie", "cookie")],
    )
    def test_what_a_view_said_of_varying_is_kept(
        self, app: Flask, client: FlaskClient, before: str, after: str
    ) -> None:
        @app.get("/varying")
        def varying() -> Any:
            session["a"] = 1
            return "", {"Vary": before}

        assert client.get("/varying").headers.getlist("Vary") == [after]

    def test_an_emptied_session_is_deleted(self, app: Flask, client: FlaskClient) -> None:
        answer = get(client, "/clear", FLASKS_COOKIES[0][1])
        assert answer.headers.getlist("Set-Cookie") == [
            "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"
        ]
        assert answer.headers.getlist("Vary") == ["Cookie"]

    def test_vary_is_added_for_a_session_that_no_request_looked_at(self, app: Flask) -> None:
        """As an extension may change one that it opened by itself."""
        for content in ({"a": 1}, {}):
            changed = SecureCookieSession(content)
            changed.modified = True
            response = app.response_class()
            app.session_interface.save_session(app, changed, response)
            assert response.headers["Vary"] == "Cookie"
            assert "Set-Cookie" in response.headers

    def test_headers_show_what_the_session_added(self, app: Flask, client: FlaskClient) -> None:
        seen: list[tuple[str, str]] = []

        def look(sender: Any, response: Any, **extra: Any) -> None:
            seen.extend(response.headers)

        with request_finished.connected_to(look, app):
            answer = client.post("/set", json={"a": 1})
        # The names are in lower case under ASGI.
        assert [value for _, value in seen] == [value for _, value in answer.headers]
        assert [name for name, _ in seen] == [
            "Content-Type",
            "Content-Length",
            "Vary",
            "Set-Cookie",
        ]

    def test_a_response_class_may_set_cookies_in_its_own_way(
        self, app: Flask, client: FlaskClient
    ) -> None:
        names: list[str] = []

        class Own(Response):
            def set_cookie(self, key: str, *args: Any, **kwargs: Any) -> None:
                names.append(key)
                super().set_cookie(key, *args, **kwargs)

        app.response_class = Own
        assert "Set-Cookie" in client.post("/set", json={"a": 1}).headers
        assert names == ["session"]

    def test_a_request_class_may_read_cookies_in_its_own_way(
        self, app: Flask, client: FlaskClient
    ) -> None:
        class Own(Request):
            cookies = property(lambda self: {"session": FLASKS_COOKIES[0][1]})  # type: ignore

        app.request_class = Own
        assert get(client, "/all", "none").text == repr(FLASKS_COOKIES[0][0])

    @pytest.mark.parametrize("expires", [None, "Thu, 01 Jan 2026 00:00:00 GMT", NAIVE, 1767225600])
    def test_an_interface_may_expire_cookies_in_its_own_way(
        self, app: Flask, client: FlaskClient, expires: Any
    ) -> None:
        class Own(SecureCookieSessionInterface):
            def get_expiration_time(self, app: Flask, session: SessionMixin) -> Any:
                return expires

        app.session_interface = Own()
        cookie = client.post("/set", json={"a": 1}).headers["Set-Cookie"]
        assert ("Expires=Thu, 01 Jan 2026 00:00:00 GMT;" in cookie) == (expires is not None)

    def test_a_serializer_of_ones_own_may_write_any_text(
        self, app: Flask, client: FlaskClient
    ) -> None:
        class Plain:
            def dumps(self, value: Any) -> str:
                return json.dumps(value)

            def loads(self, text: str, max_age: int) -> Any:
                return json.loads(text)

        class Own(SecureCookieSessionInterface):
            def get_signing_serializer(self, app: Flask) -> Any:
                return Plain()

        app.session_interface = Own()
        written = client.post("/set", json={"a": "; é"}).headers["Set-Cookie"].split("; ")[0]
        assert written == r'session="{\"a\": \"\073 \\u00e9\"}"'
        assert client.get("/all", headers={"Cookie": written}).text == "{'a': '; é'}"

    def test_a_cookie_that_is_too_large_is_warned_of(self, app: Flask, client: FlaskClient) -> None:
        length = len(client.post("/set", json={"a": 1}).headers["Set-Cookie"])
        for limit in (length, 0):
            app.config["MAX_COOKIE_SIZE"] = limit
            client.post("/set", json={"a": 1})
        app.config["MAX_COOKIE_SIZE"] = length - 1
        with pytest.warns(UserWarning, match="The 'session' cookie is too large"):
            client.post("/set", json={"a": 1})


class TestRefresh:
    @pytest.fixture
    def opened(self, app: Flask) -> Iterator[list[str]]:
        """The paths of requests that a session was opened for."""
        paths = []
        interface = app.session_interface = SecureCookieSessionInterface()
        plain = interface.open_session

        def noting(app: Flask, request: Any) -> Any:
            paths.append(request.path)
            return plain(app, request)

        interface.open_session = noting  # type: ignore[method-assign]
        yield paths

    @pytest.mark.parametrize(("content", "cookie"), FLASKS_COOKIES)
    def test_a_permanent_session_is_prolonged_by_requests_that_ignore_it(
        self, app: Flask, opened: list[str], content: dict[str, Any], cookie: str, clock: Clock
    ) -> None:
        clock.now += 60
        answer = get(app.test_client(use_cookies=False), "/untouched", cookie)
        permanent = content.get("_permanent", False)
        assert bool(opened) is permanent
        assert ("Set-Cookie" in answer.headers) is permanent
        assert ("Vary" in answer.headers) is permanent
        if permanent:
            again = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
            assert unpacked(again)[0] == unpacked(cookie)[0]
            assert again.split(".")[-2] > cookie.split(".")[-2]

    def test_not_if_the_setting_is_off(self, app: Flask, opened: list[str]) -> None:
        app.config["SESSION_REFRESH_EACH_REQUEST"] = False
        answer = get(app.test_client(use_cookies=False), "/untouched", FLASKS_COOKIES[1][1])
        assert "Set-Cookie" not in answer.headers
        assert opened == []

    @pytest.mark.parametrize("name", ["theirs", "xsession", "session_"])
    def test_not_for_other_cookies(self, app: Flask, opened: list[str], name: str) -> None:
        answer = get(
            app.test_client(use_cookies=False), "/untouched", FLASKS_COOKIES[1][1], name=name
        )
        assert "Set-Cookie" not in answer.headers
        assert opened == []

    def test_a_forged_cookie_gets_nothing(self, app: Flask, client: FlaskClient) -> None:
        forged = FLASKS_COOKIES[1][1][:-2] + "AA"
        assert "Set-Cookie" not in get(client, "/untouched", forged).headers

    def must_refresh(self, app: Flask, cookie: str) -> bool:
        with app.test_request_context(headers={"Cookie": f"session={cookie}"}) as ctx:
            return app.session_interface.must_refresh(app, ctx.request)

    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            (b'{"_permanent":true}', True),
            (b'{ "_permanent" : 1 }', True),
            (b'{"_permanent":false}', False),
            (b'{"_permanent": false}', False),
            (b'{"text":"\\"_permanent\\":true"}', False),
            (b'{"_permanents":true}', False),
            (b"", False),
        ],
    )
    def test_the_payload_decides(self, app: Flask, payload: bytes, expected: bool) -> None:
        plain = urlsafe_b64encode(payload).decode().rstrip("=")
        packed = urlsafe_b64encode(zlib.compress(payload)).decode().rstrip("=")
        assert self.must_refresh(app, f"{plain}.aVW5AA.signature") is expected
        assert self.must_refresh(app, f".{packed}.aVW5AA.signature") is expected

    def test_what_would_unpack_to_too_much_is_left_to_the_signature(self, app: Flask) -> None:
        bomb = urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode().rstrip("=")
        assert self.must_refresh(app, f".{bomb}.aVW5AA.signature")
        assert (
            get(app.test_client(use_cookies=False), "/untouched", f".{bomb}.aVW5AA.signature").text
            == ""
        )

    @pytest.mark.wsgi("no request is made")
    @given(
        st.text(st.characters(codec="ascii", exclude_characters=';, "\\\t\r\n'))
        | st.binary().map(lambda data: "." + urlsafe_b64encode(data).decode())
        | st.binary().map(lambda data: urlsafe_b64encode(data).decode())
    )
    def test_no_cookie_makes_it_fail(self, cookie: str) -> None:
        app = Flask("tests", root_path=".")
        assert self.must_refresh(app, cookie) in (True, False)

    def test_a_format_or_rules_of_ones_own_are_asked_with_the_session(self, app: Flask) -> None:
        class OtherOpen(SecureCookieSessionInterface):
            def open_session(self, app: Flask, request: Any) -> Any:
                return None

        class OtherSigning(SecureCookieSessionInterface):
            def get_signing_serializer(self, app: Flask) -> Any:
                return None

        class OtherRule(SecureCookieSessionInterface):
            def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
                return True

        class OtherText(SecureCookieSessionInterface):
            serializer = json  # type: ignore[assignment]

        class AlwaysPermanent(SecureCookieSession):
            permanent = True

        class OtherSession(SecureCookieSessionInterface):
            session_class = AlwaysPermanent

        brief = FLASKS_COOKIES[0][1]
        for kind in (OtherOpen, OtherSigning, OtherRule, OtherText, OtherSession):
            app.session_interface = kind()
            app.config["SESSION_REFRESH_EACH_REQUEST"] = True
            assert self.must_refresh(app, brief)
            assert not self.must_refresh(app, "")
            app.config["SESSION_REFRESH_EACH_REQUEST"] = False
            assert self.must_refresh(app, brief) is (kind is OtherRule)


def test_tags_that_are_registered_count_for_all_applications() -> None:
    assert SecureCookieSessionInterface.serializer is session_json_serializer
