"""For those who watch over the shop: is it alive, is it ready to sell."""

from flask import Blueprint, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

blueprint = Blueprint("health", __name__)
guard(blueprint, Policy("whoever watches; says nothing but yes or no"))


@blueprint.get("/healthz")
def alive() -> Response:
    """Say that the process answers."""
    return _say("ok", 200)


@blueprint.get("/readyz")
def ready() -> Response:
    """Say whether the database answers, too."""
    try:
        with the_shop().reading() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return _say("the database does not answer", 503)
    return _say("ok", 200)


def _say(words: str, status: int) -> Response:
    response = Response(words + "\n", status, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
