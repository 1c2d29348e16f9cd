"""Backups at the desk: making one, and fetching it."""

from flask import Response, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.text import human_size
from handsel.ops.desk import backups as archives
from handsel.web.admin.desk import audited, confirmed, desk, done, outside
from handsel.web.pages import page, the_shop


@desk.get("/backups")
def backups() -> Response:
    """List the backups in the shop's folder, and say how the last one went."""
    shop = the_shop()
    return page(
        "admin/backups.html",
        backups=[(each, human_size(each.size)) for each in archives.kept(shop)],
        last=archives.last(shop),
        here_url=url_for("desk.backups"),
    )


@desk.post("/backups")
def make_backup() -> AnyResponse:
    """Begin a backup."""
    shop = the_shop()
    with outside("backup.begun", "backup"):
        archives.start(shop)
    return done("desk.backups", "A backup is being made. The shop stays open.")


@desk.post("/backups/<name>")
def fetch_backup(name: str) -> Response:
    """Send one backup; its keys never leave the server this way."""
    confirmed()
    shop = the_shop()
    path = archives.path_of(shop, name)
    with shop.transaction() as session:
        audited(session, "backup.fetched", name)
    return send_file(path, as_attachment=True, download_name=name, conditional=False)
