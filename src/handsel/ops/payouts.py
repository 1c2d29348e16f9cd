"""Reading in what became of the money: fees, and payouts to the seller's bank.

Stripe alone pays out by itself, so Stripe alone is asked here. What PayPal keeps of a
payment comes with every look at it, and test money never reaches a bank.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from handsel.kit.errors import ConflictError, ShopError
from handsel.sales import payout_lines, payouts
from handsel.sales.payments.base import ProviderUnavailableError
from handsel.sales.payments.lines import Line
from handsel.sales.payments.stripe import StripeProvider
from handsel.shop import Shop

log = logging.getLogger("handsel.payouts")

T = TypeVar("T")

EVERY = timedelta(hours=1)
"""How often the worker reads; two calls when nothing is new."""
MOST_LINES = 5000
"""How many lines the worker reads in one round, so that nothing else waits for long."""
PAGE = 100
MAY_CHANGE = timedelta(days=30)
"""How long after it was made a payout is asked about: banks send some back."""
LATE = timedelta(hours=2)
"""How long before the last reading the next begins: some lines come late."""
WINDOW = timedelta(days=30)
"""After so much of time read, it is written down how far the reading has come."""


@dataclass(frozen=True)
class Found:
    """What one reading found at one provider. `problem` is empty, or a sentence."""

    provider: str
    payouts: int
    lines: int
    problem: str


def read(
    shop: Shop, *, since: datetime | None = None, most: int | None = None
) -> list[Found]:
    """Read what is new, at each provider that pays out. Safe to repeat, and to kill.

    What a key may not see, and a provider that is away, keeps back nothing else.

    Args:
        since: read everything from then on once more.
        most: stop after about so many lines; the next reading goes on from there.
    """
    return [
        found
        for provider in shop.providers.values()
        if isinstance(provider, StripeProvider)
        and (found := _Reading(shop, provider, since, most).read())
    ]


class _Reading:
    """One reading at one provider: network first, then a short transaction, and again."""

    def __init__(
        self,
        shop: Shop,
        provider: StripeProvider,
        since: datetime | None,
        most: int | None,
    ) -> None:
        self.shop, self.provider = shop, provider
        self.of = (provider.name, provider.test)
        self.since, self.most = since, most
        self.payouts = self.lines = 0
        self.problems: dict[str, None] = {}
        """Each once, in the order they came up."""
        self.more = False
        """Whether something is left for the next reading."""

    def read(self) -> Found | None:
        """Read all three parts. None when the shop has sold nothing this way."""
        name, test = self.of
        with self.shop.reading() as session:
            first = payouts.first_sale(session, name, test=test)
            known = payouts.progress(session, name, test=test)
        if first is None:
            return None
        start = first - timedelta(days=1)
        self._try(
            lambda: self._payouts(known.payouts_until or start, start),
            lambda: self._lines_since(known.lines_until or start),
            self._lines_of_payouts,
        )
        problem = " ".join(self.problems)
        with self.shop.transaction() as session:
            news = payouts.went(
                session, name, test, problem, self.shop.now(), whole=not self.more
            )
        if news:
            log.warning("Not all of the money at %s could be read: %s", name, problem)
        return Found(name, self.payouts, self.lines, problem)

    def _try(self, *parts: Callable[[], None]) -> None:
        """Do each part, and note what went wrong; an absent provider ends it."""
        for part in parts:
            try:
                part()
            except ShopError as error:
                self.problems[str(error)] = None
                if isinstance(error, ProviderUnavailableError):
                    return

    def _payouts(self, until: datetime, first: datetime) -> None:
        """Read the payouts made since a while before the last reading."""
        now = self.shop.now()
        # Where a clock was ahead for a while, the last reading was not in the future.
        since = max(min(until, now) - MAY_CHANGE, first)
        since = min(since, self.since) if self.since else since
        for page in pages(self.provider.payouts(since)):
            with self.shop.transaction() as session:
                for each in page:
                    payouts.note_payout(session, *self.of, each)
            self.payouts += len(page)
        with self.shop.transaction() as session:
            payouts.payouts_read(session, *self.of, now, now)

    def _lines_since(self, until: datetime) -> None:
        """Read what changed the balance, a month at a time."""
        now = self.shop.now()
        start = min(until, now) - LATE
        start = min(start, self.since) if self.since else start
        while start < now:
            if self._enough():
                return
            # What happens this very second is for the next reading.
            end = min(start + WINDOW, now)
            self._note(self.provider.lines(start, end))
            with self.shop.transaction() as session:
                payouts.lines_read(session, *self.of, end, now)
            start = end

    def _lines_of_payouts(self) -> None:
        """Read of what each payout is made up that was not read to its end."""
        name, test = self.of
        with self.shop.reading() as session:
            due = payouts.to_divide(session, name, test=test, since=self.since)
        for payout_id, object_id in due:
            if self._enough():
                return
            try:
                self._note(self.provider.lines_of(object_id), payout_id)
            except ConflictError as error:  # this one; the others may be well
                self.problems[f"Payout {object_id}: {error}"] = None
                continue
            with self.shop.transaction() as session:
                payouts.divided(session, payout_id, self.shop.now())

    def _note(self, lines: Iterable[Line], payout_id: int | None = None) -> None:
        for page in pages(lines):
            with self.shop.transaction() as session:
                payouts.note_lines(session, *self.of, page, payout_id)
                payout_lines.match(session, self.of[0], page)
            self.lines += len(page)

    def _enough(self) -> bool:
        """Whether to stop here, before the end."""
        self.more = self.most is not None and self.lines >= self.most
        return self.more


def pages(found: Iterable[T]) -> Iterator[list[T]]:
    """Give a page at a time, so that nothing is asked while a transaction is open."""
    each = iter(found)
    while page := list(islice(each, PAGE)):
        yield page
