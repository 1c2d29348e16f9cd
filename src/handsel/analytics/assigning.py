"""Which variant a visitor sees: worked out anew each time, and kept nowhere.

A number made of the line and the browser, with a secret of the experiment, decides. So
whoever comes again sees the same, without a cookie and without a row being read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handsel.analytics import visitors
from handsel.kit.money import Money
from handsel.kit.signing import Keys, check, sign
from handsel.models.words import Part

_PURPOSE = "experiment"
NOBODY = 0
"""The number of whoever is promised a price and counts for nothing."""


@dataclass(frozen=True)
class Trial:
    """A running experiment. `variants`: their names, the control first, and values."""

    id: int
    name: str
    slug: str
    part: Part
    currency: str
    variants: Mapping[str, str]
    secret: str = field(repr=False)

    @property
    def control(self) -> str:
        """The name of how it is without any experiment."""
        return next(iter(self.variants))

    def price(self, variant: str) -> Money:
        """Give the price that a variant of a price is."""
        return Money(int(self.variants[variant]), self.currency)


@dataclass(frozen=True)
class Ticket:
    """What a visitor is shown of an experiment, in our own words.

    Pages carry it, signed, to the press on Buy and past it, so that a visitor whose
    address changes on the way stays the same one, and a price stays as it was shown.
    """

    trial: Trial
    variant: str
    visitor: int
    brought: bool = False
    """Whether the visitor has brought it along: a page of ours has shown it before."""

    def text(self, keys: Keys) -> str:
        """Write it down with our signature: letters, digits, hyphens and dots."""
        said = (self.trial.name, self.variant, str(self.visitor))
        return ".".join((*said, _proof(keys, self)))


def assign(keys: Keys, trial: Trial, address: str, agent: str) -> Ticket:
    """Say what a visitor is to be shown.

    Never by a name that the browser was given with consent: whoever says Yes on the
    first page would see another variant on the second.
    """
    visitor = visitors.number(keys, trial.secret, address, agent)
    names = list(trial.variants)
    return Ticket(trial, names[visitor % len(names)], visitor)


def read(keys: Keys, trials: Mapping[str, Trial], text: str) -> Ticket | None:
    """Read what `Ticket.text` wrote; None for what we never wrote, or is over."""
    name, _, rest = text.partition(".")
    variant, _, rest = rest.partition(".")
    number, _, proof = rest.partition(".")
    trial = trials.get(name)
    if trial is None or variant not in trial.variants:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        return None
    ticket = Ticket(trial, variant, int(number), brought=True)
    known = check(keys, _PURPOSE, proof, *_parts(ticket))
    return ticket if known else None


def _proof(keys: Keys, ticket: Ticket) -> str:
    return sign(keys, _PURPOSE, *_parts(ticket))


def _parts(ticket: Ticket) -> tuple[str, ...]:
    return (str(ticket.trial.id), ticket.variant, str(ticket.visitor))
