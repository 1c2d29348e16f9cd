"""The books at the desk: proving them, and asking the providers what was missed.

Both may take an hour, so they run beside the pages; what they do and say is what
`handsel verify` and `handsel reconcile` do and say.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from handsel.kit.errors import BadInputError, ConflictError
from handsel.ops import reconcile_words
from handsel.ops.desk import beside
from handsel.ops.desk.beside import Run
from handsel.ops.payouts import Found
from handsel.ops.reconcile import Outcome
from handsel.ops.verify import Invariant
from handsel.shop import Shop

USUAL = "25h"
SPANS = {USUAL: "the last 25 hours", "7d": "the last 7 days"}
"""How far back the providers are asked, unless from a date on."""
FARTHEST = timedelta(days=3653)
"""Ten years; every month of it may cost a call."""


@dataclass(frozen=True)
class Proof:
    """The last proof. `files`: whether the files for sale were read as well."""

    run: Run
    problem: str
    files: bool
    checks: tuple[Invariant, ...]

    @property
    def is_right(self) -> bool:
        """Whether everything that was looked at holds."""
        return bool(self.checks) and all(each.ok for each in self.checks)


@dataclass(frozen=True)
class Answers:
    """What the providers said last. `span`: the time they were asked for, in words.

    Args:
        newly_paid: numbers of orders that nobody had told us of; delivered now.
        failed: whether some could not be asked.
    """

    run: Run
    problem: str
    span: str
    sentences: tuple[str, ...]
    newly_paid: tuple[str, ...]
    failed: bool


def prove(shop: Shop, *, files: bool) -> None:
    """Begin to prove the books. Raises ConflictError while a proof runs.

    Args:
        files: read every byte of the files for sale, too.
    """
    words = ["verify"] if files else ["verify", "--quick"]
    busy = "The books are being proved already."
    beside.start(_proof(shop), shop.home, words, {"files": files}, busy)


def proof(shop: Shop) -> Proof:
    """Say what the last proof found."""
    run = beside.last(_proof(shop))
    found = run.answer.get("invariants", [])
    return Proof(
        run=run,
        problem=run.problem,
        files=bool(run.asked.get("files")),
        checks=tuple(
            Invariant(each["id"], each["ok"], each["detail"]) for each in found
        ),
    )


def ask(shop: Shop, since: str) -> None:
    """Begin to ask the providers what was missed. Safe to repeat.

    Raises ConflictError while they are asked, or when there are none.

    Args:
        since: as `read_since` gives it.
    """
    if not providers(shop):
        raise ConflictError(
            "There is no payment provider to ask.",
            "Set up Stripe or PayPal first: Settings, Payments.",
        )
    words = ["reconcile", "--since", since]
    busy = "The providers are being asked already."
    beside.start(_answers(shop), shop.home, words, {"since": since}, busy)


def answers(shop: Shop) -> Answers:
    """Say what came of asking last."""
    run = beside.last(_answers(shop))
    since = str(run.asked.get("since", ""))
    found, money = _outcome(run)
    said = reconcile_words.sentences(found, money) if found else []
    return Answers(
        run=run,
        problem=run.problem,
        span=SPANS.get(since, f"the time since {since}"),
        sentences=tuple(said),
        newly_paid=found.newly_paid if found else (),
        failed=bool(found and found.failed),
    )


def _outcome(run: Run) -> tuple[Outcome | None, list[Found]]:
    if "seen" not in run.answer:
        return None, []
    said = dict(run.answer)
    money = [Found(**each) for each in said.pop("money")]
    paid, failed = tuple(said["newly_paid"]), tuple(said["failed"])
    return Outcome(said["seen"], said["looked_up"], paid, failed), money


def providers(shop: Shop) -> list[str]:
    """Name those who take real payments, and can be asked."""
    return [name for name in shop.providers if name != "test"]


def read_since(span: str, date: str, now: datetime) -> str:
    """Give what `--since` takes for what was chosen: a span, else a date, of UTC.

    Raises BadInputError, of the field `date`.
    """
    if span in SPANS:
        return span
    typed = date.strip()
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", typed):
            raise ValueError
        found = datetime.fromisoformat(typed).replace(tzinfo=UTC)
    except ValueError:
        raise BadInputError(
            "That is no date.", "Write it like 2026-11-01.", field="date"
        ) from None
    if found > now:
        raise BadInputError(
            "That day is still to come.", "Choose one in the past.", field="date"
        )
    if found < now - FARTHEST:
        raise BadInputError(
            "That is more than ten years ago.", "Choose a later day.", field="date"
        )
    return typed


def _proof(shop: Shop) -> Path:
    return shop.home / beside.FOLDER / "proof.run"


def _answers(shop: Shop) -> Path:
    return shop.home / beside.FOLDER / "providers.run"
