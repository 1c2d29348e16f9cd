"""Looking at many pages of the desk, again and again: how long each of them takes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

from benchmarks.rows import ms, quantile
from handsel.shop import Shop
from handsel.web.front import collect_seldom
from tests.stories.desks import Seller, hire


@dataclass(frozen=True)
class Looks:
    """How long each page took, each time, in seconds; and `grown`, MB more memory."""

    taken: Mapping[str, Sequence[float]]
    grown: float

    @property
    def slowest(self) -> str:
        """The page with the highest p95."""
        return max(self.taken, key=lambda path: quantile(self.taken[path], 0.95))

    @property
    def p95(self) -> float:
        """The p95 of the slowest page: what every page keeps."""
        return quantile(self.taken[self.slowest], 0.95)

    @property
    def every(self) -> list[float]:
        """All looks together."""
        return [seconds for times in self.taken.values() for seconds in times]

    def median(self, path: str) -> str:
        """Give the median of one page, in words."""
        return ms(quantile(self.taken[path], 0.5))

    @property
    def measured(self) -> str:
        """Both p95 in words."""
        of_all = ms(quantile(self.every, 0.95))
        return f"p95 {ms(self.p95)} of the slowest page, {of_all} of all"

    @property
    def numbers(self) -> dict[str, float]:
        """The same for programs."""
        return {
            "p95": quantile(self.every, 0.95),
            "slowest": self.p95,
            "median": quantile(self.every, 0.5),
            "bytes": self.grown * 1e6,
        }


def look(shop: Shop, pages: Sequence[str], rounds: int) -> Looks:
    """Ask for each page so many times; once more before, which fills caches."""
    seller = hire(shop)
    collect_seldom()  # as the server does once it is open
    taken: dict[str, list[float]] = {path: [] for path in pages}
    process, before = psutil.Process(), 0
    for number in range(rounds + 1):
        for path, times in taken.items():
            seconds = _ask(seller, path)
            if number:
                times.append(seconds)
        before = before or process.memory_info().rss
    return Looks(taken, (process.memory_info().rss - before) / 1e6)


def _ask(seller: Seller, path: str) -> float:
    begin = time.perf_counter()
    answer = seller.get(f"/admin/{path}")
    seconds = time.perf_counter() - begin
    if answer.status_code != 200:
        raise ValueError(f"/admin/{path} answers {answer.status_code}.")
    return seconds
