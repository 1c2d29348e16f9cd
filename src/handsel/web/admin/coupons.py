"""Coupons at the desk: making them, ending them, giving their codes out."""

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit import sheets
from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.moments import read_end, read_moment
from handsel.kit.money import Money, format_money
from handsel.ops import couponing
from handsel.ops.desk import coupons as listed
from handsel.ops.desk import products as on_shelf
from handsel.sales import coupons
from handsel.sales.coupons import MOST_AT_ONCE
from handsel.web.admin.desk import audited, confirmed, desk, done, row_number
from handsel.web.admin.product_form import Form
from handsel.web.pages import page, the_shop

COLUMNS = ("code", "takes_off", "uses", "most_uses", "state", "ends_at")


@desk.get("/coupons", endpoint="coupons")
def coupon_list() -> Response:
    """List coupons; `batch` chooses, `after` goes on."""
    batch = request.args.get("batch") or None
    after = request.args.get("after", type=row_number)
    shop = the_shop()
    with shop.reading() as session:
        found = listed.listed(session, shop, batch=batch, after=after)
        together = [] if batch or after else listed.batches(session)
    onward = url_for("desk.coupons", batch=batch, after=found.after)
    return page(
        "admin/coupons.html",
        coupons=found.facts,
        batch=batch,
        batches=together,
        next_url=onward if found.after else "",
        first_url=url_for("desk.coupons", batch=batch) if after else "",
    )


@desk.route("/coupons.csv", methods=["GET", "POST"])
def coupon_codes() -> Response:
    """Give the codes of a batch as a file: each is worth money to whoever has it."""
    shop, batch = the_shop(), request.args.get("batch", "")
    with shop.reading() as session:
        if not listed.listed(session, shop, batch=batch).facts:
            raise NotFoundError(f"No coupons were made together as {batch}.")
    confirmed()
    with shop.transaction() as session:
        audited(session, "coupons.exported", coupons.tidy(batch))

    def rows() -> Iterator[str]:
        with shop.reading() as session:
            every = (sheets.cells(each) for each in listed.every(session, shop, batch))
            yield from sheets.lines(COLUMNS, every)

    name = f"{coupons.tidy(batch)}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(rows(), headers=headers, mimetype="text/csv")


@desk.get("/new-coupon")
def new_coupon() -> Response:
    """Show the form of a coupon that is to come."""
    product = request.args.get("product", "")
    return _new(Form({"kind": "percent"}, contains=[product] if product else []))


def _new(form: Form, status: int = 200) -> Response:
    with the_shop().reading() as session:
        products = on_shelf.names(session)
    return page(
        "admin/coupon_new.html",
        status,
        form=form,
        products=products,
        currency=the_shop().settings.shop.currency,
        most_at_once=MOST_AT_ONCE,
    )


@desk.post("/new-coupon")
def make_coupon() -> AnyResponse:
    """Make one coupon, or many whose codes begin alike."""
    errors: dict[str, str] = {}
    said = _said(errors)
    code = request.form.get("code", "")
    made: list[dict[str, Any]] = []
    if not errors:
        try:
            if couponing.makes_free(the_shop(), **said):
                confirmed()  # as a gift does: nothing is paid
            made = couponing.make(
                the_shop(),
                code,
                **said,
                witness=lambda session: audited(
                    session, "coupon.made", coupons.tidy(code), count=said["count"] or 1
                ),
            )
        except (BadInputError, ConflictError, NotFoundError) as error:
            errors["code" if isinstance(error, ConflictError) else ""] = error.plain
    if errors:
        form = Form(
            dict(request.form.items()),
            contains=request.form.getlist("product"),
            errors=errors,
        )
        return _new(form, 422)
    if said["count"] is not None:
        batch = made[0]["batch"]
        return done("desk.coupons", f"{len(made)} coupons are made.", batch=batch)
    words = f"{made[0]['code']} takes {made[0]['takes_off']} off."
    return done("desk.coupon", words, code=made[0]["code"])


def _said(errors: dict[str, str]) -> dict[str, Any]:
    """Read the form as `couponing.make` takes it."""

    def text(name: str) -> str | None:
        return request.form.get(name, "").strip() or None

    def read(name: str, reading: Callable[[str], Any]) -> Any:
        try:
            return reading(said) if (said := text(name)) else None
        except BadInputError as error:
            errors[name] = error.plain

    kind = request.form.get("kind", "percent")
    value = text("value")
    if value is None:
        errors["value"] = "Say what it takes off."
    count = read("count", _number)
    return {
        "percent": value if kind == "percent" else None,
        "amount": value if kind == "amount" else None,
        "products": request.form.getlist("product"),
        "least": text("least"),
        "starts_at": read("starts_at", lambda typed: read_moment(typed, UTC)),
        "ends_at": read("ends_at", lambda typed: read_end(typed, UTC)),
        "most_uses": read("most_uses", _number) or (1 if count is not None else None),
        "most_each": read("most_each", _number),
        "count": count,
    }


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= 1_000_000_000:
        raise BadInputError(
            f"{text[:20]} is no number of times.", "Write 1 or more, in digits."
        )
    return int(text)


@desk.get("/coupons/<code>")
def coupon(code: str) -> Response:
    """Show one coupon with its limits and its links."""
    shop = the_shop()
    with shop.reading() as session:
        facts = couponing.facts(shop, coupons.get(session, code))
    least = facts["least_minor"] and Money(facts["least_minor"], facts["currency"])
    facts["active"] = facts["state"] != "ended"
    facts["least"] = format_money(least, shop.settings.shop.locale) if least else ""
    everywhere = [f"{shop.settings.public_url}/p/…?coupon={facts['code']}"]
    return page(
        "admin/coupon.html",
        coupon=facts,
        links=facts["links"] or everywhere,
    )


@desk.post("/coupons/<code>/end")
def end_coupon(code: str) -> AnyResponse:
    """Let a coupon count no more."""
    return _switch(code, active=False)


@desk.post("/coupons/<code>/revive")
def revive_coupon(code: str) -> AnyResponse:
    """Let a coupon count again."""
    shop = the_shop()
    with shop.reading() as session:
        free = couponing.gives_away(session, shop, coupons.get(session, code))
    if free:
        confirmed()
    return _switch(code, active=True)


def _switch(code: str, *, active: bool) -> AnyResponse:
    with the_shop().transaction() as session:
        if coupons.get(session, code).active is not active:
            found = coupons.switch(session, code, active=active)
            audited(session, f"coupon.{'revived' if active else 'ended'}", found.code)
    words = "counts again" if active else "counts no more"
    return done(
        "desk.coupon", f"{coupons.tidy(code)} {words}.", code=coupons.tidy(code)
    )


@desk.post("/coupon-batches/<batch>/end")
def end_batch(batch: str) -> AnyResponse:
    """Let all that were made together count no more."""
    return _switch_batch(batch, active=False)


@desk.post("/coupon-batches/<batch>/revive")
def revive_batch(batch: str) -> AnyResponse:
    """Let all that were made together count again."""
    confirmed()
    return _switch_batch(batch, active=True)


def _switch_batch(batch: str, *, active: bool) -> AnyResponse:
    name = coupons.tidy(batch)
    with the_shop().transaction() as session:
        many = coupons.switch_batch(session, batch, active=active)
        word = "revived" if active else "ended"
        audited(session, f"coupon.{word}", name, count=many)
    words = "count again" if active else "count no more"
    return done("desk.coupons", f"{many} coupons {words}.", batch=name)
