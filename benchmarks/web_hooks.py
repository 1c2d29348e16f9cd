"""Row: a burst of web hooks, each verified, looked up, recorded and fulfilled."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import load
from benchmarks.ground import Crowd, crowd, new_shop, running
from benchmarks.load import Address, Tally, Visitor
from benchmarks.provider import SIGNATURE, message, signed
from benchmarks.purchases import opened, place_orders
from benchmarks.rows import Row, ms, quantile
from handsel.models import OutboxItem

CLIENTS = 32
PACE = 100
"""Hooks a second that a shop can expect at most: providers limit look-ups to that."""
SYNC = 0.0025


async def send_hook(visitor: Visitor, number: int, *, name: str) -> None:
    """Say that order `number` has been paid, as the provider does."""
    body = message(f"bench_{name}{number}")
    headers = {
        SIGNATURE: signed(body, int(time.time())),
        "Content-Type": "application/json",
    }
    load.expect(await visitor.ask("POST", "/webhooks/bench", body, headers), 200)


def measure(*, quick: bool) -> list[Row]:
    """Measure on this disk, on one that syncs in 2.5 ms, and there without turns."""
    seconds = 2.5 if quick else 8.0
    with crowd(1) as people:
        here = _run(people, _flood(seconds, "here"))
        paced = _run(people, _stream(seconds, "paced"))
        slow = _run(people, _flood(seconds, "slow"), "--sync", str(SYNC))
        plain = _run(people, _flood(seconds, "plain"), "--sync", str(SYNC), "--plain")
    return [_latency(here, paced), _throughput(slow, plain)]


@dataclass(frozen=True)
class Load:
    """Hooks for at most `most` orders, sent to an address by `send`."""

    name: str
    most: int
    send: Callable[[Address], Tally]


def _flood(seconds: float, name: str) -> Load:
    """All clients send their next hook as soon as the last was answered."""
    most = int(seconds * 1000)
    hook = partial(send_hook, name=name)
    return Load(
        name,
        most,
        partial(
            load.back_to_back, visit=hook, clients=CLIENTS, seconds=seconds, most=most
        ),
    )


def _stream(seconds: float, name: str) -> Load:
    """Hooks come at a pace, however the ones before are doing."""
    hook = partial(send_hook, name=name)
    return Load(
        name,
        int(seconds * PACE),
        partial(load.at_a_pace, visit=hook, rate=PACE, seconds=seconds),
    )


def _run(people: Crowd, hooks: Load, *options: str) -> Tally:
    with new_shop() as home:
        place_orders(home, [f"{hooks.name}{number}" for number in range(hooks.most)])
        with running("benchmarks.server", "--home", home, *options) as server:
            tally = people.send(hooks.send, server.address).result()
        _check(home, tally)
    return tally


def _check(home: Path, tally: Tally) -> None:
    """Every 200 must be a receipt in the outbox, or the figures mean nothing."""
    with opened(home) as shop, shop.reading() as session:
        receipts = session.scalar(select(func.count()).select_from(OutboxItem)) or 0
    if receipts < len(tally.seconds):
        raise RuntimeError(f"{len(tally.seconds)} hooks, but {receipts} receipts.")


def _latency(here: Tally, paced: Tally) -> Row:
    p99, calm = quantile(here.seconds, 0.99), quantile(paced.seconds, 0.99)
    return Row(
        name=f"web hook recorded and fulfilled, {CLIENTS} clients, p99",
        measured=f"{ms(p99)} at {here.rate:,.0f} a second",
        goal="< 50 ms",
        met=p99 < 0.05 and not here.failed,
        why="Signature, look-up, inbox, ledger, entitlement, customer and receipt, "
        "on disk before the answer. Every client sends again at once, so one core is "
        f"as busy as can be: median {ms(quantile(here.seconds, 0.5))}, {here.failed} "
        f"failed. At {PACE} hooks a second, which is as many as a provider lets one "
        f"look up: p99 {ms(calm)}.",
        numbers={
            "p99": p99,
            "rate": here.rate,
            "failed": here.failed,
            "paced_p99": calm,
            "paced_failed": paced.failed,
        },
    )


def _throughput(slow: Tally, plain: Tally) -> Row:
    ratio = slow.rate / plain.rate if plain.rate else float("inf")
    return Row(
        name="web hooks on a disk with 2.5 ms sync / plain BEGIN IMMEDIATE",
        measured=f"{ratio:.1f} ({slow.rate:,.0f} / {plain.rate:,.0f} a second)",
        goal=">= 4",
        met=ratio >= 4,
        why="Writers that wait share one commit, in the order they came: p99 "
        f"{ms(quantile(slow.seconds, 0.99))}, slowest {ms(max(slow.seconds))}. One by "
        f"one, as SQLite lets them in: p99 {ms(quantile(plain.seconds, 0.99))}, "
        f"slowest {ms(max(plain.seconds))}, {plain.failed} failed.",
        numbers={
            "ratio": ratio,
            "rate": slow.rate,
            "plain_rate": plain.rate,
            "p99": quantile(slow.seconds, 0.99),
            "plain_p99": quantile(plain.seconds, 0.99),
            "failed": slow.failed,
            "plain_failed": plain.failed,
        },
    )
