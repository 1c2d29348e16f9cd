"""Putting the Flask application together."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, abort, request
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from handsel.shop import Shop
from handsel.web import (
    admin,
    buying,
    checking,
    consent,
    embed,
    errors,
    events,
    find,
    framed,
    health,
    hooks,
    leave,
    library,
    mailbox,
    papers,
    paying,
    storefront,
    testpay,
    variants,
    visits,
)
from handsel.web import files as file_views
from handsel.web.guards import common_headers
from handsel.web.plain import PlainRequest

YEAR = 365 * 24 * 3600
BODY_LIMIT = 256 * 1024


def create_app(shop: Shop, *, show_mail: bool = False) -> Flask:
    """Give the application of one shop.

    Args:
        show_mail: serve the mails of the `folder` transport at `/mail`, for the demo.
    """
    app = Flask("handsel", static_folder=str(files("handsel") / "static"))
    app.request_class = PlainRequest
    app.extensions["handsel"] = shop
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.config["TRUSTED_HOSTS"] = _hosts(shop)
    _prepare_templates(app, shop)
    visits.prepare(app, shop)
    for blueprint in (
        storefront.blueprint,
        buying.blueprint,
        checking.blueprint,
        embed.blueprint,
        framed.blueprint,
        variants.blueprint,
        library.blueprint,
        papers.blueprint,
        file_views.blueprint,
        find.blueprint,
        leave.blueprint,
        hooks.blueprint,
        events.blueprint,
        consent.blueprint,
        health.blueprint,
        *([testpay.blueprint] if "test" in shop.providers else []),
        *([paying.blueprint] if "stripe" in shop.providers else []),
        *([mailbox.blueprint] if show_mail else []),
    ):
        app.register_blueprint(blueprint)
    admin.register(app, demo=show_mail)
    app.before_request(_refuse_nul)
    app.after_request(common_headers)
    errors.answer(app)
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
            "privacy": consent.shown(),
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
