"""Stand-ins for the systems the hospital already has: real servers that answer as those do.

Each can be told to fail (`faults.py`), keeps its state under `<data_dir>/sandbox/` and commits it
before it answers, so that somebody judging a crash can believe what he finds there. The package
knows settings and the clock and nothing else of the product: it must not share the mistakes of
what it stands in for. It is composed in `app.py` and started only with `--sandbox` or as
`python -m server sandbox`.
"""
