"""The navigation of the desk: its parts, and which of them a page belongs to."""

from dataclasses import dataclass

from flask import request, url_for

NAVIGATION = (
    ("desk.home", "Home", ()),
    ("desk.orders", "Orders", ()),
    ("desk.customers", "Customers", ()),
    ("desk.products", "Products", ("/admin/new-product", "/admin/uploads")),
    ("desk.coupons", "Coupons", ("/admin/new-coupon",)),
    ("desk.updates", "Updates", ()),
    ("desk.experiments", "Experiments", ()),
    ("desk.reports", "Reports", ()),
    ("desk.mails", "Mails", ("/admin/uploads/returned",)),
    ("desk.hooks", "Web hooks", ()),
    ("desk.backups", "Backups", ()),
    ("desk.settings", "Settings", ("/admin/books",)),
    ("desk.audit", "Log", ()),
)
"""The parts of the desk, and where else their pages are."""


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    url: str
    name: str
    here: bool


def navigation() -> list[Entry]:
    """List the pages of the desk, and say which of them this one belongs to."""
    path = request.path.rstrip("/")
    entries = []
    for endpoint, name, others in NAVIGATION:
        url = url_for(endpoint)
        root = url.rstrip("/")
        below = endpoint != "desk.home" and path.startswith(f"{root}/")
        entries.append(Entry(url, name, path == root or below or path in others))
    return entries
