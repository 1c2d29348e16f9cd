"""Row: writing down who gets a mail to everyone, before the first is sent."""

import time

from benchmarks import buyers
from benchmarks.ground import new_shop
from benchmarks.purchases import opened
from benchmarks.rows import Row, ms
from handsel.outbound import campaigns

BUYERS = 100_000


def measure(*, quick: bool) -> list[Row]:
    """Begin a mail to all buyers of a shop, some times."""
    count = BUYERS // 10 if quick else BUYERS
    with new_shop() as home:
        buyers.many_buyers(home, count)
        with opened(home) as shop:
            times = []
            for number in range(2 if quick else 3):
                campaign = buyers.draft(shop, f"News {number}")
                begin = time.perf_counter()
                buyers.begin(shop, campaign)
                times.append(time.perf_counter() - begin)
                with shop.reading() as session:
                    written = campaigns.progress(session, campaign).remaining
                if written != count:
                    raise ValueError(f"{written} recipients instead of {count}.")
    return [_row(count, times)]


def _row(count: int, times: list[float]) -> Row:
    goal = 3.0 * count / BUYERS
    return Row(
        name=f"freeze: {count:,} recipients of a mail are written down",
        measured=f"{ms(max(times))} (the quickest of {len(times)}: {ms(min(times))})",
        goal=f"< {ms(goal)}",
        met=max(times) < goal,
        why="One INSERT from one SELECT finds the purchase whose link each buyer gets, "
        "and why some get none. So long `handsel release` waits after the yes, and so "
        "long on SQLite nobody else can write.",
        numbers={"slowest": max(times), "quickest": min(times), "recipients": count},
    )
