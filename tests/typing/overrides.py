"""Subclasses override steps in both signatures. Checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, assert_type

from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import MapAdapter, Rule

from brim import Blueprint, Config, Flask, Request, Response
from brim.blueprints import BlueprintSetupState
from brim.ctx import AppContext, RequestContext
from brim.globals import app_ctx, request_ctx
from brim.json.provider import DefaultJSONProvider
from brim.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from brim.testing import FlaskClient, FlaskCliRunner
from brim.typing import ResponseReturnValue

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class OwnRequest(Request):
    user: str | None = None


class OwnResponse(Response):
    default_mimetype = "application/json"


class OwnAborter(Aborter): ...


class OwnConfig(Config): ...


class OwnRule(Rule): ...


class OwnProvider(DefaultJSONProvider):
    sort_keys = False

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs)


class OwnClient(FlaskClient):
    def login(self) -> None:
        with self.session_transaction() as session:
            assert_type(session, SessionMixin)
            session["user"] = "ada"


class Old(Flask):
    """As for Flask 3.1."""

    request_class = OwnRequest
    response_class = OwnResponse
    aborter_class = OwnAborter
    config_class = OwnConfig
    url_rule_class = OwnRule
    json_provider_class = OwnProvider
    test_client_class = OwnClient
    test_cli_runner_class = FlaskCliRunner
    session_interface = SecureCookieSessionInterface()
    jinja_options = {"trim_blocks": True}

    def full_dispatch_request(self) -> Response:
        return super().full_dispatch_request()

    def preprocess_request(self) -> ResponseReturnValue | None:
        return super().preprocess_request()

    def dispatch_request(self) -> ResponseReturnValue:
        return super().dispatch_request()

    def raise_routing_exception(self, request: Request) -> NoReturn:
        super().raise_routing_exception(request)

    def make_default_options_response(self) -> Response:
        return super().make_default_options_response()

    def finalize_request(
        self, rv: ResponseReturnValue | HTTPException, from_error_handler: bool = False
    ) -> Response:
        return super().finalize_request(rv, from_error_handler)

    def make_response(self, rv: ResponseReturnValue) -> Response:
        return super().make_response(rv)

    def process_response(self, response: Response) -> Response:
        return super().process_response(response)

    def handle_user_exception(self, e: Exception) -> HTTPException | ResponseReturnValue:
        return super().handle_user_exception(e)

    def handle_http_exception(self, e: HTTPException) -> HTTPException | ResponseReturnValue:
        return super().handle_http_exception(e)

    def handle_exception(self, e: Exception) -> Response:
        return super().handle_exception(e)

    def log_exception(self, exc_info: Any) -> None:
        super().log_exception(exc_info)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        super().do_teardown_request(exc)

    def do_teardown_appcontext(self, exc: BaseException | None = None) -> None:
        super().do_teardown_appcontext(exc)

    def trap_http_exception(self, e: Exception) -> bool:
        return super().trap_http_exception(e)

    def should_ignore_error(self, error: BaseException | None) -> bool:
        return super().should_ignore_error(error)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        return super().create_url_adapter(request)

    def update_template_context(self, context: dict[str, Any]) -> None:
        super().update_template_context(context)

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        return super().get_send_file_max_age(filename)

    def inject_url_defaults(self, endpoint: str, values: dict[str, Any]) -> None:
        super().inject_url_defaults(endpoint, values)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return super().wsgi_app(environ, start_response)


class New(Flask):
    """As for Flask 3.2."""

    def full_dispatch_request(self, ctx: RequestContext) -> Response:
        return super().full_dispatch_request(ctx)

    def preprocess_request(self, ctx: RequestContext) -> ResponseReturnValue | None:
        return super().preprocess_request(ctx)

    def dispatch_request(self, ctx: RequestContext) -> ResponseReturnValue:
        assert_type(ctx.request.method, str)
        return super().dispatch_request(ctx)

    def make_default_options_response(self, ctx: RequestContext) -> Response:
        return super().make_default_options_response(ctx)

    def finalize_request(
        self,
        ctx: RequestContext,
        rv: ResponseReturnValue | HTTPException,
        from_error_handler: bool = False,
    ) -> Response:
        return super().finalize_request(ctx, rv, from_error_handler)

    def process_response(self, ctx: RequestContext, response: Response) -> Response:
        return super().process_response(ctx, response)

    def handle_user_exception(
        self, ctx: RequestContext, e: Exception
    ) -> HTTPException | ResponseReturnValue:
        return super().handle_user_exception(ctx, e)

    def handle_http_exception(
        self, ctx: RequestContext, e: HTTPException
    ) -> HTTPException | ResponseReturnValue:
        return super().handle_http_exception(ctx, e)

    def handle_exception(self, ctx: RequestContext, e: Exception) -> Response:
        return super().handle_exception(ctx, e)

    def log_exception(self, ctx: RequestContext, exc_info: Any) -> None:
        super().log_exception(ctx, exc_info)

    def do_teardown_request(self, ctx: RequestContext, exc: BaseException | None = None) -> None:
        super().do_teardown_request(ctx, exc)

    def do_teardown_appcontext(self, ctx: AppContext, exc: BaseException | None = None) -> None:
        super().do_teardown_appcontext(ctx, exc)

    def update_template_context(self, ctx: AppContext, context: dict[str, Any]) -> None:
        super().update_template_context(ctx, context)


class OwnState(BlueprintSetupState):
    version: int = 1


class OwnBlueprint(Blueprint):
    def make_setup_state(
        self, app: Flask, options: dict[str, Any], first_registration: bool = False
    ) -> OwnState:
        return OwnState(self, app, options, first_registration)

    def register(self, app: Flask, options: dict[str, Any]) -> None:
        super().register(app, options)


class StoredSession(dict[str, Any], SessionMixin): ...


class Store(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> StoredSession | None:
        return StoredSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None: ...


def what_they_are(old: Old, new: New) -> None:
    assert_type(old.make_response("x"), Response)
    assert_type(old.test_client(), FlaskClient)
    assert_type(old.handle_exception(ValueError()), Response)
    assert_type(new.should_ignore_error(None), bool)
    assert_type(app_ctx.app, Flask)
    assert_type(request_ctx.request, Request)
    new.session_interface = Store()
    old.register_blueprint(OwnBlueprint("own", __name__))
