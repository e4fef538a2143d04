"""What users write, as mypy and pyright read it in strict mode. Checked by them, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from brim import (
    Blueprint,
    EventStream,
    Flask,
    Request,
    Response,
    ServerSentEvent,
    abort,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    stream_with_context,
    url_for,
)
from brim.typing import ResponseReturnValue
from brim.views import MethodView

app = Flask(__name__)
bp = Blueprint("users", __name__, url_prefix="/users")


@app.route("/")
def text() -> str:
    return render_template("index.html", name="Ada")


@app.get("/bytes")
def data() -> tuple[bytes, int, dict[str, str]]:
    return b"data", 201, {"X-Kind": "bytes"}


@app.get("/json")
def json() -> dict[str, Any]:
    return {"id": 1}


@app.get("/list")
def rows() -> list[int]:
    return [1, 2]


@app.get("/stream")
def stream() -> Iterator[str]:
    def chunks() -> Iterator[str]:
        yield request.path

    return stream_with_context(chunks())


@app.get("/stream-async")
async def stream_async() -> AsyncIterator[str]:
    @stream_with_context
    async def chunks() -> AsyncIterator[str]:
        yield request.path

    return assert_type(chunks(), AsyncIterator[str])


@app.get("/response-async")
def response_async() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data"

    return Response(chunks(), 201, {"X-Kind": "bytes"})


@app.get("/events")
def events() -> EventStream:
    assert_type(request.last_event_id, str | None)

    async def changes() -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent({"id": 1}, event="change", id=1, retry=100)
        yield ServerSentEvent(comment="nothing new")

    return EventStream(changes(), keep_alive=5)


@app.get("/events-sync")
def events_sync() -> tuple[EventStream, int, dict[str, str]]:
    def changes() -> Iterator[ServerSentEvent | str | dict[str, int] | None]:
        yield "text"
        yield {"id": 1}
        yield None

    return EventStream(changes(), keep_alive=None), 200, {"X-Kind": "events"}


@app.get("/any")
def anything() -> ResponseReturnValue:
    return jsonify(1), 202


@app.post("/async")
async def coroutine() -> str:
    return "awaited"


@bp.before_request
def load_user() -> None:
    g.user = session.get("user")


@bp.errorhandler(404)
def missing(error: Exception) -> tuple[str, int]:
    return str(error), 404


@bp.after_request
def stamp(response: Response) -> Response:
    response.headers["X-Stamp"] = "1"
    return response


@app.teardown_appcontext
def close(error: BaseException | None) -> None:
    g.pop("db", None)


@app.template_filter("shout")
def shout(value: str) -> str:
    return value.upper()


class UserView(MethodView):
    init_every_request = False

    def get(self, user_id: int) -> ResponseReturnValue:
        if user_id < 0:
            abort(404)
        return redirect(url_for("users.user", user_id=user_id))


bp.add_url_rule("/<int:user_id>", view_func=UserView.as_view("user"))
app.register_blueprint(bp)


def what_names_are() -> None:
    assert_type(request.method, str)
    assert_type(make_response("x"), Response)
    assert_type(url_for("text"), str)
    assert_type(app.test_client().get("/").status_code, int)
    assert_type(current_app.name, str)
    assert_type(app.request_class, type[Request])
    with app.app_context(), app.test_request_context("/"):
        assert_type(app.debug, bool)
