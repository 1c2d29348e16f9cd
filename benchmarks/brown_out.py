"""Row: the provider is nearly down, and nobody who looks at pages can tell."""

from benchmarks import buying, load
from benchmarks.ground import crowd, new_shop, running
from benchmarks.load import Tally
from benchmarks.rows import Row, ms, quantile

DELAY = 8.0
BUYS, PAGES = 30, 50
KIND = "503 Retry-After"


def measure(*, quick: bool) -> list[Row]:
    """Let buyers come although the provider takes 8 s, and others look at pages."""
    seconds = 5 if quick else 15
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
    p99, refused = quantile(pages.seconds, 0.99), buys.others[KIND]
    quick = quantile(buys.other_seconds, 0.99)
    return Row(
        name=f"brown-out (provider takes 8 s, {BUYS} buys a second): page p99",
        measured=f"{ms(p99)}, {pages.failed} of {len(pages.seconds) + pages.failed} "
        "pages failed",
        goal="< 50 ms, none failed",
        met=p99 < 0.05 and not pages.failed and refused == buys.failed,
        why="At most half of the page threads wait for a provider. "
        f"{len(buys.seconds)} buyers waited and were sent to pay; {refused} were told "
        "at once to try again in a minute and that nothing was charged (503 with "
        f"Retry-After, p99 {ms(quick)}); {buys.failed - refused} got anything else.",
        numbers={
            "page_p99": p99,
            "pages": len(pages.seconds),
            "failed_pages": pages.failed,
            "buys": len(buys.seconds),
            "refused": refused,
            "refused_p99": quick,
            "otherwise": buys.failed - refused,
        },
    )
