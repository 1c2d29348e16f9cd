"""One step more before paying, while stolen cards are tried: open a mail first.

The buyer gives an e-mail address, opens the link that comes there, on any device, and
goes on to pay. All that was said on the way is carried along. Where no mail goes out, a
minute's patience must do, and a place in the line when many wait.
"""

import secrets
from collections.abc import Mapping
from math import ceil

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, NotFoundError
from handsel.kit.signing import numbered
from handsel.kit.text import email_key, normalise_email, suggest_email
from handsel.models import Order, Product
from handsel.ops import braking
from handsel.ops.braking import Why
from handsel.sales import catalogue, checkout, checks, starts
from handsel.sales.checkout import Offer
from handsel.sales.checks import Check, Mail
from handsel.sales.starts import Who
from handsel.web import limits
from handsel.web.guards import Policy, guard
from handsel.web.links import number_behind
from handsel.web.pages import own_browser, page, the_shop, with_visitor

blueprint = Blueprint("checking", __name__)
guard(blueprint, Policy("a buyer who is asked to open a mail first", secret=True))

PROOF = "proof"
"""The field by which the page behind the mailed link says that it was opened."""
WAITS = "waits"
"""What the signature of the page that waits for the mail is for."""
OURS = ("press", "email", PROOF)
"""Fields that are said anew on the way; all others are carried along."""
LOOKS = 60
"""After so many seconds a page that stands in line looks again, if not earlier."""
MOST_FIELDS = 30
LONGEST = 500


def asked_first(
    offer: Offer, purchase: str, carried: Mapping[str, str] | None = None
) -> AnyResponse | None:
    """Ask this buyer to open a mail before this payment begins; None if they may pay.

    Args:
        purchase: the key of the payment.
        carried: what is said for them when they go on; what they have sent, if not given.
    """
    shop, who = the_shop(), _who()
    why = braking.let_in(shop, offer.product_id, purchase, who, _proof())
    if why:
        return _ask(offer.slug, offer.name, why, carried or _carried())
    braking.make_room(shop, who)
    return None


def asked_to_move(offer: Offer, order: Order) -> AnyResponse | None:
    """The same for a payment that moves to the provider's own page.

    Whoever has opened a mail for it is not asked again.
    """
    with the_shop().reading() as session:
        if starts.is_proven(session, order):
            return None
    carried = {**offer.wish, "provider": order.provider}
    if not offer.chosen:  # what is dearer when the mail is opened is said first
        carried["shown"] = f"{offer.price.minor} {offer.price.currency}"
    return asked_first(offer, checkout.hosted_key(order), carried)


def _who() -> Who:
    return Who(limits.visitor_mark("start"), own_browser())


def _proof() -> int | None:
    """Read which mail this buyer has opened, if any."""
    token = request.form.get(PROOF, "")
    if not token:
        return None
    try:
        return number_behind(the_shop().keys, checks.PURPOSE, token)
    except NotFoundError:
        return None


def _carried() -> dict[str, str]:
    """Give what a form has said, but for what is said anew."""
    said = [(name, text) for name, text in request.form.items() if name not in OURS]
    return {name[:LONGEST]: text[:LONGEST] for name, text in said[:MOST_FIELDS]}


