"""P17: many press at once, in several web processes; never more than allowed succeed."""

import contextlib
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from handsel.shop import Shop
from tests import make
from tests.faults.processes import program, shop_program
from tests.ground.cases import Say
from tests.ground.till import rows, untrue
from tests.ops.keeping import buy

CLIENTS = 40
PRESSES = 200
LIMIT = 5


def test_presses_at_once_in_two_processes_never_pass_the_limit(
    shop: Shop, say: Say, tmp_path: Path
) -> None:
    _press(shop, say, tmp_path / "log", processes=2, rounds=1)


@pytest.mark.storm
@pytest.mark.timeout(900)
def test_fifty_rounds_in_four_processes(shop: Shop, say: Say, tmp_path: Path) -> None:
    _press(shop, say, tmp_path / "log", processes=4, rounds=50)


def _press(shop: Shop, say: Say, log: Path, *, processes: int, rounds: int) -> None:
    make.product(shop, limit=LIMIT)
    links = [urlsplit(each["link"]).path for each in buy(shop, rounds)]
    with contextlib.ExitStack() as stack:
        doors = [
            stack.enter_context(program(*shop_program("web", shop.home), log=log))
            for _ in range(processes)
        ]
        for door in doors:
            door.start()
        urls = [door.open()[0] for door in doors]
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        answers = [press_all(pool, urls, link) for link in links]
    granted = [len(round_.places) for round_ in answers]
    others = Counter(status for each in answers for status in each.statuses)
    say(
        "P17",
        rounds=rounds,
        presses=rounds * PRESSES,
        processes=processes,
        granted=sum(granted),
        statuses=dict(others),
        database="sqlite" if shop.database.is_sqlite else "postgres",
    )
    assert granted == [LIMIT] * rounds
    assert set(others) == {303, 410}
    assert "locked" not in log.read_text()
    assert rows(shop)["grants"] == LIMIT * rounds
    assert untrue(shop) == {}


class Presses:
    """What came of the presses of one round: statuses, and where the files are."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.places: set[str] = set()
        self._lock = threading.Lock()

    def note(self, answer: requests.Response) -> None:
        """Note one answer."""
        with self._lock:
            self.statuses.append(answer.status_code)
            if answer.status_code == 303:
                self.places.add(answer.headers["Location"])


def press_all(pool: ThreadPoolExecutor, urls: list[str], link: str) -> Presses:
    """Let every client open the page at one of the doors, then press, all at once."""
    done = Presses()
    barrier = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        url = urls[number % len(urls)]
        with requests.Session() as browser:
            page = browser.get(url + link, timeout=30).text
            nonce = re.search(r'name="nonce" value="([^"]+)"', page)
            assert nonce, page
            barrier.wait(60)
            for _ in range(PRESSES // CLIENTS):
                done.note(
                    browser.post(
                        f"{url}{link}/1",
                        {"nonce": nonce[1]},
                        allow_redirects=False,
                        timeout=30,
                    )
                )

    list(pool.map(client, range(CLIENTS)))
    return done
