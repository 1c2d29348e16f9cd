"""What a visitor reads when something does not work: what is so, what to do, no stack."""

import logging

from flask import Flask, Response
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from handsel.kit.errors import ShopError, TryAgainError
from handsel.web.pages import at_the_desk, error_page

log = logging.getLogger("handsel.web")

WORDS = {
    404: (
        "There is no such page.",
        "Check the address, or go to the shop's first page.",
    ),
    405: (
        "This address does not work that way.",
        "Go back and use the page's buttons.",
    ),
    413: ("That was too much at once.", "Send less."),
    429: ("That was too often.", "Wait a while, then try again."),
}


def answer(app: Flask) -> None:
    """Answer every error of an application with a page."""
    app.register_error_handler(ShopError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(PoolTimeoutError, _database)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _mistake)


def _ours(error: ShopError) -> Response:
    if error.status >= 500:
        log.error("%s", error)
    hint = error.plain_hint if at_the_desk() else error.hint
    response = error_page(error.status, error.message, hint)
    if isinstance(error, TryAgainError):
        response.headers["Retry-After"] = str(error.after)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    message, hint = WORDS.get(status, ("This did not work.", "Go back and try again."))
    response = error_page(status, message, hint)
    if status == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _database(error: DBAPIError | PoolTimeoutError) -> Response:
    if isinstance(error, DataError | IntegrityError | ProgrammingError):
        return _mistake(error)
    log.error("The database does not answer: %s", error)
    response = error_page(
        503,
        "The shop cannot write anything down at the moment.",
        "Nothing is lost. Please try again in a minute.",
    )
    response.headers["Retry-After"] = "60"
    return response


def _mistake(error: Exception) -> Response:
    log.error("A page failed.", exc_info=error)
    return error_page(
        500,
        "Something went wrong on our side.",
        "Nothing was charged by this page. Please try again in a minute.",
    )
