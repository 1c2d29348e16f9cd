"""Row: the known faults of the 2014 flow, each seen to happen, one line each."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from benchmarks import flow2014
from benchmarks.mail_sink import Sink
from benchmarks.rows import Row

PRICE = 19.99


def row() -> Row:
    """Buy once, fetch until it ends, then pay with a bad card."""
    sink = Sink(0)
    with sink.up(), TemporaryDirectory(prefix="handsel-bench-") as folder:
        home = Path(folder)
        flow2014.found(home, PRICE).dispose()
        client = flow2014.create_app(home, sink.port, 0).test_client()
        thanks = _buy(client, "tok_visa").get_data(as_text=True)
        charged = int((home / "charges.txt").read_text())
        [link] = re.findall(r'href="(/download/[^"]+)"', thanks)
        fetched = sum(client.get(link).status_code == 200 for _ in range(8))
        declined = _buy(client, "tok_declined").status_code
    return Row(
        name="known faults of the 2014 flow, seen again here",
        measured=f"a price of {PRICE} charged {charged} cents; 5 downloads allowed "
        f"{fetched}; a declined card answered {declined}",
        goal="",
        met=None,
        why="Prices were floats, the counter was read before it was compared, and the "
        "page for declined cards had another name than its file. Tests hold all three "
        "down in this shop.",
        numbers={"charged": charged, "downloads": fetched, "declined": declined},
    )


def _buy(client: FlaskClient, token: str) -> TestResponse:
    form = {"email": "buyer@example.com", "token": token}
    return client.post("/buy/1", data=form)
