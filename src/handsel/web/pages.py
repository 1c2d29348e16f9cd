"""What every view needs: the shop, a rendered page, the visitor."""

import logging
import re
import secrets
from ipaddress import ip_address, ip_network
from typing import Any, cast

from flask import (
    Response,
    current_app,
    g,
    make_response,
    render_template,
    request,
)
from jinja2 import TemplateError
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.signing import sign
from handsel.shop import Shop

log = logging.getLogger("handsel.web")

DAY = 24 * 3600
YEAR = 365 * DAY


def the_shop() -> Shop:
    """Give the shop this application serves."""
    return cast(Shop, current_app.extensions["handsel"])


def page(template: str, status: int = 200, /, **context: Any) -> Response:
    """Render a page."""
    return make_response(render_template(template, **context), status)


def error_page(status: int, message: str, hint: str) -> Response:
    """Say what is so and what to do; in plain text if the templates are broken."""
    g.is_error = True
    try:
        return page(
            _error_template(),
            status,
            status=status,
            message=message,
            hint=hint,
            back_url="/",
        )
    except TemplateError:
        log.exception("The page for errors has an error itself.")
        return Response(f"{message}\n{hint}\n", status, mimetype="text/plain")


def _error_template() -> str:
    """Choose the frame: the shop's, the desk's, or that before the desk."""
    if not request.path.startswith("/admin"):
        return "error.html"
    return "admin/error.html" if at_the_desk() else "admin/error_outside.html"


def at_the_desk() -> bool:
    """Say whether somebody who runs the shop asks, signed in."""
    return g.get("staff_session") is not None


def visitor_key() -> tuple[str, str | None]:
    """Name this browser, so that its repeats are known as such.

    Gives a keyed hash, which says nothing to whoever reads it, and the value of the
    cookie it came from; None when the browser sent none. Without cookies, the network
    and the kind of browser must do.
    """
    shop = the_shop()
    cookie = request.cookies.get(cookie_name("visitor"))
    if cookie:
        return sign(shop.keys, "visitor", cookie), cookie
    agent = request.user_agent.string.partition("/")[0]
    return sign(shop.keys, "visitor", network(request.remote_addr), agent), None


def own_browser() -> str | None:
    """Name this browser as `visitor_key` does, None when it might be somebody else's.

    Without its cookie a browser looks like every other of its network.
    """
    key, cookie = visitor_key()
    return key if cookie else None


def network(address: str | None) -> str:
    """Shorten an address to its network: IPv4 /24, IPv6 /48."""
    if not address:
        return "unknown"
    try:
        length = 48 if ip_address(address).version == 6 else 24
    except ValueError:
        return "unknown"
    return str(ip_network(f"{address}/{length}", strict=False))


def network_country() -> str | None:
    """Say which country this visitor's line is of, where what stands in front says so."""
    header = the_shop().settings.server.country_header
    said = request.headers.get(header, "").upper() if header else ""
    # XX and T1 are Cloudflare's words for not knowing, and for Tor.
    return said if re.fullmatch("[A-Z]{2}", said) and said != "XX" else None


def cookie_name(name: str) -> str:
    """Give a cookie's name; `__Host-` binds it to this host where there is https."""
    secure = the_shop().settings.shop.url.startswith("https://")
    return f"__Host-{name}" if secure else f"handsel_{name}"


def set_cookie(response: AnyResponse, name: str, value: str, *, seconds: int) -> None:
    """Set a cookie of ours: never for scripts, never sent along from other sites."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=seconds,
        path="/",
        secure=the_shop().settings.shop.url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )


def with_visitor(response: AnyResponse) -> AnyResponse:
    """Give the browser a name of its own for a week, if it has none.

    So that a press that is repeated pays once, a download that broke off goes on, and a
    coupon stays with whoever holds it. It counts nobody, so it is set without a yes.
    """
    if not request.cookies.get(cookie_name("visitor")):
        set_cookie(response, "visitor", secrets.token_urlsafe(16), seconds=7 * DAY)
    return response
