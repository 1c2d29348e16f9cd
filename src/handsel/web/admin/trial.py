"""The demo's way in: a button, so that nobody needs a telephone to look around."""

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import people
from handsel.ops.demo import SELLER
from handsel.web.admin.desk import check_form
from handsel.web.admin.door import enter, onward, signed_in
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

trial = Blueprint("trial", __name__, url_prefix="/admin")
guard(trial, Policy("whoever tries the demo, on this very machine", secret=True))


@trial.post("/sign-in/demo")
def come_in() -> AnyResponse:
    """Sign in as the demo's seller."""
    check_form()
    with the_shop().transaction() as session:
        person = people.get(session, SELLER)
        token = enter(session, person, "demo")
    return signed_in(token, person, onward())
