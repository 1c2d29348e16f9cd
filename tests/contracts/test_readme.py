"""README and tutorial are done as they are written."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from itertools import takewhile
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from handsel.outbound.transports.folder import read_folder
from tests.ground.waiting import wait_until
from tools.docs import ROOT

SAMPLE = ROOT / "src/handsel/ops/sample/the-first-coin.epub"
CARD = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123"}


def quickstart() -> list[str]:
    """Give the lines of the block under the heading, without their comments."""
    block = re.search(
        r"## Five lines to a shop\n\n```sh\n(.*?)```",
        (ROOT / "README.md").read_text("utf-8"),
        re.DOTALL,
    )
    assert block
    return [line.partition(" #")[0].strip() for line in block[1].splitlines()]


def port() -> int:
    """Give a port that is free."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of somebody who has installed Handsel and set nothing."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HANDSEL_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}


@pytest.fixture
def address(tmp_path: Path, environment: dict[str, str]) -> Iterator[str]:
    """A shop made and opened by the lines of the README, at a port of its own."""
    install, *lines = quickstart()
    assert install == "pip install ."
    assert lines.pop() == "handsel run"
    (tmp_path / "src").symlink_to(ROOT / "src")
    script = "\n".join(["set -e", *lines, "exec handsel run"])
    bind = f"127.0.0.1:{port()}"
    own = {"HANDSEL_SERVER__BIND": bind, "HANDSEL_SHOP__URL": f"http://{bind}"}
    with (tmp_path / "log").open("w") as log:
        shop = subprocess.Popen(
            ["/bin/sh", "-c", script],
            cwd=tmp_path,
            env=environment | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert shop.stdout
    with shop.stdout as said:
        told = list(takewhile(lambda line: "The shop is open" not in line, said))
        assert shop.poll() is None, f"{told}\n{(tmp_path / 'log').read_text()}"
        yield f"http://{bind}"
        shop.terminate()
        assert shop.wait(timeout=40) == 0


def send(
    visitor: requests.Session, page: requests.Response, **typed: str
) -> requests.Response:
    """Send the first form of a page that is sent by POST."""
    form = re.search(
        r'<form[^>]* method="post" action="([^"]+)"(.*?)</form>', page.text, re.DOTALL
    )
    assert form, page.text
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[2])
    fields = {name: unescape(value) for name, value in hidden} | typed
    return visitor.post(urljoin(page.url, unescape(form[1])), data=fields, timeout=20)


def test_the_five_lines_of_the_readme_end_with_the_book_and_its_mail(
    address: str, tmp_path: Path
) -> None:
    with requests.Session() as visitor:
        product = visitor.get(f"{address}/p/the-first-coin", timeout=20)
        payment = send(visitor, product)
        purchase = send(visitor, payment, email="reader@example.com", **CARD)
        book = send(visitor, purchase)

    assert purchase.url.startswith(f"{address}/d/")
    assert book.content == SAMPLE.read_bytes()
    [mail] = wait_until(lambda: read_folder(tmp_path / "myshop/mail"))
    assert purchase.url in mail.text


def test_the_first_half_of_the_tutorial_works_as_it_is_written(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    text = (ROOT / "docs/tutorial.md").read_text("utf-8")
    chapters = text[text.index("## 2.") : text.index("## 5.")]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", chapters, re.DOTALL))
    assert "handsel run\n" in script
    script = script.replace("handsel run\n", "handsel simulate book --email a@b.com\n")
    seller = tmp_path / "myshop"
    seller.mkdir()
    (seller / "book.md").write_text("Five *small* stories.")
    for name in ("book.epub", "book.pdf"):
        (seller / name).write_bytes(SAMPLE.read_bytes())
    (seller / "cover.png").write_bytes((SAMPLE.parent / "cover.png").read_bytes())

    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "The First Coin: $9.99" in done.stdout
    assert "H-1002" in done.stdout
