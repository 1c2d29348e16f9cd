"""What is done with one order at the desk: each a form, and each written into the log."""

from collections.abc import Callable
from secrets import token_urlsafe

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.text import normalise_email
from handsel.models import Order, Product
from handsel.ops import contesting, giving
from handsel.ops.giving import Also
from handsel.sales import blocks, catalogue, orders
from handsel.web.admin.desk import audited, confirmed, desk, done, outside, staff
from handsel.web.admin.order import order_page
from handsel.web.pages import page, the_shop


def logged(action: str, **detail: str) -> Also:
    """Write what is done into the log, in the transaction that does it."""

    def write(session: Session, order: Order) -> None:
        audited(session, action, order.number, **detail)

    return write


def _back(number: str, words: str) -> AnyResponse:
    return done("desk.order", words, number=number)


def _doing(number: str, do: Callable[[], str]) -> AnyResponse:
    """Do it and say so; where it cannot be done now, say why on the same page."""
    try:
        return _back(number, do())
    except ConflictError as error:
        return order_page(number, {}, {"": error.plain})


@desk.post("/orders/<number>/resend")
def resend(number: str) -> AnyResponse:
    """Mail the link again."""

    def send() -> str:
        facts = giving.resend(the_shop(), number, None, also=logged("order.link_sent"))
        return f"A mail with the link goes to {facts['email']}."

    return _doing(number, send)


@desk.post("/orders/<number>/address")
def readdress(number: str) -> AnyResponse:
    """Correct the address, and mail a new link there."""
    confirmed()  # whoever has the address has the purchase
    typed, also = request.form.get("email", ""), logged("order.address_corrected")

    def correct() -> str:
        facts = giving.resend(the_shop(), number, typed, also=also)
        return f"A mail with a new link goes to {facts['email']}."

    try:
        return _doing(number, correct)
    except BadInputError as error:
        return order_page(number, {"email": typed}, {"email": str(error)})


@desk.post("/orders/<number>/downloads")
def reset_downloads(number: str) -> AnyResponse:
    """Allow all downloads anew."""

    def reset() -> str:
        also = logged("order.downloads_reset")
        giving.reset_downloads(the_shop(), number, also=also)
        return "Every file can be downloaded anew."

    return _doing(number, reset)


@desk.post("/orders/<number>/close")
def revoke(number: str) -> AnyResponse:
    """Close the files."""

    def close() -> str:
        giving.revoke(the_shop(), number, also=logged("order.closed"))
        return f"{number} does not open its files any more."

    return _doing(number, close)


@desk.post("/orders/<number>/open")
def restore(number: str) -> AnyResponse:
    """Open the files again."""

    def reopen() -> str:
        giving.restore(the_shop(), number, also=logged("order.opened"))
        return f"{number} opens its files again."

    return _doing(number, reopen)


@desk.post("/orders/<number>/accept")
def accept(number: str) -> AnyResponse:
    """Deliver what was held back."""

    def deliver() -> str:
        giving.accept(the_shop(), number, also=logged("order.accepted"))
        return f"{number} is delivered."

    return _doing(number, deliver)


@desk.post("/orders/<number>/note")
def note(number: str) -> AnyResponse:
    """Write a note."""
    text, press = request.form.get("note", ""), request.form.get("press", "")[:64]
    by = staff().email
    try:
        giving.note(
            the_shop(), number, text, press=press, by=by, also=logged("order.noted")
        )
    except BadInputError as error:
        return order_page(number, {"note": text}, {"note": str(error)})
    return _back(number, "The note is written.")


@desk.post("/orders/<number>/block")
def block(number: str) -> AnyResponse:
    """Sell to this address no more."""
    reason = request.form.get("reason", "").strip()[:500]

    def stop(session: Session, email: str) -> bool:
        shop = the_shop()
        return blocks.block(session, shop.keys, email, shop.now(), reason=reason)

    return _with_address(number, stop, "order.buyer_blocked", "is not sold to any more")


@desk.post("/orders/<number>/unblock")
def unblock(number: str) -> AnyResponse:
    """Sell to this address again."""

    def go_on(session: Session, email: str) -> bool:
        return blocks.unblock(session, the_shop().keys, email)

    return _with_address(number, go_on, "order.buyer_unblocked", "is sold to again")


def _with_address(
    number: str, change: Callable[[Session, str], bool], action: str, words: str
) -> AnyResponse:
    with the_shop().transaction() as session:
        order = orders.by_number(session, number)
        email = order.email or ""
        if email and change(session, email):
            audited(session, action, order.number)
    return _back(number, f"{email} {words}." if email else "There is no address.")


@desk.get("/orders/<number>/evidence")
def evidence(number: str) -> Response:
    """Show what is known of a disputed order, as the bank will read it."""
    number, known = contesting.evidence(the_shop(), number)
    return page("admin/evidence.html", number=number, known=known)


@desk.post("/orders/<number>/evidence")
def contest(number: str) -> AnyResponse:
    """Answer the bank with it; it takes one answer."""
    confirmed()
    shop = the_shop()
    number, known = contesting.evidence(shop, number)
    with outside("order.dispute_answered", number):
        contesting.submit(shop, number, known)
    return _back(number, "Sent. The bank decides; a mail tells you how.")


@desk.get("/orders/give")
def give_form() -> Response:
    """Ask what is given, and to whom; `like` an order, to whoever bought that."""
    values = {"slug": request.args.get("slug", "")}
    if number := request.args.get("like", ""):
        with the_shop().reading() as session:
            order = orders.by_number(session, number)
            values = {"email": order.email or "", "slug": order.product.slug}
    return _give_page(values, {})


def _give_page(values: dict[str, str], errors: dict[str, str]) -> Response:
    with the_shop().reading() as session:
        products: list[Product] = list(catalogue.all_products(session, drafts=True))
    return page(
        "admin/give.html",
        422 if errors else 200,
        products=[(each.slug, each.name) for each in products],
        form={"values": values, "errors": errors},
        press=values.get("press") or token_urlsafe(16),
    )


@desk.post("/orders/give")
def give() -> AnyResponse:
    """Give a product to somebody."""
    confirmed()
    said = {
        name: request.form.get(name, "")[:300] for name in ("slug", "email", "press")
    }
    shop = the_shop()
    try:
        normalise_email(said["email"])
        facts = giving.give(
            shop,
            said["slug"],
            said["email"],
            press=said["press"],
            also=logged("order.given", product=said["slug"]),
        )
    except BadInputError as error:
        return _give_page(said, {error.field or "email": str(error)})
    return _back(facts["number"], f"A mail with the link goes to {facts['email']}.")
