"""What Brim costs, measured beside its peers: one file for each question.

    make bench                                   all of them, and a table
    .venv-bench/bin/python -m benchmarks.bench_overhead          one of them

Each ``bench_*.py`` prints what it found and says whether its targets were met. Ratios to Flask,
taken in one run on one machine, are what travels; microseconds do not. The peers are the real
ones: the alias is never on in a process that measures.
"""
