"""Row: a hundred presses on Buy a second, with a provider that takes 400 ms."""

from benchmarks import buying, load
from benchmarks.ground import crowd, new_shop, running
from benchmarks.load import Tally
from benchmarks.rows import Row, ms, quantile

DELAY = 0.4
BUYS, PAGES = 100, 20


def measure(*, quick: bool) -> list[Row]:
    """Let buyers come at a pace, and others look at pages meanwhile."""
    seconds = 4 if quick else 8
    with (
        new_shop() as home,
        crowd(2) as people,
        running("benchmarks.server", "--home", home, "--delay", str(DELAY)) as server,
    ):
        where, begin = server.address, buying.start_buying
        people.send(load.at_a_pace, where, load.Look(), rate=PAGES, seconds=1).result()
        buys = people.send(load.at_a_pace, where, begin, rate=BUYS, seconds=seconds)
        pages = people.send(
            load.at_a_pace, where, load.Look(), rate=PAGES, seconds=seconds
        )
        return [_row(buys.result(), pages.result())]


def _row(buys: Tally, pages: Tally) -> Row:
    p99 = quantile(buys.seconds, 0.99)
    over = p99 - DELAY
    return Row(
        name=f"burst of {BUYS} buys a second, p99 over the provider's own 400 ms",
        measured=f"{ms(over)} (p50 {ms(quantile(buys.seconds, 0.5) - DELAY)})",
        goal="<= 50 ms",
        met=over <= 0.05 and not buys.failed and not pages.failed,
        why=f"{len(buys.seconds)} buyers were sent to pay, {buys.failed} were not. "
        f"Page p99 meanwhile {ms(quantile(pages.seconds, 0.99))}, {pages.failed} pages "
        "failed. A thread waits for the provider with no transaction open; the others "
        "serve pages.",
        numbers={
            "over": over,
            "p99": p99,
            "buys": len(buys.seconds),
            "failed": buys.failed,
            "page_p99": quantile(pages.seconds, 0.99),
            "failed_pages": pages.failed,
        },
    )
