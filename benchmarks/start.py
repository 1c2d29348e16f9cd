"""Row: how long until the shop answers, and until help is on the screen."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.ground import address_said_by, clean_environment, new_shop, start, stop
from benchmarks.rows import Row, ms


def measure(*, quick: bool) -> list[Row]:
    """Start it several times; the first time, which fills caches, does not count."""
    rounds = 1 if quick else 7
    with new_shop(1000) as home:
        page = _median(rounds, lambda: _first_page(home))
        imports = _median(rounds, lambda: _run("-c", "import handsel.web.front"))
    bare = _median(rounds, lambda: _run("-c", "pass"))
    shown = _median(rounds, lambda: _run("-m", "handsel", "--help"))
    return [_page(page, imports, rounds), _help(shown, bare, rounds)]


def _median(rounds: int, job: Callable[[], float]) -> float:
    return median([job() for _ in range(rounds + 1)][1:])


def _first_page(home: Path) -> float:
    """Give the seconds from starting `handsel run` to the first whole page."""
    begin = time.perf_counter()
    options = ("--home", home, "--bind", "127.0.0.1:0", "--json")
    process = start("handsel", "run", *options)
    try:
        _look(address_said_by(process))
        return time.perf_counter() - begin
    finally:
        stop(process)


def _look(url: str) -> None:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310  # our own
        answer.read()


def _run(*command: str) -> float:
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, *command],
        check=True,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def _page(page: float, imports: float, rounds: int) -> Row:
    return Row(
        name="`handsel run` to the first page",
        measured=ms(page),
        goal="< 1.0 s",
        met=page < 1.0,
        why=f"A fresh process on a shop that exists, its worker starting beside it; "
        f"median of {rounds}. Loading the code alone takes {ms(imports)}.",
        numbers={"seconds": page, "imports": imports},
    )


def _help(shown: float, bare: float, rounds: int) -> Row:
    return Row(
        name="`handsel --help`",
        measured=ms(shown),
        goal="< 0.2 s",
        met=shown < 0.2,
        why=f"Commands are imported when they are called; median of {rounds}. An empty "
        f"Python takes {ms(bare)} here.",
        numbers={"seconds": shown, "python": bare},
    )
