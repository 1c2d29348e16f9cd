"""Row: thousands who read slowly must not be felt by those who look at pages."""

import time
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks import load, readers
from benchmarks.ground import Crowd, Running, crowd, new_shop, running
from benchmarks.load import Tally
from benchmarks.purchases import open_downloads
from benchmarks.readers import Served
from benchmarks.rows import Row, ms, quantile

READERS = 2000
PACE = 70_000
"""Bytes a second of each reader: a phone on a poor connection."""
SIZE = 8_000_000
COMING = 50
"""How many readers begin each second."""
PAGES = 50
"""Page views a second, while idle and while the readers are there."""


def measure(*, quick: bool) -> list[Row]:
    """Measure page times without the readers, with them, and without them again."""
    count, idle, busy = (250, 3, 5) if quick else (READERS, 8, 16)
    with new_shop(SIZE) as home, crowd() as people, _web(home) as server:
        paths = open_downloads(home, count)
        _pages(people, server, 2)
        before = _pages(people, server, idle)
        memory = server.memory()
        coming = count / COMING
        reading = people.send(
            readers.read_slowly,
            server.address,
            paths,
            rate=PACE,
            coming=coming,
            seconds=coming + busy + 3,
        )
        time.sleep(coming + 1)
        during = _pages(people, server, busy)
        memory = server.memory() - memory
        served = reading.result()
        server.settle()  # it writes down how far each of them came
        after = _pages(people, server, idle)
    quiet = before.seconds + after.seconds
    return [_row(quiet, during, served, memory)]


def _web(home: Path) -> AbstractContextManager[Running]:
    return running("handsel", "web", "--home", home, "--bind", "127.0.0.1:0", "--json")


def _pages(people: Crowd, server: Running, seconds: float) -> Tally:
    return people.send(
        load.at_a_pace, server.address, load.Look(), rate=PAGES, seconds=seconds
    ).result()


def _row(quiet: list[float], during: Tally, served: Served, memory: int) -> Row:
    idle, busy = quantile(quiet, 0.99), quantile(during.seconds, 0.99)
    ratio = busy / idle
    everybody = served.served == served.readers and not during.failed
    return Row(
        name=f"page p99 with {served.readers:,} slow readers / idle",
        measured=f"{ratio:.2f} ({ms(busy)} / {ms(idle)}), {served.served:,} readers "
        f"served, {memory / 1e6:.0f} MB more",
        goal="<= 1.5, all served, < 80 MB more",
        met=ratio <= 1.5 and everybody and memory < 80e6,
        why=f"Each reader takes {PACE // 1000} kB/s of a real download. The kernel "
        "sends the files by itself and no reader holds a thread. Page median "
        f"{ms(quantile(during.seconds, 0.5))} against {ms(quantile(quiet, 0.5))}, "
        f"{during.failed} pages failed.",
        numbers={
            "ratio": ratio,
            "idle_p99": idle,
            "busy_p99": busy,
            "readers": served.readers,
            "served": served.served,
            "memory": memory,
            "bytes": served.bytes,
            "failed_pages": during.failed,
        },
    )
