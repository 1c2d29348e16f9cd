"""Files from a browser, in pieces, over a line that breaks: tus 1.0.0.

Of the protocol (https://tus.io/protocols/resumable-upload) its core, creation,
expiration and termination, so that programs made for it work. Beyond it, a piece that is
the last may carry the sha256 of the whole (`Repr-Digest`, RFC 9530), as ours does.

A blueprint of its own, because bodies are read here while they come and for as long as
they take: nothing of one is read before it is known who sends it.
"""

import base64
import binascii
import re
from collections.abc import Callable
from email.utils import format_datetime
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from handsel.customers.staff import sessions
from handsel.delivery.storage.uploads import OffsetError, Upload
from handsel.kit.errors import BadInputError, ShopError
from handsel.web.admin import tray, typed_along
from handsel.web.admin.desk import (
    check_form,
    keep_form_mark,
    note_life,
    seated,
)
from handsel.web.guards import Policy, guard
from handsel.web.pages import the_shop

uploads = Blueprint("uploads", __name__, url_prefix="/admin/uploads")
guard(
    uploads,
    Policy("the people who run the shop, signed in, who send files", secret=True),
)

COMING = ("/admin/uploads/",)
"""How addresses begin where a body is read while it comes."""
VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
EXTENSIONS = "creation,expiration,termination"
LARGEST = 1 << 42
"""4 TB: beyond it somebody has mistyped."""

SIGNED_OUT = ("You are signed out.", "Sign in, then go on.")

P = ParamSpec("P")


class BrokenOffError(ShopError):
    """The line went away in the middle of a piece; what came is kept."""

    status = 400


class SignedOutError(ShopError):
    """Who sends a piece is not let in any more; what came is kept."""

    status = 401


class NotTheProtocolError(ShopError):
    """A program speaks another version."""

    status = 412


class NotAPieceError(ShopError):
    """What was sent is not called a piece of a file."""

    status = 415


@uploads.before_request
def _come_in() -> AnyResponse | None:
    """Let in who is signed in; only then may a body be looked at."""
    if not seated():
        if _is_form():
            return typed_along.after_the_end() or redirect(url_for("door.sign_in"), 303)
        return Response(f"{' '.join(SIGNED_OUT)}\n", 401)
    request.max_content_length = tray.WHOLE
    if typed_along.is_too_much():
        typed_along.read_without_files()
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        check_form()
    note_life()
    return None


def _is_form() -> bool:
    return request.mimetype in (
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    )


uploads.after_request(keep_form_mark)


@uploads.errorhandler(ShopError)
def _in_words(error: ShopError) -> AnyResponse:
    """Say what is so: to a program in plain text, to a person on the page they were at."""
    if _is_form():
        return tray.show(error.status, str(error))
    headers = {"Tus-Resumable": VERSION}
    if isinstance(error, OffsetError):
        headers["Upload-Offset"] = str(error.offset)
    if isinstance(error, NotTheProtocolError):
        headers["Tus-Version"] = VERSION
    return Response(f"{error}\n", error.status, headers, mimetype="text/plain")


@uploads.errorhandler(RequestEntityTooLarge)
def _too_much(_: RequestEntityTooLarge) -> AnyResponse:
    if _is_form():
        words = tray.too_much()
        if typed_along.place():
            words += " Go back in your browser: some of what you typed may be there."
        return tray.show(413, words)
    return Response("More came than was said.\n", 413, {"Tus-Resumable": VERSION})


def _protocol(view: Callable[P, Response]) -> Callable[P, Response]:
    """Speak version 1.0.0 with whoever asks."""

    @wraps(view)
    def speak(*args: P.args, **kwargs: P.kwargs) -> Response:
        if request.headers.get("Tus-Resumable") != VERSION:
            raise NotTheProtocolError(f"This is tus {VERSION}.")
        response = view(*args, **kwargs)
        response.headers["Tus-Resumable"] = VERSION
        return response

    return speak


