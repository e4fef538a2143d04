"""The published test suites of Flask and of its extensions, run on Brim.

    python -m conformance                     every suite
    python -m conformance flask flask-login   some

Here live five files and their data. ``suites.py`` says which suites there are (suites.toml),
``workshop.py`` makes what one needs and runs it, ``outcomes.py`` reads what came out and holds it
against what Flask scores (baseline/), ``results.py`` keeps what is told of it (results/),
``__main__.py`` is the command. Nothing here knows Brim from the inside: a suite meets it as a user
does, by ``-p brim.as_flask``.
"""
