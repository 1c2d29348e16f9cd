"""Fault cases say in one line what they did: `P01 PASS orders=500 seed=1 seconds=12.3`.

The line is printed at the end of the run, by the process that talks to the terminal.
"""

import time
from collections.abc import Callable

import pytest

Say = Callable[..., None]
_KEY = "fault case"


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Note what a case did: `say("P01", orders=500)`; call it before the last checks."""
    began = time.monotonic()

    def note(name: str, **numbers: object) -> None:
        numbers["seconds"] = round(time.monotonic() - began, 1)
        found = " ".join(f"{key}={value}" for key, value in numbers.items())
        request.node.user_properties.append((_KEY, f"{name} {found}"))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines, sorted by case."""
    lines = [
        str(line).replace(" ", " PASS " if report.passed else " FAIL ", 1)
        for kind in ("passed", "failed")
        for report in terminalreporter.stats.get(kind, [])
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for key, line in report.user_properties
        if key == _KEY
    ]
    if lines:
        terminalreporter.section("fault cases")
    for line in sorted(lines):
        terminalreporter.line(line)
