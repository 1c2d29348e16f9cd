"""Letting somebody in to run the shop: the person, and the link that opens the desk."""

from dataclasses import dataclass

from handsel.customers.staff import audit, people
from handsel.kit.text import normalise_email
from handsel.models import StaffInvite
from handsel.shop import Shop

SERVER = "the command line"
"""Who it was, where nobody signs in: whoever may run commands on the server."""


@dataclass(frozen=True)
class Invitation:
    """A person by the address they sign in with, and the link that lets them in."""

    email: str
    link: str


def begin_url(shop: Shop, invited: StaffInvite) -> str:
    """Give the address that an invitation is opened at."""
    token = people.token(shop.keys, invited)
    return f"{shop.settings.public_url}/admin/begin/{token}"


def add(shop: Shop, email: str) -> Invitation:
    """Let somebody new in. Raises BadInputError, ConflictError."""
    address = normalise_email(email)
    with shop.transaction() as session:
        person = people.add(session, address, shop.now())
        invited = people.invite(session, person, shop.now())
        audit.write(session, SERVER, "staff.invited", address, shop.now())
    return Invitation(person.email, begin_url(shop, invited))


def link(shop: Shop, email: str) -> Invitation:
    """Make a fresh link for somebody who is there; earlier ones are void.

    Raises NotFoundError.
    """
    with shop.transaction() as session:
        person = people.get(session, email)
        invited = people.invite(session, person, shop.now())
        audit.write(session, SERVER, "staff.link_made", person.email, shop.now())
    return Invitation(person.email, begin_url(shop, invited))


def remove(shop: Shop, email: str) -> None:
    """Take somebody out, signed in or not. Raises NotFoundError."""
    with shop.transaction() as session:
        person = people.get(session, email)
        people.remove(session, person)
        audit.write(session, SERVER, "staff.removed", person.email, shop.now())
