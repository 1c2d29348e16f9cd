"""Addresses that are not sold to: the list, one more, one less."""

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError
from handsel.kit.text import normalise_email
from handsel.sales import blocks
from handsel.web.admin.desk import audited, desk, done
from handsel.web.pages import page, the_shop


@desk.get("/customers/blocked")
def blocked() -> Response:
    """List them, with a field for one more."""
    return _page({}, {})


def _page(values: dict[str, str], errors: dict[str, str]) -> Response:
    with the_shop().reading() as session:
        found = blocks.every(session)
    return page(
        "admin/blocked.html",
        422 if errors else 200,
        blocks=found,
        form={"values": values, "errors": errors},
    )


@desk.post("/customers/blocked")
def block_address() -> AnyResponse:
    """Sell to an address no more."""
    said = {name: request.form.get(name, "")[:500] for name in ("email", "reason")}
    shop = the_shop()
    try:
        email = normalise_email(said["email"])
    except BadInputError as error:
        return _page(said, {"email": str(error)})
    reason = said["reason"].strip()
    with shop.transaction() as session:
        if blocks.block(session, shop.keys, email, shop.now(), reason=reason):
            audited(session, "customer.blocked", "an address")
    return done("desk.blocked", f"{email} is not sold to any more.")


@desk.post("/customers/blocked/<int(max=2147483647):block_id>/lift")
def unblock_address(block_id: int) -> AnyResponse:
    """Sell to an address again."""
    with the_shop().transaction() as session:
        if blocks.lift(session, block_id):
            audited(session, "customer.unblocked", "an address")
    return done("desk.blocked", "They can buy again.")
