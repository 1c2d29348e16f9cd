"""Who else runs the shop: inviting, a fresh link, taking somebody out."""

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import people
from handsel.kit.errors import BadInputError, ConflictError
from handsel.kit.text import normalise_email
from handsel.models import Staff
from handsel.ops import inviting
from handsel.web.admin.desk import (
    NUMBER,
    audited,
    confirmed,
    desk,
    done,
    staff,
)
from handsel.web.pages import page, the_shop


@desk.get("/people")
def people_list() -> Response:
    """List them, with a field to invite one more."""
    return _page({}, {})


def _page(values: dict[str, str], errors: dict[str, str]) -> Response:
    with the_shop().reading() as session:
        everybody = people.everybody(session)
    return page(
        "admin/people.html",
        422 if errors else 200,
        people=everybody,
        me=staff().email,
        form={"values": values, "errors": errors},
    )


@desk.post("/people")
def invite() -> Response:
    """Let somebody in, and show the link that does it."""
    confirmed()
    shop, typed = the_shop(), request.form.get("email", "")
    try:
        email = normalise_email(typed)
        with shop.transaction() as session:
            person = people.add(session, email, shop.now())
            return _link(session, person, "staff.invited")
    except (BadInputError, ConflictError) as error:
        return _page({"email": typed}, {"email": error.message})


@desk.post(f"/people/<{NUMBER}:number>/link")
def new_link(number: int) -> Response:
    """Give a fresh link, for whoever has lost password or telephone."""
    confirmed()
    with the_shop().transaction() as session:
        return _link(session, people.by_id(session, number), "staff.link_made")


def _link(session: Session, person: Staff, action: str) -> Response:
    shop = the_shop()
    invited = people.invite(session, person, shop.now())
    audited(session, action, person.email)
    return page(
        "admin/invited.html",
        email=person.email,
        days=people.DAYS,
        link=inviting.begin_url(shop, invited),
    )


@desk.post(f"/people/<{NUMBER}:number>/remove")
def remove(number: int) -> AnyResponse:
    """Take somebody else out."""
    confirmed()
    if number == staff().id:
        raise ConflictError(
            "You cannot take yourself out.", "Somebody else of the staff can."
        )
    with the_shop().transaction() as session:
        person = people.by_id(session, number)
        people.remove(session, person)
        audited(session, "staff.removed", person.email)
    return done("desk.people_list", f"{person.email} cannot sign in any more.")
