"""Row: one reader with a fast connection gets files about as fast as from nginx."""

from pathlib import Path
from statistics import median

from benchmarks import readers
from benchmarks.ground import SLUG, Crowd, Running, crowd, new_shop, running
from benchmarks.nginx import file_server
from benchmarks.purchases import open_downloads
from benchmarks.rows import Row, ms

BIG, SMALL = 500_000_000, 10_000_000


def measure(*, quick: bool) -> list[Row]:
    """Fetch the same files from the shop and from a file server, in turns."""
    big = BIG // 5 if quick else BIG
    with (
        new_shop(big, SMALL) as home,
        crowd(1) as people,
        file_server(home / "data" / "files") as (other, rival),
        running(
            "handsel", "web", "--home", home, "--bind", "127.0.0.1:0", "--json"
        ) as shop,
    ):
        duel = Duel(home, people, shop, rival, other)
        return [
            duel.row(SLUG, big, rounds=3 if quick else 9),
            duel.row(f"{SLUG}1", SMALL, rounds=15 if quick else 60),
        ]


class Duel:
    """The shop against a plain file server."""

    def __init__(
        self, home: Path, people: Crowd, shop: Running, rival: Running, name: str
    ) -> None:
        self._home = home
        self._people = people
        self._shop = shop
        self._rival = rival
        self._name = name

    def row(self, slug: str, size: int, *, rounds: int) -> Row:
        """Fetch one product's file `rounds` times from each."""
        paths = open_downloads(self._home, rounds + 1, slug=slug, name=slug)
        plain = self._stored(size)
        ours, theirs = [], []
        for path in paths:
            ours.append(self._fetch(self._shop, path, size))
            theirs.append(self._fetch(self._rival, plain, size))
        mine, other = median(ours[1:]), median(theirs[1:])  # the first one warms up
        return self._row(size, mine, other)

    def _stored(self, size: int) -> str:
        root = self._home / "data" / "files"
        [found] = [
            path
            for path in root.rglob("*")
            if path.is_file() and path.stat().st_size == size
        ]
        return f"/{found.relative_to(root)}"

    def _fetch(self, server: Running, path: str, size: int) -> float:
        return self._people.send(readers.read_fast, server.address, path, size).result()

    def _row(self, size: int, mine: float, other: float) -> Row:
        ratio = other / mine
        return Row(
            name=f"a fast reader, {size // 1_000_000} MB / {self._name}",
            measured=f"{ratio:.2f} ({size / mine / 1e6:,.0f} MB/s / "
            f"{size / other / 1e6:,.0f} MB/s)",
            goal=">= 0.9",
            met=ratio >= 0.9,
            why=f"Median of turns, connection to last byte: {ms(mine)} against "
            f"{ms(other)}. Ours asks the database whether this purchase may be "
            "opened and writes down, on disk, what it is about to send, before the "
            "first byte; the other only sends.",
            numbers={"ratio": ratio, "ours": mine, "theirs": other, "size": size},
        )
