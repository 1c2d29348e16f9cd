"""A page whose form has sent files comes again, with all that was typed in it.

For browsers without scripts: they send a whole form, and whatever page answers is all they
have left.
"""

from collections.abc import Callable, Sequence

from flask import Response, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from handsel.delivery.storage.uploads import Upload
from handsel.sales import catalogue
from handsel.web.admin import product_form, products, releases
from handsel.web.admin.product_form import Form
from handsel.web.admin.tray import PICTURES
from handsel.web.pages import the_shop

Page = Callable[[Form, int], Response]


def page() -> Page | None:
    """Give what shows the page that sent the files; None where nothing is typed.

    It stands in the address, so that it is known of a form too large to be read, too.
    """
    place = request.args.get("next", "").partition("?")[0]
    try:
        found, named = current_app.create_url_adapter(request).match(place, "GET")  # type: ignore[union-attr]  # there is one while a request is answered
    except HTTPException:
        return None
    show = _PAGES.get(found)
    return (lambda form, status: show(form, status, **named)) if show else None


def _product(form: Form, status: int, slug: str) -> Response:
    with the_shop().reading() as session:
        found = catalogue.get(session, slug)
    return products.editor(found, form, status)


def _release(form: Form, status: int, slug: str) -> Response:
    return releases.form_of(slug, form, status)


_PAGES: dict[str, Callable[..., Response]] = {
    "desk.new_product": products.new_form,
    "desk.product": _product,
    "desk.release": _release,
}


def form_with(came: Sequence[Upload], problem: str = "") -> Form:
    """Give the form as it was typed, with the files that came chosen in it.

    As the script does: a picture is the cover where one is asked for and none is chosen.
    """
    typed = MultiDict(request.form)
    for each in came:
        picture = each.name.lower().endswith(PICTURES)
        if picture and typed.get("cover") == "":
            typed["cover"] = each.id
        else:
            typed.add("upload", each.id)
    return product_form.typed(typed, {"files": problem} if problem else {})
