"""The life of an experiment: planned, running, stopped; and who was shown what."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from handsel.analytics.assigning import Trial
from handsel.analytics.sightings import Shown, Sighting
from handsel.kit.errors import ConflictError, NotFoundError
from handsel.models import Experiment, Exposure, OrderVariant, Product, Variant
from handsel.models.database import insert_new, rows_changed
from handsel.models.words import (
    DecidedBy,
    EventKind,
    ExperimentState,
    Part,
    ProductStatus,
)


def running(session: Session, slug: str = "") -> Sequence[Trial]:
    """Give the experiments that run with a product; without one, all about prices."""
    if slug:
        return _trials(session.execute(_OF_PRODUCT, {"wanted": slug}).all())
    return _trials(session.execute(_OF_PRICES).all())


def of_pages(session: Session, names: Collection[str]) -> Sequence[Trial]:
    """Give those of these experiments that run with a page of the seller's own."""
    mine = (Experiment.part == Part.PAGE, Experiment.name.in_(names))
    return _trials(session.execute(_RUNNING.where(*mine)).all())


def shipped_on_pages(session: Session, names: Collection[str]) -> dict[str, str]:
    """Give those of these experiments that are over, with the variant that was taken."""
    rows = session.execute(
        select(Experiment.name, Experiment.shipped).where(
            Experiment.part == Part.PAGE,
            Experiment.name.in_(names),
            Experiment.state == ExperimentState.STOPPED,
            Experiment.shipped.is_not(None),
        )
    )
    return {row.name: row.shipped for row in rows}


def _trials(rows: Sequence[Any]) -> Sequence[Trial]:
    variants: dict[int, dict[str, str]] = {}
    for row in rows:
        variants.setdefault(row.id, {})[row.variant] = row.value
    return [
        Trial(
            id=row.id,
            name=row.name,
            slug=row.slug,
            part=row.part,
            currency=row.currency,
            variants=variants[row.id],
            secret=row.secret,
        )
        for row in {each.id: each for each in rows}.values()
    ]


# Made once, as every page of a product asks for it.
_RUNNING = (
    select(
        Experiment.id,
        Experiment.name,
        Product.slug,
        Experiment.part,
        Experiment.currency,
        Experiment.secret,
        Variant.name.label("variant"),
        Variant.value,
    )
    .join(Product, Product.id == Experiment.product_id)
    .join(Variant, Variant.experiment_id == Experiment.id)
    .where(Experiment.state == ExperimentState.RUNNING)
    .order_by(Experiment.id, Variant.position)
)
_OF_PRODUCT = _RUNNING.where(Product.slug == bindparam("wanted"))
# The front page shows no others, and nobody is to be counted who sees no price.
_OF_PRICES = _RUNNING.where(
    Experiment.part == Part.PRICE, Product.status == ProductStatus.PUBLISHED
)


def cover_type(session: Session, sha256: str) -> str | None:
    """Give the type of a cover that is being tried; None if there is none like it."""
    value = session.scalars(
        select(Variant.value)
        .join(Experiment, Experiment.id == Variant.experiment_id)
        .where(
            Experiment.part == Part.COVER,
            Experiment.state == ExperimentState.RUNNING,
            Variant.value.startswith(f"{sha256} "),
        )
        .limit(1)
    ).one_or_none()
    return value.split()[1] if value else None


def covers(session: Session) -> Sequence[str]:
    """Name the file of every cover that is or was tried."""
    values = session.scalars(
        select(Variant.value)
        .join(Experiment, Experiment.id == Variant.experiment_id)
        .where(Experiment.part == Part.COVER, Variant.value != "")
    )
    return [value.split()[0] for value in values]


def write(
    session: Session, seen: Sighting, order_id: int | None, before: int | None = None
) -> None:
    """Write down what somebody was shown, and what an order was begun with.

    What a visitor was shown first is what counts. An order of somebody who was never
    shown anything, or something else at first, counts for nothing; one that goes on from
    the order `before` counts as that does.
    """
    for each in seen.shown if before is None else ():
        if each.certain:
            insert_new(
                session,
                Exposure,
                experiment_id=each.experiment_id,
                visitor=each.visitor,
                variant=each.variant,
                at=seen.at,
            )
        if order_id and seen.kind is EventKind.STARTED:
            _keep_order(session, order_id, each)
    if order_id and before is not None:
        _go_on(session, order_id, before)


def _go_on(session: Session, order_id: int, before: int) -> None:
    mine = select(OrderVariant).where(OrderVariant.order_id == before)
    for each in session.scalars(mine).all():
        _keep_order(session, order_id, each)


def _keep_order(session: Session, order_id: int, seen: Shown | OrderVariant) -> None:
    exposed = session.scalar(
        select(Exposure.variant).where(
            Exposure.experiment_id == seen.experiment_id,
            Exposure.visitor == seen.visitor,
        )
    )
    if exposed == seen.variant:
        insert_new(
            session,
            OrderVariant,
            order_id=order_id,
            experiment_id=seen.experiment_id,
            variant=seen.variant,
            visitor=seen.visitor,
        )


