"""`make bench` runs: the shortest of its rows, told roughly, as it is told to programs."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the benchmarks as the Makefile does."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )


def test_a_row_is_measured_judged_and_explained() -> None:
    ended = bench("start", "--quick", "--json")

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["failed"] == []
    assert told["machine"]["cores"] > 0
    page, shown = told["rows"]
    assert "first page" in page["name"]
    assert 0 < page["numbers"]["seconds"] < 120
    assert "--help" in shown["name"]
    for row in told["rows"]:
        # Whether it is met depends on what else this machine does at the moment.
        assert row["met"] in (True, False)
        assert row["measured"]
        assert row["goal"]
        assert row["why"].endswith(".")


def test_a_row_that_is_not_there_is_named_with_those_that_are() -> None:
    ended = bench("stert")

    assert ended.returncode == 2
    assert "'stert'" in ended.stderr
    assert "slow-readers" in ended.stderr
