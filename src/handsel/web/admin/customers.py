"""The people who bought, at the desk: found, looked at, given out, forgotten."""

import json
from typing import Any

from flask import Response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import NotFoundError
from handsel.models import Customer
from handsel.ops import disclosing, privacy
from handsel.ops.desk import customers as listing
from handsel.ops.desk import wanted
from handsel.ops.desk.customers import Person
from handsel.web.admin import wording
from handsel.web.admin.desk import audited, confirmed, desk, done, row_number
from handsel.web.admin.orders import money, of_customer, shown
from handsel.web.pages import page, the_shop


@desk.get("/customers")
def customers() -> Response:
    """List everybody who bought, the newest first."""
    text = wanted.read({"q": request.args.get("q", "")}).text
    places = {
        name: request.args.get(name, 0, type=row_number) for name in ("after", "before")
    }
    with the_shop().reading() as session:
        found = listing.page(session, text, **places)
    words: dict[str, Any] = {"q": text} if text else {}

    def url(**more: Any) -> str:
        return url_for("desk.customers", **words, **more)

    return page(
        "admin/customers.html",
        people=[_shown(each) for each in found.people],
        newer_url=url(before=found.newer) if found.newer else "",
        older_url=url(after=found.older) if found.older else "",
        text=text,
        all_url=url_for("desk.customers"),
    )


def _shown(person: Person) -> dict[str, Any]:
    return {
        "url": url_for("desk.customer", customer_id=person.id),
        "email": person.email,
        "since": person.since,
        "orders": person.orders,
        "tests": person.tests,
        "paid": [money(each) for each in person.paid],
        "last_at": person.last_at,
    }


@desk.get("/customers/<int(max=2147483647):customer_id>")
def customer(customer_id: int) -> Response:
    """Show one customer with their orders and mails."""
    shop = the_shop()
    with shop.reading() as session:
        found = listing.look(session, shop.keys, customer_id)
    after, before = (request.args.get(name, "") for name in ("after", "before"))
    bought = of_customer(customer_id, after, before)

    def url(**more: Any) -> str:
        return url_for("desk.customer", customer_id=customer_id, **more)

    return page(
        "admin/customer.html",
        id=customer_id,
        person=_shown(found.person),
        lines=[shown(line) for line in bought.lines],
        newer_url=url(before=bought.newer) if bought.newer else "",
        older_url=url(after=bought.older) if bought.older else "",
        mails=[
            {
                "at": mail.at,
                "topic": wording.MAILS.get(mail.topic, mail.topic),
                "state": mail.state,
                "error": mail.error,
            }
            for mail in found.mails
        ],
        stopped=[str(each) for each in found.stopped],
        blocked=found.blocked,
    )


@desk.post("/customers/<int(max=2147483647):customer_id>/export")
def export(customer_id: int) -> Response:
    """Give all that is known of a customer as JSON."""
    confirmed()
    shop, email = the_shop(), _address(customer_id)
    with shop.transaction() as session:
        person = privacy.find(session, shop.keys, email)
        data = disclosing.export_in(session, person)
        audited(session, "customer.exported", f"customer {customer_id}")
    text = json.dumps(data, ensure_ascii=False, indent=2)
    return Response(
        text,
        mimetype="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="customer-{customer_id}.json"'
        },
    )


@desk.post("/customers/<int(max=2147483647):customer_id>/erase")
def erase(customer_id: int) -> AnyResponse:
    """Forget a customer. It cannot be undone."""
    confirmed()
    shop, keep = the_shop(), bool(request.form.get("keep_link"))
    email = _address(customer_id)
    with shop.transaction() as session:
        person = privacy.find(session, shop.keys, email)
        told = privacy.erase_in(session, shop.keys, person, shop.now(), keep_link=keep)
        audited(
            session,
            "customer.erased",
            f"customer {customer_id}",
            orders=", ".join(told.orders),
            links="stay" if keep else "closed",
        )
    words = f"Forgotten: {len(told.orders)} orders, {told.mails} mails."
    return done("desk.customer", words, customer_id=customer_id)


def _address(customer_id: int) -> str:
    with the_shop().reading() as session:
        row = session.get(Customer, customer_id)
    if row is None:
        raise NotFoundError("There is no such customer.")
    if not row.email:
        raise NotFoundError("This customer was forgotten: nothing is known of them.")
    return row.email
