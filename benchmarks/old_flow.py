"""Rows: the shop against the flow of 2014, with the same provider and mail server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from benchmarks import buying, flow2014, load, old_faults
from benchmarks.ground import Crowd, Running, crowd, new_shop, running, worker
from benchmarks.load import Tally, Visit
from benchmarks.mail_sink import Sink
from benchmarks.purchases import opened
from benchmarks.rows import Row, ms, quantile
from handsel.models import Order
from handsel.models.words import OrderStatus
from handsel.outbound import post

DELAY, MAIL = 0.4, 0.05
BUYERS, PAGES = 48, 20
FEW = 12
"""Purchases made while the mail server is down."""


@dataclass(frozen=True)
class Trial:
    """A shop under load: those who buy, and those who only look."""

    buys: Tally
    pages: Tally


@dataclass(frozen=True)
class Outage:
    """What became of purchases made while no mail could be sent.

    `mails` is how many buyers were sent their link when the mail server was back.
    """

    charged: int
    served: int
    mails: int


def measure(*, quick: bool) -> list[Row]:
    """Measure both under load, then both with the mail server down."""
    seconds = 4 if quick else 10
    with crowd(2) as people:
        ours, theirs = _our_trial(people, seconds), _their_trial(people, seconds)
        return [
            _speed(ours, theirs),
            _pages(ours, theirs),
            _outage(_our_outage(people), _their_outage(people)),
            old_faults.row(),
        ]


def _our_trial(people: Crowd, seconds: float) -> Trial:
    sink = Sink(MAIL)
    with (
        sink.up(),
        new_shop(smtp=sink.port) as home,
        running("benchmarks.server", "--home", home, "--delay", str(DELAY)) as web,
        worker(home),
    ):
        return _trial(people, web, buying.buy, "/p/book", seconds)


def _their_trial(people: Crowd, seconds: float) -> Trial:
    sink = Sink(MAIL)
    with sink.up(), in_2014(sink.port, DELAY) as (web, _home):
        return _trial(people, web, buying.buy_in_2014, "/p/1", seconds)


@contextmanager
def in_2014(smtp: int, delay: float) -> Iterator[tuple[Running, Path]]:
    """Run a shop of 2014 in a folder of its own."""
    with TemporaryDirectory(prefix="handsel-bench-") as folder:
        home = Path(folder)
        flow2014.found(home, old_faults.PRICE).dispose()
        options = ("--home", home, "--smtp", str(smtp), "--delay", str(delay))
        with running("benchmarks.flow2014", *options) as server:
            yield server, home


def _trial(people: Crowd, web: Running, buy: Visit, page: str, seconds: float) -> Trial:
    where = web.address
    buys = people.send(
        load.back_to_back, where, buy, clients=BUYERS, seconds=seconds, coming=2 * DELAY
    )
    pages = people.send(
        load.at_a_pace, where, load.Look(page), rate=PAGES, seconds=seconds
    )
    return Trial(buys.result(), pages.result())


def _our_outage(people: Crowd) -> Outage:
    sink = Sink(0)
    with new_shop(smtp=sink.port) as home:
        with running("benchmarks.server", "--home", home) as web, worker(home):
            few = _few(people, web, buying.buy)
            time.sleep(1)  # the worker tries, and cannot
        with opened(home) as shop:
            with shop.reading() as session:
                charged = session.scalar(
                    select(func.count()).where(Order.status == OrderStatus.PAID)
                )
            with sink.up():
                soon = shop.now() + timedelta(minutes=5)
                room = replace(shop, clock=lambda: soon).mailroom()
                while post.deliver_due(room):
                    pass
    return Outage(charged or 0, len(few.seconds), sink.count)


def _their_outage(people: Crowd) -> Outage:
    sink = Sink(0)
    with in_2014(sink.port, 0) as (web, home):
        few = _few(people, web, buying.buy_in_2014)
        charged = len((home / "charges.txt").read_text().splitlines())
    # Nothing in it remembers that a mail is missing, so nothing can be waited for.
    return Outage(charged, len(few.seconds), sink.count)


def _few(people: Crowd, web: Running, buy: Visit) -> Tally:
    return people.send(
        load.back_to_back, web.address, buy, clients=4, seconds=30, most=FEW
    ).result()


def _speed(ours: Trial, theirs: Trial) -> Row:
    return Row(
        name=f"{BUYERS} buyers at once, from the press to the download link / 2014",
        measured=f"{ours.buys.rate / theirs.buys.rate:.1f} ({ours.buys.rate:.0f} / "
        f"{theirs.buys.rate:.1f} buys a second)",
        goal="",
        met=None,
        why=f"p99 {ms(quantile(ours.buys.seconds, 0.99))} against "
        f"{ms(quantile(theirs.buys.seconds, 0.99))}; failed {ours.buys.failed} and "
        f"{theirs.buys.failed}. The provider takes 400 ms and the mail server 50 ms. "
        "We ask the provider twice, to start and for the truth, and mail later; in "
        "2014 each of four workers did nothing else while it waited for both.",
        numbers={
            "rate": ours.buys.rate,
            "rate_2014": theirs.buys.rate,
            "p99": quantile(ours.buys.seconds, 0.99),
            "p99_2014": quantile(theirs.buys.seconds, 0.99),
            "failed": ours.buys.failed,
            "failed_2014": theirs.buys.failed,
        },
    )


def _pages(ours: Trial, theirs: Trial) -> Row:
    mine, old = (quantile(each.pages.seconds, 0.99) for each in (ours, theirs))
    return Row(
        name="page p99 while they buy, against 2014",
        measured=f"{ms(mine)} against {ms(old)}",
        goal="",
        met=None,
        why=f"Failed pages: {ours.pages.failed} and {theirs.pages.failed}. In 2014 a "
        "page waited behind every buyer who had come before.",
        numbers={
            "page_p99": mine,
            "page_p99_2014": old,
            "failed": ours.pages.failed,
            "failed_2014": theirs.pages.failed,
        },
    )


def _outage(ours: Outage, theirs: Outage) -> Row:
    kept = ours.charged == ours.served == ours.mails == FEW
    return Row(
        name=f"{FEW} purchases while the mail server is down: charged, served, mailed",
        measured=f"{ours.charged}, {ours.served}, {ours.mails} against "
        f"{theirs.charged}, {theirs.served}, {theirs.mails} in 2014",
        goal="every one who is charged",
        met=kept,
        why="Our mails wait in the outbox and went when the server was back. In 2014 "
        "the mail was part of the request: the card was charged, the buyer saw an "
        "error 500 without a link, and nothing remembered to try again.",
        numbers={
            "charged": ours.charged,
            "served": ours.served,
            "mailed": ours.mails,
            "charged_2014": theirs.charged,
            "served_2014": theirs.served,
            "mailed_2014": theirs.mails,
        },
    )
