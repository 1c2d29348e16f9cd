"""Letting somebody in to run the shop: the person, and the link that opens the desk."""

from handsel.customers.staff import audit, people
from handsel.kit.text import normalise_email
from handsel.models import StaffInvite
from handsel.shop import Shop

SERVER = "the command line"
"""Who it was, where nobody signs in: whoever may run commands on the server."""


def begin_url(shop: Shop, invited: StaffInvite) -> str:
    """Give the address that an invitation is opened at."""
    token = people.token(shop.keys, invited)
    return f"{shop.settings.public_url}/admin/begin/{token}"


def add(shop: Shop, email: str) -> str:
    """Let somebody new in; give the link. Raises BadInputError, ConflictError."""
    address = normalise_email(email)
    with shop.transaction() as session:
        person = people.add(session, address, shop.now())
        invited = people.invite(session, person, shop.now())
        audit.write(session, SERVER, "staff.invited", address, shop.now())
    return begin_url(shop, invited)


def link(shop: Shop, email: str) -> str:
    """Give a fresh link to somebody who is there; earlier ones are void.

    Raises NotFoundError.
    """
    with shop.transaction() as session:
        person = people.get(session, email)
        invited = people.invite(session, person, shop.now())
        audit.write(session, SERVER, "staff.link_made", person.email, shop.now())
    return begin_url(shop, invited)


def remove(shop: Shop, email: str) -> None:
    """Take somebody out, signed in or not. Raises NotFoundError."""
    with shop.transaction() as session:
        person = people.get(session, email)
        people.remove(session, person)
        audit.write(session, SERVER, "staff.removed", person.email, shop.now())
