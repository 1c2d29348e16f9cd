"""A shop to measure, the processes around it, and an end to all of them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import psutil

from handsel.cli.serve import NICE
from handsel.ops import founding, shelving
from handsel.ops.founding import Plan
from handsel.settings import CONFIG_FILE
from handsel.shop import open_shop

SLUG = "book"
ROOT = Path(__file__).parents[1]
PLAN = Plan(name="Bench", email="seller@example.com", currency="EUR")

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def new_shop(*sizes: int, smtp: int | None = None) -> Iterator[Path]:
    """A home with a product for 15 EUR for each size in bytes of its file; one of 1 MB.

    Its mail goes to port `smtp` of this machine, or into a folder. Gone at the end of
    the block.
    """
    with TemporaryDirectory(prefix="handsel-bench-") as folder:
        home = Path(folder) / "home"
        founding.found(home, PLAN)
        if smtp is not None:
            _mail_to(home, smtp)
        shop = open_shop(home)
        try:
            for number, size in enumerate(sizes or (1_000_000,)):
                path = Path(folder) / f"book{number}.pdf"
                write_file(path, size)
                slug = SLUG if number == 0 else f"{SLUG}{number}"
                shelving.add_product(shop, [path], price="15", slug=slug)
                path.unlink()
        finally:
            shop.close()
        yield home


def _mail_to(home: Path, port: int) -> None:
    path = home / CONFIG_FILE
    mail = f"""[mail]
transport = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
"""
    path.write_text(path.read_text("utf-8").replace("[mail]\n", mail), "utf-8")


def write_file(path: Path, size: int) -> None:
    """Write a file that has no holes and differs from others of another size."""
    block = f"{path.name} {size} ".encode().ljust(1 << 20, b".")
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(block[: size - start])


class Running:
    """A server of ours in a process of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process = process
        self.url = url

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    def memory(self) -> int:
        """Bytes of memory the process has now."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def settle(self) -> None:
        """Wait until the process has nothing more to do, half a minute at most."""
        watched, deadline = psutil.Process(self.process.pid), time.monotonic() + 30
        while time.monotonic() < deadline and watched.cpu_percent(0.5) > 5:
            pass


@contextmanager
def worker(home: Path) -> Iterator[None]:
    """Run `handsel worker` beside a server, niced as `handsel run` does it."""
    process = start("handsel", "worker", "--home", home, nice=NICE)
    try:
        yield
    finally:
        stop(process)


@contextmanager
def running(*command: str | Path) -> Iterator[Running]:
    """Run `python -m COMMAND`, which says `{"url": ...}` when it is open, then stop it."""
    process = start(*command)
    try:
        yield Running(process, address_said_by(process))
    finally:
        stop(process)


def start(*command: str | Path, nice: int = 0) -> "subprocess.Popen[bytes]":
    """Start a Python module as a process; settings of this machine do not reach it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if nice:
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
    return process


def clean_environment() -> dict[str, str]:
    """The environment without any settings of a shop."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HANDSEL_")
    }


def address_said_by(process: "subprocess.Popen[bytes]") -> str:
    """Wait for the line with the address. Raises RuntimeError when it ends without."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(b"{"):
            return str(json.loads(line)["url"])
    raise RuntimeError(f"{process.args!r} ended without opening.")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process, kindly first."""
    process.terminate()
    try:
        process.wait(timeout=35)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


class Crowd:
    """Processes that make load, so that it never shares an interpreter with a server."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def send(
        self, job: Callable[P, T], *args: P.args, **options: P.kwargs
    ) -> "Future[T]":
        """Run a function of a module in one of the processes, from now on."""
        return self._pool.submit(job, *args, **options)


@contextmanager
def crowd(processes: int = 2) -> Iterator[Crowd]:
    """Give processes for making load, awake already; they end with the block."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for each in [pool.submit(_wake) for _ in range(processes)]:
            each.result()
        yield Crowd(pool)


def _wake() -> Sequence[str]:
    from benchmarks import load  # so that its import is not measured

    return [load.__name__]
