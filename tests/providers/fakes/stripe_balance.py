"""The seller's balance at the fake Stripe: lines with fees, and payouts to a bank.

Amounts are given as Stripe counts them. A sale is available after some days; every
midnight what is available is paid out, unless the seller does that by hand.
"""

from datetime import datetime
from fractions import Fraction

from tests.providers.fakes import stripe_objects as objects
from tests.providers.fakes.bank import Bank, Obj

HOUR, DAY = 3600, 24 * 3600
_WHOLE = ("isk", "ugx")  # written with two decimals that are always 00


class Balance(Bank):
    """What changes a balance, and what becomes of it.

    `acting` is held by whoever calls a method whose name begins with an underscore.
    """

    def __init__(self, kinds: tuple[str, ...], start: datetime | None) -> None:
        super().__init__((*kinds, "balance_transaction", "payout"), start)
        self.fee = (250, 25)
        """Of each sale: hundredths of a percent, and an amount."""
        self.dispute_fee = 2000
        self.settles = "eur"
        self.rates: dict[str, str] = {}
        """What Stripe exchanges for euros: `{"usd": "0.92"}`; the rest it keeps."""
        self.schedule = "daily"
        """`manual`: the seller says when and how much is paid out."""
        self.waits = 2 * DAY
        self.debits = False
        """Whether a balance below zero is fetched from the seller's bank."""
        self.paid_out: dict[str, str] = {}
        """The payout that each line is in."""
        self._midnight = self._day_of(self.seconds)

    # The seller

    def other_sale(self, amount: int, currency: str = "eur") -> str:
        """Another business of the seller's sells something. Gives the charge's name."""
        with self.acting():
            charge = objects.charge(
                {
                    "id": objects.new_id("pi"),
                    "amount": amount,
                    "currency": currency,
                    "description": "Invoice 7 for Bea Other <bea@example.net>",
                    "metadata": {},
                },
                email="bea@example.net",
                card="4242424242424242",
                status="succeeded",
                created=self.seconds,
            )
            self.kept["charge"][charge["id"]] = charge
            self._sold(charge)
            return str(charge["id"])

    def monthly_fee(self, amount: int) -> str:
        """Stripe charges for something that is no payment. Gives the line's name."""
        with self.acting():
            note = "Radar for Fraud Teams (2026-10-01 - 2026-10-31)"
            found = self._enter(None, "stripe_fee", "fee", -amount, 0, note=note)
            return str(found["id"])

    def pay_out(self, amount: int, *, instant: bool = False) -> str:
        """The seller has so much of the balance paid out at once. Gives its name."""
        with self.acting():
            method = "instant" if instant else "standard"
            return self._send(self.seconds, amount, self.settles, [], method=method)

    def fail_payout(self, name: str, code: str = "account_closed") -> None:
        """The seller's bank does not take it: the money is in the balance again."""
        with self.acting():
            payout = self.kept["payout"][name]
            found = self._enter(
                payout,
                "payout_failure",
                "payout_reversal",
                payout["amount"],
                0,
                note="STRIPE PAYOUT FAILURE",
            )
            payout.update(
                status="failed",
                failure_code=code,
                failure_message="The bank account has been closed.",
                failure_balance_transaction=found["id"],
            )

    def lines_of(self, payout: str) -> list[Obj]:
        """Give what Stripe lists for a payout: its own line, too, and that first."""
        with self.lock:
            return [
                each
                for name, each in reversed(self.kept["balance_transaction"].items())
                if self.paid_out.get(name) == payout
            ]

    # Below this line the lock is held.

    def _sold(self, charge: Obj) -> None:
        percent, fixed = self.fee
        amount, currency, _ = self._exchanged(charge["amount"], charge["currency"])
        fee = amount * percent // 10_000 + fixed
        fee -= fee % 100 if currency in _WHOLE else 0
        self._enter(charge, "charge", "charge", charge["amount"], fee)

    def _gave_back(self, refund: Obj) -> None:
        self._enter(refund, "refund", "refund", -refund["amount"], 0)

    def _came_back(self, refund: Obj) -> None:
        self._enter(refund, "refund_failure", "refund_failure", refund["amount"], 0)

    def _disputed(self, dispute: Obj) -> None:
        amount = -dispute["amount"]
        self._enter(dispute, "adjustment", "dispute", amount, self.dispute_fee)

    def _reinstated(self, dispute: Obj) -> None:
        self._enter(dispute, "adjustment", "dispute_reversal", dispute["amount"], 0)

    def _enter(
        self,
        source: Obj | None,
        kind: str,
        category: str,
        amount: int,
        fee: int,
        *,
        note: str | None = None,
    ) -> Obj:
        """Add a line about an object whose amount is in the buyer's currency."""
        currency = source["currency"] if source else self.settles
        settled, settles, rate = self._exchanged(amount, currency)
        description = note or (source or {}).get("description")
        found = objects.balance_transaction(
            source["id"] if source else None,
            kind=kind,
            category=category,
            amount=settled,
            fee=fee,
            currency=settles,
            rate=float(rate) if rate else None,
            description=description,
            created=self.seconds,
            available=self._day_of(self.seconds + self.waits),
        )
        self.kept["balance_transaction"][found["id"]] = found
        return found

    def _exchanged(self, amount: int, currency: str) -> tuple[int, str, str | None]:
        rate = self.rates.get(currency)
        if rate is None:
            return amount, currency, None
        return round(amount * Fraction(rate)), self.settles, rate

    def _expire_due(self) -> None:
        """Pay out at every midnight that has passed, and let payouts go their way."""
        while self._midnight + DAY <= self.seconds:
            self._midnight += DAY
            if self.schedule == "daily":
                self._pay_out_available(self._midnight)
            self._move_payouts(self._midnight)
        self._move_payouts(self.seconds)

    def _pay_out_available(self, at: int) -> None:
        ready: dict[str, list[Obj]] = {}
        for name, each in self.kept["balance_transaction"].items():
            free = name not in self.paid_out and each["type"] != "payout"
            if free and each["available_on"] <= at:
                each["status"] = "available"
                ready.setdefault(each["currency"], []).append(each)
        for currency, lines in ready.items():
            total = sum(each["net"] for each in lines)
            if total > 0 or (total < 0 and self.debits):
                self._send(at, total, currency, lines)

    def _send(
        self,
        at: int,
        amount: int,
        currency: str,
        lines: list[Obj],
        *,
        method: str = "standard",
    ) -> str:
        payout = objects.payout(
            amount, currency, automatic=bool(lines), method=method, created=at
        )
        own = self._enter(payout, "payout", "payout", -amount, 0, note="STRIPE PAYOUT")
        payout["balance_transaction"] = own["id"]
        self.kept["payout"][payout["id"]] = payout
        if lines:
            for each in (*lines, own):
                self.paid_out[each["id"]] = payout["id"]
        return str(payout["id"])

    def _move_payouts(self, at: int) -> None:
        for payout in self.kept["payout"].values():
            if payout["status"] == "pending" and at >= payout["created"] + HOUR:
                payout["status"] = "in_transit"
                if payout["automatic"]:
                    payout["reconciliation_status"] = "completed"
            if payout["status"] == "in_transit" and at >= payout["arrival_date"]:
                payout["status"] = "paid"

    @staticmethod
    def _day_of(seconds: int) -> int:
        """Give the midnight before, in UTC."""
        return seconds - seconds % DAY
