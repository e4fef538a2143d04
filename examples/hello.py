from flask import Flask
from markupsafe import escape

app = Flask(__name__)


@app.route("/")
def index():
    return "Hello, World!"


@app.route("/<name>")
def hello(name):
    return f"Hello, {escape(name)}!"


# Flask's own first example, unchanged. Brim's command answers its import:
#     brim --app examples/hello run
