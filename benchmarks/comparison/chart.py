"""A picture of the comparison."""

from benchmarks.comparison.results import Results


def chart(results: Results) -> str:
    return ""
