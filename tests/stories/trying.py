"""Experiments that run, and visitors who are to see one variant of them."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from werkzeug.test import TestResponse

from handsel.analytics import assigning, experiments
from handsel.analytics.assigning import Trial
from handsel.models.words import Part
from handsel.ops import experiment_facts, experimenting
from handsel.shop import Shop
from tests.stories.visiting import COMPUTER, Reader, settle


def begin(
    shop: Shop, part: str, *typed: str, name: str = "", slug: str = "book", **more: Any
) -> dict[str, Any]:
    """Start an experiment, which is called as what it tries if nothing else is said."""
    options: dict[str, Any] = {"metric": None, "lift": "10%", "begin": True, **more}
    return experimenting.create(
        shop, name or part, slug=slug, part=Part(part), typed=typed, **options
    )


def trial(shop: Shop, name: str, slug: str = "book") -> Trial:
    """Give an experiment that runs."""
    with shop.reading() as session:
        found = experiments.running(session, slug)
    [one] = [each for each in found if each.name == name]
    return one


def people(
    shop: Shop, name: str, variant: str, of: Reader, *, agent: str = COMPUTER
) -> Iterator[Reader]:
    """Give one visitor after the other who sees this variant."""
    tried = trial(shop, name)
    for number in count():
        address = f"198.51.{number // 250}.{1 + number % 250}"
        ticket = assigning.assign(shop.keys, tried, address, agent)
        if ticket.variant == variant:
            yield Reader(shop, address=address, agent=agent, of=of)


def one(shop: Shop, name: str, variant: str, of: Reader) -> Reader:
    """Give somebody who sees this variant."""
    return next(people(shop, name, variant, of))


def headline(page: TestResponse) -> str:
    """Give the first heading of a page."""
    text = page.get_data(as_text=True)
    inside = text.partition("<h1>")[2].partition("</h1>")[0]
    return inside.removeprefix("<bdi>").removesuffix("</bdi>")


def found(reader: Reader, name: str) -> dict[str, Any]:
    """Give what an experiment shows, after everything is written down."""
    reader.write()
    settle(reader.shop)
    return experiment_facts.facts_of(reader.shop, name)


def figures(reader: Reader, name: str, what: str = "visitors") -> list[Any]:
    """Give one figure of each variant."""
    return [each[what] for each in found(reader, name)["variants"]]


def counted(reader: Reader, name: str) -> list[tuple[int, int, int]]:
    """Give visitors, buyers and money of each variant."""
    return [
        (each["visitors"], each["buyers"], round(each["revenue"] * each["visitors"]))
        for each in found(reader, name)["variants"]
    ]


def forget(reader: Reader) -> None:
    """Throw all cookies of a browser away."""
    assert reader.client._cookies is not None
    reader.client._cookies.clear()
