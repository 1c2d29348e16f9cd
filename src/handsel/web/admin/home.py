"""The first page of the desk."""

from flask import Response

from handsel.web.admin.desk import desk
from handsel.web.pages import page


@desk.get("/")
def home() -> Response:
    """Show what there is to see this morning."""
    return page("admin/home.html")
