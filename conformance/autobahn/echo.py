"""The application that the Autobahn test suite talks to: it sends back what it is sent."""

from __future__ import annotations

from brim import Flask, websocket

app = Flask(__name__)


@app.get("/")
def ready() -> str:
    return "ready"


@app.websocket("/sync")
def echo_on_a_thread() -> None:
    for message in websocket:
        websocket.send(message)


@app.websocket("/async")
async def echo_on_a_loop() -> None:
    async for message in websocket:
        await websocket.send(message)