def _ask(
    slug: str,
    name: str,
    why: Why,
    carried: Mapping[str, str],
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> AnyResponse:
    values = values or {"email": request.form.get("email", "")[:LONGEST]}
    response = page(
        "check.html",
        422 if errors else 200,
        product={"name": name},
        why=str(why),
        form={"values": values, "errors": errors or {}, "suggestion": ""},
        action=url_for("checking.send", slug=slug),
        hidden=carried,
    )
    response.headers["Cache-Control"] = "no-store"
    return with_visitor(response)


@blueprint.post("/check/<slug>")
def send(slug: str) -> AnyResponse:
    """Mail the link; whoever need not be asked any more goes on at once."""
    shop, typed, carried = the_shop(), request.form.get("email", ""), _carried()
    with shop.reading() as session:
        product = catalogue.published(session, slug)
    with shop.transaction() as session:
        why = braking.reason(session, shop, product.id, _who())
    if why is None:
        return _go_on(product, carried | {"email": typed[:LONGEST]})
    try:
        email = normalise_email(typed)
    except BadInputError as error:
        wrong = {"email": str(error)}
        return _ask(slug, product.name, why, carried, {"email": typed}, wrong)
    limits.hit("check", most=10, minutes=60)
    limits.hit("check-address", most=3, minutes=60, who=email_key(email))
    with shop.transaction() as session:
        number = checks.ask(
            *(session, product.id, email, carried, shop.now()),
            visitor=limits.visitor_mark("check"),
            mails=_mails_arrive(),
        )
    return redirect(
        url_for("checking.wait", token=numbered(shop.keys, WAITS, number)), 303
    )


def _mails_arrive() -> bool:
    """Whether mails go to anybody: those in the folder of a public shop do not."""
    settings = the_shop().settings
    return settings.mail.transport != "folder" or not settings.is_public


@blueprint.get("/checking/<token>")
def wait(token: str) -> AnyResponse:
    """Say that a mail is on its way, or when it is the buyer's turn; then go on."""
    shop = the_shop()
    number = number_behind(shop.keys, WAITS, token)
    with shop.reading() as session:
        turn = checks.turn(session, number)
    if turn is None:
        return _wait(number, token, impatient=False)
    seconds = ceil((turn - shop.now()).total_seconds())
    return _stand_in_line(number, seconds) if seconds > 0 else _go_past(number)


@blueprint.post("/checking/<token>")
def no_mail(token: str) -> AnyResponse:
    """Give a turn to a buyer to whom no mail can go out; else say what became of it."""
    shop = the_shop()
    number = number_behind(shop.keys, WAITS, token)
    with shop.reading() as session:
        mail = checks.mail(session, number, shop.now())
        found = checks.find(session, number, shop.now())
    if found and mail is Mail.AWAY:
        visitor = limits.visitor_mark("check")
        with shop.transaction() as session:
            turn = checks.take_turn(session, number, visitor, shop.now())
        if turn:
            return redirect(url_for("checking.wait", token=token), 303)
    return _wait(number, token, impatient=True)


def _go_past(number: int) -> AnyResponse:
    proof = numbered(the_shop().keys, checks.PURPOSE, number)
    return redirect(url_for("checking.opened", token=proof), 303)


def _stand_in_line(number: int, seconds: int) -> AnyResponse:
    _, product = _check(number)
    return page(
        "check_line.html",
        product={"name": product.name},
        turn_minutes=ceil(seconds / 60),
        check_url=request.path,
        refresh_seconds=min(seconds, LOOKS),
    )


def _wait(number: int, token: str, *, impatient: bool) -> AnyResponse:
    shop = the_shop()
    check, product = _check(number)
    with shop.reading() as session:
        mail = checks.mail(session, number, shop.now())
    return page(
        "check_wait.html",
        product={"name": product.name},
        email=check.email,
        suggestion=suggest_email(check.email) or "",
        mail=str(mail),
        impatient=impatient,
        minutes=int(checks.GOOD_FOR.total_seconds()) // 60,
        action=url_for("checking.no_mail", token=token),
        form={"values": {}, "errors": {}, "suggestion": ""},
        again=url_for("checking.send", slug=product.slug),
        hidden=check.fields,
    )


@blueprint.get("/checked/<token>")
def opened(token: str) -> AnyResponse:
    """Show the way to the payment to whoever has opened the mail.

    It takes a press: mail scanners open links, they must not begin payments.
    """
    number = number_behind(the_shop().keys, checks.PURPOSE, token)
    check, product = _check(number)
    return _go_on(product, {**check.fields, "email": check.email, PROOF: token})


def _check(number: int) -> tuple[Check, Product]:
    shop = the_shop()
    with shop.reading() as session:
        check = checks.find(session, number, shop.now())
        product = session.get(Product, check.product_id) if check else None
    if check is None or product is None:
        raise NotFoundError(
            "The hour of this link is over.",
            "Please begin again in the shop; you were not charged.",
        )
    return check, product


def _go_on(product: Product, fields: Mapping[str, str]) -> AnyResponse:
    """Give a button that buys, with everything that was said before."""
    response = page(
        "check_open.html",
        product={"name": product.name},
        action=url_for("buying.buy", slug=product.slug),
        hidden={**fields, "press": secrets.token_urlsafe(16)},
    )
    return with_visitor(response)
