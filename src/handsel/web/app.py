"""Putting the Flask application together."""

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from handsel.kit.errors import ShopError, TryAgainError
from handsel.shop import Shop
from handsel.web import (
    buying,
    find,
    health,
    hooks,
    library,
    mailbox,
    storefront,
    testpay,
)
from handsel.web import files as file_views
from handsel.web.guards import common_headers
from handsel.web.pages import error_page

log = logging.getLogger("handsel.web")

YEAR = 365 * 24 * 3600
BODY_LIMIT = 256 * 1024
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


def create_app(shop: Shop, *, show_mail: bool = False) -> Flask:
    """Give the application of one shop.

    Args:
        show_mail: serve the mails of the `folder` transport at `/mail`, for the demo.
    """
    app = Flask("handsel", static_folder=str(files("handsel") / "static"))
    app.extensions["handsel"] = shop
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.config["TRUSTED_HOSTS"] = _hosts(shop)
    _prepare_templates(app, shop)
    for blueprint in (
        storefront.blueprint,
        buying.blueprint,
        library.blueprint,
        file_views.blueprint,
        find.blueprint,
        hooks.blueprint,
        health.blueprint,
        *([testpay.blueprint] if "test" in shop.providers else []),
        *([mailbox.blueprint] if show_mail else []),
    ):
        app.register_blueprint(blueprint)
    app.before_request(_refuse_nul)
    app.after_request(common_headers)
    _answer_errors(app)
    if shop.settings.server.proxy != "none":
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]  # Flask's own documented way
    return app


def _refuse_nul() -> None:
    """Know no address with NUL in it: PostgreSQL cannot even look for one."""
    if "\0" in request.path:
        abort(404)


def _hosts(shop: Shop) -> list[str]:
    """Name the hosts we answer to: a forged Host must never get into a link."""
    own = urlsplit(shop.settings.shop.url).hostname or ""
    return [own, "127.0.0.1", "localhost", "[::1]"]


def _prepare_templates(app: Flask, shop: Shop) -> None:
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(shop.home / "templates"), PackageLoader("handsel")]
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["static"] = _versioned(app)

    @app.context_processor
    def _everywhere() -> dict[str, object]:
        return {
            "shop": shop.settings.shop,
            "test_mode": shop.test_mode,
            "show_mail": "mailbox" in app.blueprints,
        }


def _versioned(app: Flask) -> Callable[[str], str]:
    """Give addresses that change with the file, so that browsers may keep it a year.

    Without `url_for`, which has no answer for a visitor of a host that is not ours.
    """
    folder = Path(str(app.static_folder))

    @lru_cache
    def mark(path: str) -> str:
        return hashlib.sha256((folder / path).read_bytes()).hexdigest()[:12]

    def static(path: str) -> str:
        return f"{app.static_url_path}/{path}?v={mark(path)}"

    return static


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ShopError)
    def _shop_error(error: ShopError) -> Response:
        if error.status >= 500:
            log.error("%s", error)
        response = error_page(error.status, error.message, error.hint)
        if isinstance(error, TryAgainError):
            response.headers["Retry-After"] = str(error.after)
        return response

    @app.errorhandler(HTTPException)
    def _http_error(error: HTTPException) -> Response:
        status = error.code or 500
        message, hint = WORDS.get(
            status, ("This did not work.", "Go back and try again.")
        )
        response = error_page(status, message, hint)
        if status == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(allowed)
        return response

    @app.errorhandler(PoolTimeoutError)
    @app.errorhandler(DBAPIError)
    def _database_away(error: DBAPIError | PoolTimeoutError) -> Response:
        if isinstance(error, DataError | IntegrityError | ProgrammingError):
            return _our_mistake(error)
        log.error("The database does not answer: %s", error)
        response = error_page(
            503,
            "The shop cannot write anything down at the moment.",
            "Nothing is lost. Please try again in a minute.",
        )
        response.headers["Retry-After"] = "60"
        return response

    @app.errorhandler(Exception)
    def _our_mistake(error: Exception) -> Response:
        log.error("A page failed.", exc_info=error)
        return error_page(
            500,
            "Something went wrong on our side.",
            "Nothing was charged by this page. Please try again in a minute.",
        )