def visitor_of(session: Session, order_id: int, experiment_id: int) -> int | None:
    """Give the visitor of an experiment by whom an order was begun, if it was by one."""
    found = session.get(OrderVariant, (order_id, experiment_id))
    return found.visitor if found else None


def get(session: Session, name: str) -> Experiment:
    """Give an experiment with its variants. Raises NotFoundError."""
    found = session.scalars(
        select(Experiment)
        .where(Experiment.name == name)
        .options(selectinload(Experiment.variants))
    ).one_or_none()
    if found is None:
        raise NotFoundError(
            f"There is no experiment called {name}.",
            "`handsel experiment list` shows them.",
        )
    return found


def listed(session: Session) -> Sequence[Experiment]:
    """Give every experiment, newest first, with its variants."""
    return session.scalars(
        select(Experiment)
        .options(selectinload(Experiment.variants))
        .order_by(Experiment.id.desc())
    ).all()


def add(session: Session, new: Experiment) -> None:
    """Keep a new experiment, as a draft. Raises ConflictError for a name that is taken."""
    taken = ConflictError(
        f"There is an experiment called {new.name} already.",
        "Give this one another name.",
    )
    if session.scalar(select(func.count()).where(Experiment.name == new.name)):
        raise taken
    new.state = ExperimentState.DRAFT
    session.add(new)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else was faster
        raise taken from error


def start(
    session: Session,
    found: Experiment,
    now: datetime,
    *,
    planned_visitors: int,
    visitors_before: int,
) -> None:
    """Begin to show the variants. Raises ConflictError when it has begun before, or
    another one tries the same part."""
    other = session.scalar(
        select(Experiment.name).where(
            Experiment.product_id == found.product_id,
            Experiment.part == found.part,
            Experiment.state == ExperimentState.RUNNING,
            Experiment.id != found.id,
        )
    )
    if other:
        raise ConflictError(
            f"{other} is trying the {found.part} of this product already.",
            f"Stop it first: handsel experiment stop {other}",
        )
    part = found.part
    try:
        _step(
            session,
            found,
            ExperimentState.DRAFT,
            state=ExperimentState.RUNNING,
            secret=secrets.token_hex(32),
            started_at=now,
            planned_visitors=planned_visitors,
            visitors_before=visitors_before,
        )
    except IntegrityError as error:  # somebody else was faster
        raise ConflictError(
            f"Another experiment began to try the {part} of this product just now.",
            "`handsel experiment list` shows it.",
        ) from error


def stop(
    session: Session, found: Experiment, now: datetime, *, shipped: str | None
) -> None:
    """Show the control to everybody again, and forget who was who. Its counts stay.

    Raises ConflictError when it does not run.
    """
    _step(
        session,
        found,
        ExperimentState.RUNNING,
        state=ExperimentState.STOPPED,
        secret=None,
        stopped_at=now,
        shipped=shipped,
    )


def _step(
    session: Session, found: Experiment, before: ExperimentState, **values: object
) -> None:
    """Change an experiment, unless somebody else was faster."""
    mine = (Experiment.id == found.id, Experiment.state == before)
    if not rows_changed(session, update(Experiment).where(*mine).values(**values)):
        raise ConflictError(_WRONG[before].format(name=found.name), _THEN[before])
    session.expire(found)


_WRONG = {
    ExperimentState.DRAFT: "{name} was started before.",
    ExperimentState.RUNNING: "{name} does not run.",
}
_THEN = {
    ExperimentState.DRAFT: "To try it again, create another one.",
    ExperimentState.RUNNING: "`handsel experiment list` says which do.",
}


def drop(session: Session, found: Experiment) -> None:
    """Delete a draft. Raises ConflictError for any other: what it found stays."""
    if found.state is not ExperimentState.DRAFT:
        raise ConflictError(
            f"{found.name} is no draft: what it has found stays.",
            f"If it still runs, stop it: handsel experiment stop {found.name}",
        )
    session.execute(delete(Variant).where(Variant.experiment_id == found.id))
    session.execute(delete(Experiment).where(Experiment.id == found.id))


def refuse_change(session: Session, product: Product, parts: Collection[Part]) -> None:
    """Raise ConflictError if one of these is being tried: it must stay as it is."""
    row = session.execute(
        select(Experiment.name, Experiment.part).where(
            Experiment.product_id == product.id,
            Experiment.part.in_(parts),
            Experiment.state == ExperimentState.RUNNING,
        )
    ).first()
    if row:
        raise ConflictError(
            f"The {row.part} of {product.slug} is being tried by {row.name}: while it "
            "runs, it must stay as it is.",
            f"Stop it first: handsel experiment stop {row.name}",
        )


def refuse_currencies(session: Session, product: Product) -> None:
    """Raise ConflictError if revenue decides of something that is being tried: what is
    paid in other currencies than before could not be added up."""
    name = session.scalar(
        select(Experiment.name)
        .where(
            Experiment.product_id == product.id,
            Experiment.decided_by == DecidedBy.REVENUE,
            Experiment.state == ExperimentState.RUNNING,
        )
        .limit(1)
    )
    if name:
        raise ConflictError(
            f"{name} compares what visitors of {product.slug} bring: while it runs, the "
            "currencies must stay as they are.",
            f"Stop it first: handsel experiment stop {name}",
        )
