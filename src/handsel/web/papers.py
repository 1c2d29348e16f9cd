"""A buyer's invoices and credit notes, behind the link of the purchase."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.text import content_disposition
from handsel.models import Order
from handsel.ops import paperpdf
from handsel.sales import invoices, papers
from handsel.sales.papers import Paper
from handsel.web import limits
from handsel.web.guards import Policy, guard
from handsel.web.links import check_nonce, nonce, order_behind
from handsel.web.pages import page, the_shop

blueprint = Blueprint("papers", __name__)
guard(blueprint, Policy("whoever holds the link of a purchase", secret=True))


def listed(token: str, order: Order) -> list[dict[str, str]]:
    """Give the papers of a purchase as its page lists them."""
    shop = the_shop()
    with shop.reading() as session:
        return [
            {
                "name": f"{papers.HEADINGS[each.kind]} {each.number}",
                "url": url_for("papers.show", token=token, paper_id=each.id),
            }
            for each in invoices.of(session, order)
        ]


@blueprint.get("/d/<token>/invoice/<int(max=2147483647):paper_id>")
def show(token: str, paper_id: int) -> AnyResponse:
    """Show a paper, to read or to print."""
    order = order_behind(the_shop(), token)
    return _page(token, order, _written(order, paper_id), paper_id)


@blueprint.get("/d/<token>/invoice/<int(max=2147483647):paper_id>.pdf")
def pdf(token: str, paper_id: int) -> AnyResponse:
    """Give a paper as a file to keep."""
    order = order_behind(the_shop(), token)
    # Setting one takes a good part of what a page may take.
    limits.hit("pdf", most=60, minutes=10, who=order.public_id)
    written = _written(order, paper_id)
    response = Response(paperpdf.render(written), content_type="application/pdf")
    name = content_disposition(f"{written.number}.pdf")
    response.headers["Content-Disposition"] = name
    return response


@blueprint.post("/d/<token>/invoice/<int(max=2147483647):paper_id>")
def make_out(token: str, paper_id: int) -> AnyResponse:
    """Make the papers of a purchase out to a name and an address."""
    shop = the_shop()
    order = order_behind(shop, token)
    written = _written(order, paper_id)
    typed = {
        name: request.form.get(name, "") for name in ("name", "address", "tax_number")
    }
    if not check_nonce(token):
        errors = {"": "This page had been open for a while. Please press once more."}
        return _page(token, order, written, paper_id, typed, errors)
    limits.hit("invoice", most=20, minutes=60, who=order.public_id)
    try:
        said = papers.read_party(**typed)
    except BadInputError as error:
        return _page(token, order, written, paper_id, typed, {error.field: str(error)})
    with shop.transaction() as session:
        papers.make_out(session, order, said, shop.now())
    return redirect(
        url_for("papers.show", token=token, paper_id=paper_id, saved=1), 303
    )


def _written(order: Order, paper_id: int) -> Paper:
    shop = the_shop()
    with shop.reading() as session:
        found = invoices.get(session, order, paper_id)
        return papers.in_words(session, order, found, shop.settings.shop.locale)


def _page(
    token: str,
    order: Order,
    written: Paper,
    paper_id: int,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    shop = the_shop()
    with shop.reading() as session:
        said = papers.party(session, order)
    return page(
        "invoice.html",
        422 if errors else 200,
        paper=written,
        form={"values": typed or vars(said), "errors": errors or {}},
        fixed_number=said.tax_number if order.vat_check_id else "",
        saved="saved" in request.args,
        purchase_url=url_for("library.purchase", token=token),
        pdf_url=url_for("papers.pdf", token=token, paper_id=paper_id),
        action=url_for("papers.show", token=token, paper_id=paper_id),
        hidden={"nonce": nonce(token)},
    )
