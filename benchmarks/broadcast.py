"""Rows: how fast a mail to everyone goes, and that its length costs no memory."""

import os
import time
from pathlib import Path

import psutil

from benchmarks import buyers, senders
from benchmarks.ground import Crowd, crowd, new_shop
from benchmarks.mail_sink import Sink
from benchmarks.purchases import opened
from benchmarks.rows import Row
from benchmarks.senders import HandedOver

FEW, MANY = 1000, 100_000


def measure(*, quick: bool) -> list[Row]:
    """Hand mails over in turns with a bare loop; then watch the sender's memory."""
    rounds, seconds = (3, 1.5) if quick else (10, 2.0)
    sink = Sink(0)
    with sink.up():
        with new_shop(smtp=sink.port) as few:
            small = _memory(few, _begun(few, FEW), seconds)
        with new_shop(smtp=sink.port) as many:
            campaign = _begun(many, MANY // 10 if quick else MANY)
            rows = _speed(sink, many, campaign, rounds, seconds)
            large = _memory(many, campaign, seconds)
    return [*rows, _flat(small, large, quick=quick)]


def _begun(home: Path, count: int) -> int:
    buyers.many_buyers(home, count)
    with opened(home) as shop:
        campaign = buyers.draft(shop, "The second edition is out")
        buyers.begin(shop, campaign)
    return campaign


def _speed(
    sink: Sink, home: Path, campaign: int, rounds: int, seconds: float
) -> list[Row]:
    mine, one, bare = [], [], []
    before = sink.count
    with crowd(1) as people:
        for _ in range(rounds):
            ask = (home, campaign, seconds)
            mine.append(people.send(senders.ours, *ask).result())
            bare.append(people.send(senders.bare, *ask, sink.port).result())
            one.append(people.send(senders.ours, *ask, connections=1).result())
    said = sum(each.mails for each in [*mine, *one, *bare])
    if sink.count - before != said:
        raise ValueError(f"{sink.count - before} mails arrived instead of {said}.")
    return [_faster(mine, bare), _alone(one, bare)]


def _sum(turns: list[HandedOver]) -> HandedOver:
    return sum(turns, HandedOver())


def _faster(mine: list[HandedOver], bare: list[HandedOver]) -> Row:
    ours, theirs = _sum(mine).rate, _sum(bare).rate
    ratios = [a.rate / b.rate for a, b in zip(mine, bare, strict=True)]
    return Row(
        name="broadcast: mails written, handed over and marked / a bare loop of smtplib",
        measured=f"{ours / theirs:.2f} ({ours:.0f} / {theirs:.0f} mails a second, "
        f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} turns)",
        goal=">= 0.8",
        met=ours / theirs >= 0.8,
        why="The bare loop hands over the same finished bytes on one connection, waits "
        "for each answer, and remembers nothing. The shop leases, writes each mail for "
        "its buyer, and marks each in the database before the next goes over the same "
        "of its four connections, so that a kill repeats four mails at most.",
        numbers={"ratio": ours / theirs, "rate": ours, "bare_rate": theirs},
    )


def _alone(one: list[HandedOver], bare: list[HandedOver]) -> Row:
    ours, theirs = _sum(one).rate, _sum(bare).rate
    return Row(
        name="the same with `mail.connections = 1`",
        measured=f"{ours / theirs:.2f} ({ours:.0f} mails a second)",
        goal="",
        met=None,
        why="On one connection nothing goes over while a mail is marked: the difference "
        "is what leasing, writing and marking cost.",
        numbers={"ratio": ours / theirs, "rate": ours},
    )


def _memory(home: Path, campaign: int, seconds: float) -> int:
    """Send for a while in a fresh process; give the most memory it had, in bytes."""
    with crowd(1) as people:
        watched = psutil.Process(people.send(os.getpid).result())
        return _peak(people, watched, home, campaign, seconds)


def _peak(
    people: Crowd, watched: psutil.Process, home: Path, campaign: int, seconds: float
) -> int:
    sending, peak = people.send(senders.ours, home, campaign, seconds), 0
    while not sending.done():
        peak = max(peak, watched.memory_info().rss)
        time.sleep(0.02)
    if not sending.result().mails:
        raise ValueError("Nothing was sent.")
    return peak


def _flat(small: int, large: int, *, quick: bool) -> Row:
    many = MANY // 10 if quick else MANY
    return Row(
        name=f"memory of the sender with {many:,} recipients / with {FEW:,}",
        measured=f"{large / small:.2f} ({large / 1e6:.0f} MB / {small / 1e6:.0f} MB)",
        goal="<= 1.1",
        met=large / small <= 1.1,
        why="The most memory the sending process had. Recipients are leased a hundred at "
        "a time for each connection, and nothing is kept of those that are done.",
        numbers={"ratio": large / small, "small": small, "large": large},
    )
