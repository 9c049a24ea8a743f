"""What every test gets: reproducible hypothesis runs, and no skip that nobody decided on."""

import os

import pytest
from hypothesis import settings

KNOWN_SKIPS = ("needs a MongoDB replica set", "needs a C compiler")
"""Reasons a test may give for not running where CI checks; any other skip there is a failure."""

settings.register_profile("yuanxin", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("yuanxin")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Under CI, turn a skip into a failure: a check that did not run has proved nothing."""
    report = yield
    if report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not reason.startswith(KNOWN_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped under CI: {reason}"
    return report
