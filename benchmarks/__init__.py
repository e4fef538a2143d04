"""What Brim costs, measured beside its peers: one file for each question.

    make bench                                             all of them, and a table
    .venv-bench/bin/python -m benchmarks.bench_plain       one of them, with Brim as `make bench`
                                                           has last installed it

Each ``bench_*.py`` prints what it found and says whether its targets were met. What they share:

    measure.py      the statistic, and a figure with its target
    doors.py        WSGI and ASGI by hand
    answers.py      the requests, and what has to come back
    peers/          the programs, one file for each framework
    versus.py       one request asked of all of them
    installed.py    which Brim it is: compiled, or not
    wrk.py          servers as processes, and wrk
    program.py, results.py, report.py, chart.py      tables, JSON, Markdown, SVG

Ratios, taken in one run on one machine, are what travels; microseconds do not. The peers are the
real ones: the alias is never on in a process that measures Flask.
"""
