"""Experiments as a seller asks for them: planned, started, stopped."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from handsel.analytics import experiments
from handsel.kit.errors import BadInputError, NotFoundError
from handsel.kit.money import Money
from handsel.kit.text import slugify
from handsel.models import Experiment, Product, Variant
from handsel.models.words import DecidedBy, Part, ProductStatus
from handsel.ops import experiment_facts, variants
from handsel.ops.experiment_facts import facts_of, product_of
from handsel.ops.wording import USUAL_TEMPLATE
from handsel.sales import asking, catalogue, deleting
from handsel.sales.catalogue import Changes
from handsel.sales.covers import Cover
from handsel.shop import Shop

MOST_LETTERS = 40
"""Of the name of an experiment."""

Note = Callable[[Session], None]
"""Writes down who did it, in the transaction that does it."""


def _nothing(_: Session) -> None:
    """Write nothing down: whoever calls a command is who runs this machine."""


def create(
    shop: Shop,
    name: str,
    *,
    slug: str,
    part: Part,
    typed: Sequence[str],
    metric: str | None,
    lift: str,
    begin: bool,
    in_words: bool = False,
    note: Note = _nothing,
) -> dict[str, Any]:
    """Plan an experiment, and start it at once if asked to; give it as `facts`.

    Args:
        in_words: what is typed is never the name of a file on this machine.
        note: what else is written in the same transaction.

    Raises BadInputError, NotFoundError, ConflictError; then there is none.
    """
    with shop.reading() as session:
        product = catalogue.get(session, slug)
    variants.check(shop, product, part)
    values = variants.values(
        shop, product, part, variants.read(typed), in_words=in_words
    )
    new = Experiment(
        name=_name(name),
        product_id=product.id,
        part=part,
        decided_by=_decided_by(product, part, metric),
        lift_bp=_basis_points(lift),
        currency=product.currency,
        created_at=shop.now(),
        variants=[
            Variant(position=place, name=each, value=value)
            for place, (each, value) in enumerate(values.items())
        ],
    )
    with shop.transaction() as session:
        deleting.keep(session, product.id)
        experiments.add(session, new)
        if begin:
            _start(session, shop, new)
        note(session)
    return facts_of(shop, name)


def cover_of(session: Session, name: str, variant: str) -> Cover:
    """Give the cover that a variant shows. Raises NotFoundError."""
    found = experiments.get(session, name)
    for each in found.variants:
        cover = variants.as_cover(each.value) if found.part is Part.COVER else None
        if each.name == variant and cover:
            return cover
    raise NotFoundError("There is no such picture.")


def start(shop: Shop, name: str, *, note: Note = _nothing) -> dict[str, Any]:
    """Begin to show the variants of a draft. Raises as `create`."""
    with shop.transaction() as session:
        found = experiments.get(session, name)
        deleting.keep(session, found.product_id)
        _start(session, shop, found)
        note(session)
    return facts_of(shop, name)


def _start(session: Session, shop: Shop, found: Experiment) -> None:
    product = product_of(session, found)
    variants.check(shop, product, found.part)
    _check_again(shop, product, found)
    _check_metric(product, found.part, found.decided_by)
    if product.status is not ProductStatus.PUBLISHED:
        raise BadInputError(
            f"{product.slug} is not for sale: nobody would see what is tried.",
            f"Put it on the shelf first: handsel product publish {product.slug}",
        )
    control = found.variants[0]
    control.value = variants.current(product, found.part)
    if found.part is not Part.PAGE and control.value in [
        each.value for each in found.variants[1:]
    ]:
        raise BadInputError(
            f"A variant of {found.name} is how it is now: there is nothing to compare.",
            f"Delete it, and make another: handsel experiment delete {found.name}",
        )
    session.flush()
    before = experiment_facts.before_of(session, shop, product)
    lift = found.lift_bp / 10_000
    plan = experiment_facts.plan_for(found, product, before, lift)
    experiments.start(
        session,
        found,
        shop.now(),
        planned_visitors=plan.visitors,
        visitors_before=before.visitors,
    )


def _check_again(shop: Shop, product: Product, found: Experiment) -> None:
    """Refuse variants that can no longer be shown: a draft may be old."""
    if found.part is Part.PRICE and found.currency != product.currency:
        raise BadInputError(
            f"The prices of {found.name} are in {found.currency}, and {product.slug} is "
            f"sold in {product.currency} now.",
            f"Delete it, and make another: handsel experiment delete {found.name}",
        )
    found.currency = product.currency
    for each in found.variants[1:]:
        variants.check_again(shop, product, found.part, each.value)


def stop(
    shop: Shop, name: str, ship: str | None, *, note: Note = _nothing
) -> dict[str, Any]:
    """End an experiment; `ship` names the variant that everybody sees from now on.

    Raises NotFoundError, ConflictError.
    """
    with shop.transaction() as session:
        found = experiments.get(session, name)
        chosen = {each.name: each.value for each in found.variants}
        if ship is not None and ship not in chosen:
            raise NotFoundError(
                f"{name} has no variant {ship}.", f"It has {', '.join(chosen)}."
            )
        experiments.stop(session, found, shop.now(), shipped=ship)
        if ship is not None and found.part is not Part.PAGE:
            _ship(session, found, chosen[ship], shop.now())
        note(session)
    return facts_of(shop, name)


def _ship(session: Session, found: Experiment, value: str, now: datetime) -> None:
    """Make what was tried the way it is."""
    product = product_of(session, found)
    changes = {
        Part.HEADLINE: lambda: Changes(name=value),
        Part.DESCRIPTION: lambda: Changes(description=value),
        Part.COVER: lambda: Changes(cover=variants.as_cover(value)),
        Part.BUTTON: lambda: Changes(button=value),
        Part.TEMPLATE: lambda: Changes(
            template="" if value == USUAL_TEMPLATE else value
        ),
        Part.PRICE: lambda: Changes(asking=_at_price(product, int(value))),
    }
    catalogue.edit(session, product.slug, changes[found.part](), now)


def _at_price(product: Product, minor: int) -> asking.Asking:
    before = asking.of(product)
    return asking.Asking(Money(minor, product.currency), also=before.also)


def delete(shop: Shop, name: str, *, note: Note = _nothing) -> None:
    """Delete a draft. Raises NotFoundError, ConflictError."""
    with shop.transaction() as session:
        experiments.drop(session, experiments.get(session, name))
        note(session)


def _name(text: str) -> str:
    if len(text) <= MOST_LETTERS and slugify(text) == text:
        return text
    raise BadInputError(
        "The name of an experiment has only a-z, 0-9 and single hyphens between them, "
        f"{MOST_LETTERS} at most.",
        f"Try: {slugify(text)[:MOST_LETTERS].strip('-')}",
    )


def _decided_by(product: Product, part: Part, metric: str | None) -> DecidedBy:
    """Choose revenue where amounts can be added up, unless something else is said."""
    if metric:
        chosen = DecidedBy(metric)
    elif product.prices or _free(product):
        chosen = DecidedBy.CONVERSION
    else:
        chosen = DecidedBy.REVENUE
    _check_metric(product, part, chosen)
    return chosen


def _free(product: Product) -> bool:
    return not product.price_minor and not product.open_price


def _check_metric(product: Product, part: Part, chosen: DecidedBy) -> None:
    """Refuse what cannot decide; a draft's product may have changed since it was made."""
    if chosen is DecidedBy.REVENUE and product.prices:
        raise BadInputError(
            f"{product.slug} is sold in several currencies, which cannot be added up.",
            "Plan it with --metric conversion.",
        )
    if chosen is DecidedBy.REVENUE and _free(product):
        raise BadInputError(
            f"{product.slug} is free: no visitor brings anything.",
            "Plan it with --metric conversion.",
        )
    if chosen is DecidedBy.CONVERSION and part is Part.PRICE:
        raise BadInputError(
            "The lower price is always bought more often: that says nothing.",
            "Leave --metric out: what a visitor brings counts.",
        )


def _basis_points(text: str) -> int:
    found = re.fullmatch(
        r"([0-9]{1,4}(?:[.,][0-9]{1,2})?)\s*%?", text.strip(), re.ASCII
    )
    points = int(Decimal(found[1].replace(",", ".")) * 100) if found else 0
    if 0 < points < 100 and "%" not in text:
        raise BadInputError(
            f"“{text}” may be {points / 100:g} % or {points} %.",
            f"Write --lift {points}% or --lift {points / 100:g}%",
        )
    if not 10 <= points <= 100_000:
        raise BadInputError(
            f"“{text}” is no difference that can be looked for.",
            "Write a part like 10%; 0.1 to 1000.",
        )
    return points
