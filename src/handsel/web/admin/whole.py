"""Files that come whole, from a form as browsers send it without scripts."""

from urllib.parse import urlencode

from flask import redirect, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from handsel.delivery.storage.uploads import Upload
from handsel.kit.errors import BadInputError, ShopError
from handsel.web.admin import tray, typed_along
from handsel.web.admin.desk import said, say_here
from handsel.web.admin.door import onward
from handsel.web.admin.uploading import uploads
from handsel.web.pages import the_shop


class TooMuchError(ShopError):
    """A form brings more than may come at once."""

    status = 413


@uploads.post("/whole")
def take_whole() -> AnyResponse:
    """Take files from a form as browsers send it without scripts.

    What else was typed in it comes back with its page.
    """
    place = typed_along.place()
    came, wrong = _came()
    problem = " ".join(str(each) for each in wrong)
    status = wrong[0].status if wrong else 200
    words = f"{', '.join(each.name for each in came)}: here, and waiting to be used."
    if place is None:
        return tray.show(status, problem) if wrong else redirect(_back(words), 303)
    if came:
        say_here(words)
    return place.show(typed_along.form_with(came, problem), status)


def _came() -> tuple[list[Upload], list[ShopError]]:
    """Keep each file that can be kept; say what is wrong with every other."""
    came: list[Upload] = []
    wrong: list[ShopError] = []
    if typed_along.is_too_much():
        wrong.append(TooMuchError(tray.too_much()))
    for each in request.files.getlist("file"):
        try:
            if each.filename:
                came.append(_keep(each))
        except ShopError as error:
            wrong.append(error)
    if not came and not wrong:
        none = BadInputError("No file was chosen.", "Choose one, then press again.")
        wrong.append(none)
    return came, wrong


def _keep(file: FileStorage) -> Upload:
    shelf = the_shop().uploads
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    upload = shelf.begin(file.filename or "file", size)
    shelf.append(upload, 0, file.stream.read)
    return shelf.seal(upload)


@uploads.post("/<number>/remove")
def remove(number: str) -> AnyResponse:
    """Forget an upload, by a button."""
    the_shop().uploads.remove(number)
    return redirect(_back("The file is gone from here."), 303)


def _back(words: str) -> str:
    """Give the address of the page the form stood on, which says this."""
    place = onward().partition("?")[0]
    fresh = place if place != url_for("desk.home") else url_for("desk.tray")
    mark = said(words)
    return f"{fresh}?{urlencode(mark)}"
