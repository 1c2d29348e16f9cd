"""Experiments at the desk: what they say, with their intervals drawn, and their life."""

from typing import Any

from flask import Response, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import ShopError
from handsel.models.words import DecidedBy, Part
from handsel.ops import experiment_facts, experiment_words, experimenting
from handsel.ops.experimenting import Note
from handsel.sales import catalogue
from handsel.web.admin import experiment_shown as shown
from handsel.web.admin import written
from handsel.web.admin.desk import audited, desk, done
from handsel.web.admin.tray import on_tray
from handsel.web.pages import page, the_shop

OTHERS = "bcdef"
"""The names of the variants besides `a`, which is how it is now."""


@desk.get("/experiments")
def experiments() -> Response:
    """List experiments, newest first, with what they say, and plan another one."""
    return _list({}, "")


def _list(values: dict[str, str], error: str) -> Response:
    shop = the_shop()
    with shop.reading() as session:
        products = catalogue.all_products(session)
    return page(
        "admin/experiments.html",
        422 if error else 200,
        rows=[shown.line(each) for each in experiment_facts.listed(shop)],
        products=[(each.slug, each.name) for each in products],
        parts=[(str(part), shown.PARTS[part]) for part in Part],
        metrics=[(str(each), experiment_words.DECIDES[each]) for each in DecidedBy],
        others=OTHERS,
        values=values,
        error=error,
        **on_tray(),
    )


@desk.post("/experiments")
def create_experiment() -> AnyResponse:
    """Plan one; what is wrong with it is said above the form, which keeps what was typed."""
    form = request.form
    name = form.get("name", "").strip()
    part = form.get("part", "")
    typed = ["a", *_typed(part)]
    try:
        experimenting.create(
            the_shop(),
            name,
            slug=form.get("product", ""),
            part=Part(part) if part in list(Part) else Part.HEADLINE,
            typed=typed,
            metric=form.get("metric") or None,
            lift=form.get("lift", "") or "10%",
            begin=False,
            in_words=True,
            note=_noted("experiment.planned", name),
        )
    except ShopError as error:
        return _list(dict(form.items()), shown.told(error))
    if part == Part.COVER:
        _let_go()
    return done("desk.experiment", f"{name} is planned.", name=name)


def _typed(part: str) -> list[str]:
    """Give the variants that were filled in; of one's own page all that were ticked."""
    field = "cover" if part == Part.COVER else "value"
    values = {name: request.form.get(f"{field}_{name}", "").strip() for name in OTHERS}
    if part == Part.PAGE:
        count = request.form.get("count", 2, type=int)
        return [*OTHERS[: max(1, min(count, len(OTHERS) + 1)) - 1]]
    return [f"{name}={value}" for name, value in values.items() if value]


def _let_go() -> None:
    """Forget the uploads that lie in the storage now."""
    for name in OTHERS:
        if chosen := request.form.get(f"cover_{name}", ""):
            the_shop().uploads.remove(chosen)


def _noted(action: str, name: str, **detail: Any) -> Note:
    def note(session: Session) -> None:
        audited(session, action, name, **detail)

    return note


def _noted_end(found: shown.Facts, ship: str | None) -> Note:
    """Note the end of an experiment, and what its product became by it."""
    told = {each["variant"]: each["value"] or "" for each in found["variants"]}
    was, now = next(iter(told.values())), told.get(ship or "", "")
    part = Part(found["part"])
    value = "another" if part is Part.COVER else written.logged(was, now)

    def note(session: Session) -> None:
        chosen = {"ship": ship} if ship else {}
        audited(session, "experiment.stopped", found["name"], **chosen)
        if ship and was != now:
            changed = {shown.PARTS[part].capitalize(): value}
            audited(session, "product.changed", found["product"], **changed)

    return note


@desk.get("/experiments/<name>")
def experiment(name: str) -> Response:
    """Show what one has found so far. Raises NotFoundError."""
    return _one(name, "")


def _one(name: str, error: str) -> Response:
    found = experiment_facts.facts_of(the_shop(), name)
    return page(
        "admin/experiment.html",
        422 if error else 200,
        found=found,
        shown=shown.one(found),
        error=error,
        start_url=url_for("desk.start_experiment", name=name),
        stop_url=url_for("desk.stop_experiment", name=name),
        delete_url=url_for("desk.delete_experiment", name=name),
    )


@desk.get("/experiments/<name>/cover/<variant>")
def variant_cover(name: str, variant: str) -> Response:
    """Give a cover that is tried, was, or is to be. Raises NotFoundError."""
    with the_shop().reading() as session:
        cover = experimenting.cover_of(session, name, variant)
    with the_shop().storage.open(cover.sha256) as file:
        return Response(file.read(), content_type=cover.content_type)


@desk.post("/experiments/<name>/start")
def start_experiment(name: str) -> AnyResponse:
    """Show visitors the variants from now on."""
    try:
        experimenting.start(the_shop(), name, note=_noted("experiment.started", name))
    except ShopError as error:
        return _refused(name, error)
    return done("desk.experiment", f"{name} runs from now on.", name=name)


@desk.post("/experiments/<name>/stop")
def stop_experiment(name: str) -> AnyResponse:
    """End it; `ship` names the variant that everybody sees then."""
    ship = request.form.get("ship") or None
    note = _noted_end(experiment_facts.facts_of(the_shop(), name), ship)
    try:
        ended = experimenting.stop(the_shop(), name, ship, note=note)
    except ShopError as error:
        return _refused(name, error)
    said = " ".join(
        (experiment_words.stopped(ended), experiment_words.after_the_end(ended))
    )
    return done("desk.experiment", said.strip(), name=name)


@desk.post("/experiments/<name>/delete")
def delete_experiment(name: str) -> AnyResponse:
    """Delete one that was never started."""
    try:
        experimenting.delete(the_shop(), name, note=_noted("experiment.deleted", name))
    except ShopError as error:
        return _refused(name, error)
    return done("desk.experiments", f"{name} is deleted.")


def _refused(name: str, error: ShopError) -> Response:
    """Say why not, on the page of the experiment; one that is not there has none."""
    if error.status == 404:
        raise error
    return _one(name, shown.told(error))
