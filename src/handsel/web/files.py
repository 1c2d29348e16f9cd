"""The bytes themselves: `/g/<grant>`, with Range and resume by RFC 9110.

HEAD and 304 cost nothing; every request asks anew whether the purchase may be opened.
The body is a file that the server sends by itself (PEP 3333, `wsgi.file_wrapper`): it
never holds a page thread, and reports how many bytes arrived.
"""

import logging
from typing import Any, cast
from wsgiref.util import FileWrapper

from flask import Blueprint, Response, request
from sqlalchemy.exc import DBAPIError

from handsel.delivery import serving
from handsel.delivery.serving import OpenGrant
from handsel.kit.filebody import FileBody
from handsel.kit.ranges import Part, UnsatisfiableRangeError, asked
from handsel.kit.text import content_disposition
from handsel.models.turns import DatabaseBusyError
from handsel.shop import Shop
from handsel.web.guards import Policy, guard
from handsel.web.links import number_behind
from handsel.web.pages import the_shop

log = logging.getLogger("handsel.web")

blueprint = Blueprint("files", __name__)
guard(blueprint, Policy("whoever holds an open grant", secret=True))


@blueprint.get("/g/<token>")
def fetch(token: str) -> Response:
    """Send a file, or the part of it that was asked for."""
    shop = the_shop()
    grant_id = number_behind(shop.keys, "grant", token)
    with shop.reading() as session:
        grant = serving.open_grant(session, grant_id, shop.now())
    etag = f'"sha256-{grant.sha256}"'
    if etag in request.headers.get("If-None-Match", ""):
        return _described(Response(status=304), grant, etag)
    try:
        part = asked(
            method=request.method,
            range_header=request.headers.get("Range"),
            if_range=request.headers.get("If-Range"),
            etag=etag,
            size=grant.size,
        )
    except UnsatisfiableRangeError:
        response = _described(Response(status=416), grant, etag)
        response.headers["Content-Range"] = f"bytes */{grant.size}"
        return response
    if shop.settings.server.accel:
        return _by_proxy(shop, grant, etag)
    return _described(_body(shop, grant, part), grant, etag)


def _body(shop: Shop, grant: OpenGrant, part: Part | None) -> Response:
    wanted = part or Part(0, grant.size)
    response = Response(status=206 if part else 200)
    response.headers["Content-Length"] = str(wanted.length)
    if part:
        response.headers["Content-Range"] = part.content_range(grant.size)
    if request.method == "HEAD":
        return response
    file = shop.storage.open(grant.sha256)
    try:
        booked = _book(shop, grant, wanted.length)
    except BaseException:
        file.close()
        raise

    def arrived(count: int) -> None:
        _note(shop, grant, wanted.start, count, booked=booked)

    body = FileBody(file, start=wanted.start, length=wanted.length, on_done=arrived)
    wrap = request.environ.get("wsgi.file_wrapper", FileWrapper)
    response.response = cast(Any, wrap)(body, 256 * 1024)
    response.direct_passthrough = True
    return response


def _book(shop: Shop, grant: OpenGrant, count: int) -> int:
    """Set bytes aside and say how many.

    A database that cannot be written to must not keep a buyer from a download that was
    counted before: then nothing is set aside.
    """
    try:
        with shop.transaction() as session:
            serving.book(session, grant, count)
    except (DBAPIError, DatabaseBusyError):
        log.exception("A download could not be written down; sending it all the same.")
        return 0
    return count


def _note(shop: Shop, grant: OpenGrant, start: int, count: int, *, booked: int) -> None:
    try:
        with shop.transaction() as session:
            serving.arrived(session, grant, start, count, booked=booked)
    except (DBAPIError, DatabaseBusyError):
        log.exception("What was sent of a download could not be written down.")


def _by_proxy(shop: Shop, grant: OpenGrant, etag: str) -> Response:
    """Let the web server in front send the file; then a press counts at once."""
    response = Response(status=200)
    if request.method != "HEAD":
        with shop.transaction() as session:
            serving.consume(session, grant.grant_id)
    path = shop.storage.path(grant.sha256).relative_to(shop.storage.root)
    response.headers["X-Accel-Redirect"] = f"/_files/{path}"
    return _described(response, grant, etag)


def _described(response: Response, grant: OpenGrant, etag: str) -> Response:
    headers = response.headers
    headers["ETag"] = etag
    headers["Accept-Ranges"] = "bytes"
    headers["Content-Type"] = grant.content_type
    headers["Content-Disposition"] = content_disposition(grant.name)
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