@uploads.route("", methods=["OPTIONS"], provide_automatic_options=False)
def offered() -> Response:
    """Say what of the protocol there is."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(LARGEST),
    }
    return Response(status=204, headers=headers)


@uploads.post("", provide_automatic_options=False)
@_protocol
def begin() -> Response:
    """Make room for a file whose name and size are said."""
    size = _number("Upload-Length")
    if size > LARGEST:
        raise BadInputError("No file is as large as that.", "Look at its size.")
    upload = the_shop().uploads.begin(_name(), size)
    response = Response(status=201, headers=_state(upload))
    response.headers["Location"] = url_for("uploads.how_far", number=upload.id)
    return response


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadInputError(f"{header} is no number of bytes.", "Say it as digits.")
    return int(text)


def _name() -> str:
    """Read the file's name from what is said about it: `filename dGVzdA==, ...`."""
    pairs = request.headers.get("Upload-Metadata", "").split(",")
    about = {
        key: value for key, _, value in (each.strip().partition(" ") for each in pairs)
    }
    try:
        name = base64.b64decode(about["filename"], validate=True).decode()
    except (KeyError, ValueError, binascii.Error):
        raise BadInputError(
            "The file has no name.", "Say it in Upload-Metadata, as filename."
        ) from None
    return name


def _state(upload: Upload) -> dict[str, str]:
    headers = {
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.size),
        "Upload-Expires": format_datetime(upload.expires_at, usegmt=True),
    }
    if upload.sha256:
        digest = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        headers["Repr-Digest"] = f"sha-256=:{digest}:"
    return headers


@uploads.route("/<number>", methods=["HEAD"])
@_protocol
def how_far(number: str) -> Response:
    """Say how many bytes are here."""
    return Response(status=200, headers=_state(the_shop().uploads.get(number)))


@uploads.patch("/<number>")
@_protocol
def go_on(number: str) -> Response:
    """Take a piece that begins where the last one ended; what comes of it is kept."""
    if request.mimetype != PIECE:
        raise NotAPieceError(f"A piece is sent as {PIECE}.")
    shelf = the_shop().uploads
    upload = shelf.get(number)
    # One byte more may be read, so that too much is told from just enough.
    request.max_content_length = upload.size - upload.offset + 1
    here = shelf.append(upload, _number("Upload-Offset"), _watched())
    _still_there()
    if here == upload.size:
        upload = shelf.seal(upload, _told())
    return Response(status=204, headers=_state(upload))


def _watched() -> Callable[[int], bytes]:
    """Read a piece for as long as who sends it is signed in; it is a sign of life."""
    shop, looked = the_shop(), the_shop().now()

    def read(most: int) -> bytes:
        nonlocal looked
        if shop.now() - looked >= sessions.NOTED_EVERY:
            _still_there()
            looked = shop.now()
        return _read(most)

    return read


def _still_there() -> None:
    """Look again who sends: a piece may last longer than they are let in."""
    if not seated():
        raise SignedOutError(*SIGNED_OUT)
    note_life()


def _read(most: int) -> bytes:
    try:
        return request.stream.read(most)
    except (ClientDisconnected, OSError) as error:
        raise BrokenOffError("The line broke off.", "What came is kept.") from error


def _told() -> str:
    """Read the sha256 the sender has of the whole; "" when it did not say."""
    said_so = request.headers.get("Repr-Digest", "")
    found = re.search(r"\bsha-256=:([A-Za-z0-9+/]{43}=):", said_so)
    return base64.b64decode(found[1]).hex() if found else ""


@uploads.delete("/<number>")
@_protocol
def leave(number: str) -> Response:
    """Forget an upload."""
    shelf = the_shop().uploads
    shelf.remove(shelf.get(number).id)
    return Response(status=204)


OVERRIDES: dict[str, Callable[[str], Response]] = {
    "HEAD": how_far,
    "PATCH": go_on,
    "DELETE": leave,
}


@uploads.post("/<number>")
def overridden(number: str) -> Response:
    """Do the same for programs that can only send POST."""
    view = OVERRIDES.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if view is None:
        raise BadInputError("This address does not work that way.")
    return view(number)
