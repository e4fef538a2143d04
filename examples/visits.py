"""An application of Flask's, which Brim runs as it is; the README shows it."""

from flask import Flask, session

app = Flask(__name__)
app.secret_key = "only for development"


@app.get("/")
def index():
    session["visits"] = session.get("visits", 0) + 1
    return {"visits": session["visits"]}


@app.get("/about")
async def about():
    return "<h1>About</h1>"
