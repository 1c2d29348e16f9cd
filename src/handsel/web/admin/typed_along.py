"""A page whose form has sent files comes again, with all that was typed in it.

For browsers without scripts: they send a whole form, and whatever page answers is all they
have left.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, cast

from flask import Response, current_app, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from handsel.delivery.storage.uploads import Upload
from handsel.sales import catalogue
from handsel.web.admin import known, product_form, products, releases, tray
from handsel.web.admin.desk import StaleFormError, check_form, ended
from handsel.web.admin.product_form import Form
from handsel.web.pages import the_shop
from handsel.web.plain import PlainParser

MOST_DROPPED = 10
"""So many times what a form may bring is read for the sake of what was typed in it."""


@dataclass(frozen=True)
class Place:
    """A page whose form sends files.

    Args:
        show: gives the page with its form filled, and a status.
        look: what its form sends as `do` to come again as it is.
    """

    path: str
    show: Callable[[Form, int], Response]
    look: str


def place() -> Place | None:
    """Give the page that sends the files; None where nothing is typed.

    It stands in the address, so that it is known before anything is read.
    """
    path = request.args.get("next", "").partition("?")[0]
    try:
        found, named = current_app.create_url_adapter(request).match(path, "GET")  # type: ignore[union-attr]  # there is one while a request is answered
        show, look = _PAGES[found]
    except (HTTPException, KeyError):
        return None
    return Place(path, lambda form, status: show(form, status, **named), look)


def _product(form: Form, status: int, slug: str) -> Response:
    with the_shop().reading() as session:
        found = catalogue.get(session, slug)
    return products.editor(found, form, status)


def _release(form: Form, status: int, slug: str) -> Response:
    return releases.form_of(slug, form, status)


_PAGES: dict[str, tuple[Callable[..., Response], str]] = {
    "desk.new_product": (products.new_form, "look"),
    "desk.product": (_product, "look"),
    "desk.release": (_release, "back"),
}


def form_with(came: Sequence[Upload], problem: str = "") -> Form:
    """Give the form as it was typed, with the files that came chosen in it.

    As the script does: a picture is the cover where one is asked for and none is chosen.
    """
    typed = MultiDict(request.form)
    for each in came:
        picture = each.name.lower().endswith(tray.PICTURES)
        if picture and typed.get("cover") == "":
            typed["cover"] = each.id
        else:
            typed.add("upload", each.id)
    return product_form.typed(typed, {"files": problem} if problem else {})


def after_the_end() -> Response | None:
    """Keep what somebody typed who was signed out meanwhile; None if that cannot be.

    Only in a browser that somebody of the shop has signed in with: nothing of what a
    stranger sends is read.
    """
    here = place()
    if here is None or not (_is_whole() and known.is_known()):
        return None
    try:
        read_without_files()
        check_form()
    except (StaleFormError, RequestEntityTooLarge):
        return None
    return ended(here.path, here.path, ("do", here.look))


def is_too_much() -> bool:
    """Say whether there is more than is kept, in a form that was typed into."""
    return _is_whole() and (request.content_length or 0) > tray.WHOLE and bool(place())


def _is_whole() -> bool:
    whole = request.endpoint == "uploads.take_whole"
    return whole and request.mimetype == "multipart/form-data"


def read_without_files() -> None:
    """Read what was typed; files go nowhere as they come, neither to memory nor to disk.

    Raises RequestEntityTooLarge when it would take too long.
    """
    request.max_content_length = MOST_DROPPED * tray.WHOLE
    parser = PlainParser(
        lambda *_, **__: cast(IO[bytes], _Nowhere()),
        request.max_form_memory_size,
        max_form_parts=request.max_form_parts,
    )
    size, options = request.content_length, request.mimetype_params
    _, form, _ = parser.parse(request.stream, request.mimetype, size, options)
    request.form, request.files = ImmutableMultiDict(form), ImmutableMultiDict()


class _Nowhere(io.RawIOBase):
    def write(self, block: object, /) -> int:
        return len(cast(bytes, block))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return offset
