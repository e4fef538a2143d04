"""What is decorated keeps its type. Checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, assert_type

from werkzeug.exceptions import NotFound

from brim import (
    Blueprint,
    Flask,
    Response,
    after_this_request,
    copy_current_request_context,
    stream_with_context,
)
from brim.blueprints import BlueprintSetupState
from brim.views import MethodView, View

app = Flask(__name__)
bp = Blueprint("bp", __name__)


# Views ---------------------------------------------------------------------------------


@app.route("/<int:x>", methods=["GET", "POST"], endpoint="named", defaults={"y": "a"})
def routed(x: int, y: str) -> str:
    return y * x


@app.get("/")
@bp.post("/", strict_slashes=False)
async def asynchronous() -> dict[str, int]:
    return {"a": 1}


@bp.endpoint("later")
def later() -> Response:
    return Response()


@app.get("/headers")
def with_headers() -> tuple[list[int], dict[str, list[str]]]:
    return [1], {"X-A": ["1", "2"]}


@app.get("/generator")
async def generator() -> AsyncIterator[bytes]:
    async def parts() -> AsyncIterator[bytes]:
        yield b"part"

    return parts()


assert_type(routed(1, "a"), str)
assert_type(later(), Response)
routed("not an int", "a")  # type: ignore[arg-type]
app.route("/")(lambda: object())  # type: ignore[type-var]
app.get(1)  # type: ignore[arg-type]


async def awaits() -> None:
    assert_type(await asynchronous(), dict[str, int])


class Hello(View):
    methods = ["GET"]
    init_every_request = False

    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def dispatch_request(self, name: str = "") -> str:
        return f"{self.greeting}, {name}"


def shout(view: Callable[..., str]) -> Callable[..., str]:
    def decorated(**values: Any) -> str:
        return view(**values).upper()

    return decorated


class Methods(MethodView):
    decorators = [shout]

    async def get(self) -> str:
        return "get"

    def post(self, name: str) -> tuple[str, int]:
        return name, 201


app.add_url_rule("/hello", view_func=Hello.as_view("hello", "Hello"))
bp.add_url_rule("/methods", view_func=Methods.as_view("methods"))


# Hooks ---------------------------------------------------------------------------------


@app.before_request
@bp.before_app_request
def before() -> str | None:
    return None


@app.after_request
@bp.after_app_request
def after(response: Response) -> Response:
    return response


@app.teardown_request
@app.teardown_appcontext
@bp.teardown_app_request
def teardown(error: BaseException | None) -> None: ...


@app.context_processor
@bp.app_context_processor
def processor() -> dict[str, Any]:
    return {"a": 1}


@app.url_value_preprocessor
@bp.app_url_value_preprocessor
def values(endpoint: str | None, values: dict[str, Any] | None) -> None: ...


@app.url_defaults
@bp.app_url_defaults
def defaults(endpoint: str, values: dict[str, Any]) -> None: ...


@app.shell_context_processor
def shell() -> dict[str, Any]:
    return {}


assert_type(before(), str | None)
assert_type(after(Response()), Response)
assert_type(processor(), dict[str, Any])
app.teardown_request(before)  # type: ignore[type-var]


@app.errorhandler(404)
@app.errorhandler(NotFound)
@bp.app_errorhandler(404)
def missing(error: NotFound) -> tuple[str, int]:
    return error.name, 404


@bp.errorhandler(KeyError)
async def key(error: KeyError) -> str:
    return str(error)


app.register_error_handler(ValueError, lambda error: str(error))
assert_type(missing(NotFound()), tuple[str, int])
app.errorhandler("404")  # type: ignore[arg-type]


def view_with_callbacks() -> str:
    @after_this_request
    def once(response: Response) -> Response:
        return response

    @copy_current_request_context
    def work(x: int) -> str:
        return str(x)

    assert_type(once(Response()), Response)
    return work(1)


@stream_with_context
def stream(count: int) -> Iterator[str]:
    yield from map(str, range(count))


assert_type(stream(3), Iterator[str])
assert_type(stream_with_context(iter([b"a"])), Iterator[bytes])


# Templates -----------------------------------------------------------------------------


@app.template_filter
@bp.app_template_filter
def bare(text: str) -> str:
    return text[::-1]


@app.template_filter()
@bp.app_template_filter()
def called(text: str) -> str:
    return text


@app.template_filter("renamed")
@bp.app_template_filter(name="renamed")
def renamed(text: str) -> str:
    return text


@app.template_test
@bp.app_template_test("odd")
def odd(value: int) -> bool:
    return value % 2 == 1


@app.template_global
@bp.app_template_global()
def answer() -> int:
    return 42


assert_type(bare("a"), str)
assert_type(called("a"), str)
assert_type(renamed("a"), str)
assert_type(odd(1), bool)
assert_type(answer(), int)
app.template_filter(1)  # type: ignore[call-overload]
app.add_template_filter(bare, "other")
bp.add_app_template_global(answer)


# Blueprints ----------------------------------------------------------------------------


@bp.record
def recorded(state: BlueprintSetupState) -> None:
    assert_type(state.app, Flask)
    assert_type(state.first_registration, bool)


bp.register_blueprint(Blueprint("inner", __name__, url_prefix="/inner"), name="other")
app.register_blueprint(bp, url_prefix="/bp", subdomain="www")


def decorated_by_the_users_own(view: Callable[[int], Awaitable[str]]) -> None:
    assert_type(app.get("/own")(view), Callable[[int], Awaitable[str]])
