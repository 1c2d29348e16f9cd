"""What a page says of one visit, before anything of it is kept."""

from dataclasses import dataclass, field, fields
from datetime import datetime

from handsel.models.words import EventKind

MOST = 100
"""Letters of a word that a link says of where it stands."""
MOST_PAGE = 200


@dataclass(frozen=True)
class Arrival:
    """Where somebody comes from, as the link they followed says; empty if it does not.

    Args:
        source, medium, campaign, term, content: `utm_source` and so on.
        referrer: host of the site that was left.
        page: host and path of the seller's page whose button was pressed.
    """

    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    referrer: str = ""
    page: str = ""

    @property
    def name(self) -> str:
        """Give the one word for it; empty for those who came by themselves."""
        return self.source or self.referrer

    def clean(self) -> "Arrival":
        """Leave out what is too long, and what no database takes."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return Arrival(
            **{name: _clean(name, value) for name, value in said.items()},
        )


def _clean(name: str, value: str) -> str:
    most = MOST_PAGE if name == "page" else MOST
    plain = "".join(letter for letter in value if letter.isprintable())
    # Small letters first: some have more of them than capitals.
    return (plain if name == "page" else plain.lower()).strip()[:most]


@dataclass(frozen=True)
class Shown:
    """A variant of an experiment that somebody was shown.

    Args:
        certain: it was, in this moment or as a page of ours has signed; else it
            only counts if it is known already.
    """

    experiment_id: int
    variant: str
    visitor: int
    certain: bool


@dataclass(frozen=True)
class Sighting:
    """One thing somebody did. The address and the agent are never kept.

    Args:
        kind: None if it only is about experiments.
        slug: of the product, if it is about one.
        purchase: public id of the order, if it is about one.
        instead: public id of the order that this one goes on from, if there is one.
        address: of the line; empty for a visitor who asks not to be counted.
        country: as what stands in front says.
        token: a name the browser was given with consent, which it keeps.
        ga_client, ga_session: Google's names for this visit, if a page had them.
        shown: the variants of all experiments that it has to do with.
    """

    kind: EventKind | None
    at: datetime
    slug: str = ""
    purchase: str = ""
    instead: str = ""
    arrival: Arrival = field(default_factory=Arrival)
    address: str = field(default="", repr=False)
    agent: str = field(default="", repr=False)
    country: str = ""
    token: str = field(default="", repr=False)
    ga_client: str = ""
    ga_session: str = ""
    shown: tuple[Shown, ...] = ()
