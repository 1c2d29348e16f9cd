"""P07 in full: a shop whose data lie on a disk of 8 MB, which fills up and is freed.

The disk exists only inside the shop's own process (`unshare`); the test looks at it
through /proc.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from handsel.settings import load_settings
from handsel.shop import Shop, open_shop
from tests import make
from tests.faults.processes import ROOT
from tests.ground.cases import Say
from tests.ground.till import rows, set_stripe, untrue
from tests.providers.fake_stripe import FakeStripe
from tests.providers.fakes.bank import Obj

INSIDE = (
    'mount -t tmpfs -o size=8m none "$1" && cp -a "$2/." "$1" && '
    'exec "$0" -m handsel web --json --home "$3" --bind 127.0.0.1:0'
)


def _unshare_works() -> bool:
    done = subprocess.run(
        ["/usr/bin/unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.storm
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fills_up_and_is_freed(
    home: Path, say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not Path("/usr/bin/unshare").exists() or not _unshare_works():
        pytest.skip("needs a Linux where anybody may mount a tmpfs for themselves")
    with FakeStripe() as stripe:
        set_stripe(stripe, monkeypatch)
        stripe.hooks.mode = "hold"
        _prepare(home, tmp_path / "data")
        process = _open(home, tmp_path / "data")
        try:
            assert process.stdout
            url = _said(process.stdout.readline())
            _fill_and_free(process.pid, url, home, stripe, say)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _prepare(home: Path, data: Path) -> None:
    shop = open_shop(home, load_settings(home))
    make.product(shop)
    shop.close()
    shutil.copytree(home / "data", data)


def _open(home: Path, data: Path) -> "subprocess.Popen[bytes]":
    words = ["/usr/bin/unshare", "-rm", "sh", "-c", INSIDE, sys.executable]
    words += [str(home / "data"), str(data), str(home)]
    return subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _said(line: bytes) -> str:
    return line.decode().partition('"url": "')[2].partition('"')[0]


def _fill_and_free(
    pid: int, url: str, home: Path, stripe: FakeStripe, say: Say
) -> None:
    stripe.hooks.url = f"{url}/webhooks/stripe"
    inside = Path(f"/proc/{pid}/root{home}")
    names = []
    for number in range(40):
        names.append(_begin(url, number))
        stripe.bank.pay(names[-1], email=f"reader{number}@example.com")
    ballast = inside / "data" / "ballast"
    _fill(ballast)
    answers = stripe.hooks.deliver()
    shelf = requests.get(f"{url}/p/book", timeout=20).status_code
    ballast.unlink()
    again = _again(stripe)

    # Nobody writes now; and SQLite itself would not look through /proc.
    shutil.copytree(inside / "data", home / "data", dirs_exist_ok=True)
    shop = open_shop(home, load_settings(home))
    say("P07", full="tmpfs", told=answers.count(200), refused=answers.count(503))
    assert set(answers) == {200, 503}
    assert shelf == 200
    assert set(again) == {200}
    _prove(shop, names)
    shop.close()


def _begin(url: str, number: int) -> str:
    answer = requests.post(
        f"{url}/buy/book",
        {"press": f"press-{number}"},
        allow_redirects=False,
        timeout=20,
    )
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["Location"]).path.rpartition("/")[2]


def _fill(ballast: Path) -> None:
    """Write until nothing more fits, but for a little room."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - 400 * 1024))


def _again(stripe: FakeStripe) -> list[int]:
    held: list[Obj] = list(stripe.hooks.failed)
    stripe.hooks.failed.clear()
    return [stripe.hooks.send(event) for event in held]


def _prove(shop: Shop, names: list[str]) -> None:
    counted = rows(shop)
    assert counted["ledger"] == counted["orders"] == len(names)
    assert untrue(shop) == {}
    with shop.reading() as session:
        check = session.connection().exec_driver_sql("PRAGMA integrity_check")
        assert check.scalar_one() == "ok"
