"""A backup is whole or there is none, and a restore brings everything back or nothing."""

import gzip
import io
import json
import os
import tarfile
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from handsel.delivery.storage.local import LocalStorage
from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    ShopError,
)
from handsel.kit.signing import Keys
from handsel.models import Invoice, Order, OutboxItem
from handsel.models.database import SQLITE, Database
from handsel.ops import (
    archive,
    backup,
    campaigning,
    founding,
    reconcile,
    removing,
    sqlite_copy,
)
from handsel.ops.archive import BadArchiveError
from handsel.ops.founding import Plan
from handsel.ops.releasing import Sending
from handsel.ops.restore import FROM_BACKUP, Restored, days_back, restore
from handsel.settings import load_settings
from handsel.shop import KEYS_FILE, Shop, open_shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
STAMP = "20261124T093000Z"

pytestmark = pytest.mark.usefixtures("pg_programs")
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
def sold(shop: Shop) -> list[dict[str, str]]:
    """A shop that has sold three books."""
    make.product(shop)
    return keeping.buy(shop, 3)


def bring_back(saved: Path, home: Path, url: str, **options: object) -> Restored:
    """Restore into a home whose database is at `url`."""
    environ = {"HANDSEL_DATABASE__URL": url}
    return restore(saved, home, now=NOW, environ=environ, **options)  # type: ignore[arg-type]  # passed on as they are


def opened(home: Path, url: str, clock: Clock) -> Shop:
    """Open a restored shop."""
    settings = load_settings(home, {"HANDSEL_DATABASE__URL": url})
    return open_shop(home, settings, clock=clock)


def everything(home: Path) -> dict[str, bytes]:
    """Give every file below a folder."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file()
    }


def orders_in(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


def test_a_shop_comes_back_whole_with_the_same_links(
    shop: Shop,
    sold: list[dict[str, str]],
    tmp_path: Path,
    empty_database: str,
    clock: Clock,
) -> None:
    (shop.home / "templates" / "mail").mkdir()
    (shop.home / "templates" / "mail" / "receipt.jinja").write_text("mine")

    saved = backup.back_up(shop)
    new = tmp_path / "new"
    done = bring_back(saved.path, new, empty_database)

    again = opened(new, empty_database, clock)
    with again.reading() as session:
        links = [keeping.link_of(session, again, each["number"]) for each in sold]
    assert links == [each["link"] for each in sold]
    assert keeping.broken(again) == {}
    again.close()
    assert done.keys == "restored"
    assert [each.ok for each in done.invariants] == [True] * len(done.invariants)
    assert done.aside == ()
    assert (new / "templates" / "mail" / "receipt.jinja").read_text() == "mine"
    assert saved.damaged == ()
    assert saved.files == 1
    assert not [path for path in new.iterdir() if "restoring" in path.name]


def test_a_backup_while_people_buy_is_one_moment_of_the_shop(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    stop = threading.Event()

    def sell() -> None:
        while not stop.is_set():
            keeping.buy(shop)

    sellers = [threading.Thread(target=sell) for _ in range(3)]
    for seller in sellers:
        seller.start()
    try:
        copies = [
            backup.back_up(shop, tmp_path / f"copy{number}.tar.gz") for number in "123"
        ]
    finally:
        stop.set()
        for seller in sellers:
            seller.join()
    after = orders_in(shop.database)

    done = bring_back(copies[-1].path, tmp_path / "new", empty_database)

    database = Database(empty_database, tmp_path / "new")
    assert 3 <= orders_in(database) < after
    database.close()
    assert [each for each in done.invariants if not each.ok] == []
    assert all(archive.check(each.path).what == "shop" for each in copies)


def test_sales_after_the_backup_come_back_from_the_provider_with_their_links(
    shop: Shop, sold: list[dict[str, str]], clock: Clock, database_url: str
) -> None:
    saved = backup.back_up(shop)
    clock.move(hours=3)
    later = keeping.buy(shop, 2)
    shop.close()

    bring_back(saved.path, shop.home, database_url, replace=True)

    again = opened(shop.home, database_url, clock)
    assert orders_in(again.database) == 3
    reconcile.reconcile(again, since=clock.time.replace(hour=0))
    with again.reading() as session:
        numbers = session.scalars(select(Order.id).order_by(Order.id)).all()
        links = {keeping.link_of(session, again, f"H-{n + 1000}") for n in numbers}
    assert links == {each["link"] for each in [*sold, *later]}
    assert keeping.broken(again) == {}
    again.close()


def test_numbers_of_invoices_that_may_be_out_already_are_not_given_again(
    shop: Shop,
    sold: list[dict[str, str]],
    tmp_path: Path,
    empty_database: str,
    clock: Clock,
) -> None:
    saved = backup.back_up(shop)
    keeping.buy(shop)  # of whose invoice the backup does not know
    new = tmp_path / "new"
    bring_back(saved.path, new, empty_database)

    again = opened(new, empty_database, clock)
    keeping.buy(again)

    with again.reading() as session:
        found = [each.number for each in session.scalars(select(Invoice))]
    before = [f"TEST-INV-{n + 1}" for n in range(len(sold))]
    assert sorted(found) == sorted([*before, "TEST-INV-R2-1"])
    assert keeping.broken(again) == {}
    again.close()


@on_sqlite
def test_nothing_secret_is_in_the_backup_and_all_of_it_in_the_keys_file(
    shop: Shop, tmp_path: Path
) -> None:
    config = shop.home / "handsel.toml"
    words = config.read_text().replace(
        "[stripe]", '[stripe]\nsecret_key = "sk_test_verysecretword"  # mine'
    )
    words = words.replace(
        "[database]",
        '[database]\nurl = "postgresql://ada:wordsecret@db/shop"',
    )
    config.write_text(words)
    (shop.home / "secrets" / "smtp").write_text("smtpsecret")

    saved = backup.back_up(shop)

    inside = _unpacked(saved.path, tmp_path / "shop")
    kept = _unpacked(saved.keys, tmp_path / "keys")
    keys = Keys.load(shop.home / KEYS_FILE)
    together = b"".join(inside.values())
    for secret in ("verysecretword", "wordsecret", "smtpsecret", keys.id_key.hex()):
        assert secret.encode() not in together, secret
    assert kept["handsel.toml"].decode() == words
    assert kept["secrets/smtp"] == b"smtpsecret"
    assert "secrets/keys.json" in kept
    assert json.loads(inside["manifest.json"])["left_out"] == [
        "database.url",
        "stripe.secret_key",
    ]
    assert b"Ada's Books" in inside["handsel.toml"]
    assert {saved.path.stat().st_mode & 0o777, saved.keys.stat().st_mode & 0o777} == {
        0o600
    }


def _unpacked(path: Path, folder: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        tar.extractall(folder, filter="data")
    return everything(folder)


@on_sqlite
def test_a_secret_over_several_lines_stops_the_backup(shop: Shop) -> None:
    config = shop.home / "handsel.toml"
    config.write_text(
        config.read_text().replace(
            "[stripe]", '[stripe]\nsecret_key = """\nsk_test_abcdefgh"""'
        )
    )

    with pytest.raises(ConfigurationError, match=r"stripe\.secret_key"):
        backup.back_up(shop)

    assert list((shop.home / "backups").iterdir()) == []


@on_sqlite
def test_without_keys_a_shop_says_what_is_missing(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    config = shop.home / "handsel.toml"
    config.write_text(
        config.read_text().replace("[mail]", '[mail]\npassword = "smtpsecret"')
    )
    saved = backup.back_up(shop)
    saved.keys.unlink()

    done = bring_back(saved.path, tmp_path / "new", empty_database)

    assert done.keys == "missing"
    assert done.fill_in == ("mail.password",)
    assert not (tmp_path / "new" / KEYS_FILE).exists()


@on_sqlite
def test_lost_keys_are_made_anew_only_when_asked_for(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    saved = backup.back_up(shop)
    saved.keys.unlink()

    done = bring_back(saved.path, tmp_path / "new", empty_database, new_keys=True)

    assert done.keys == "new"
    assert (tmp_path / "new" / KEYS_FILE).exists()


@on_sqlite
def test_the_keys_of_the_home_are_kept_when_the_backup_has_none(
    shop: Shop, sold: list[dict[str, str]], database_url: str
) -> None:
    saved = backup.back_up(shop)
    saved.keys.unlink()
    shop.close()

    assert bring_back(saved.path, shop.home, database_url, replace=True).keys == "kept"

    (shop.home / KEYS_FILE).unlink()
    Keys.create().save(shop.home / KEYS_FILE)
    _forget_aside(shop.home)
    done = restore(
        saved.path,
        shop.home,
        now=NOW.replace(hour=11),
        replace=True,
        environ={"HANDSEL_DATABASE__URL": database_url},
    )
    assert done.keys == "other"


def _forget_aside(home: Path) -> None:
    assert [path.name for path in home.rglob("*before-*")]


@on_sqlite
def test_keys_of_another_shop_are_refused(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    saved = backup.back_up(shop)
    (shop.home / KEYS_FILE).unlink()
    Keys.create().save(shop.home / KEYS_FILE)
    other = open_shop(shop.home)
    foreign = backup.back_up(other, tmp_path / "foreign.tar.gz")
    other.close()

    with pytest.raises(ConflictError, match="another shop"):
        bring_back(saved.path, tmp_path / "new", empty_database, keys=foreign.keys)
    with pytest.raises(BadArchiveError, match="holds keys"):
        bring_back(saved.keys, tmp_path / "new", empty_database)
    with pytest.raises(BadArchiveError, match="no keys file"):
        bring_back(saved.path, tmp_path / "new", empty_database, keys=saved.path)

    assert not (tmp_path / "new").exists()


def _cut_off(content: bytes) -> bytes:
    return content[: len(content) // 3]


def _only_the_end_missing(content: bytes) -> bytes:
    return content[:-5]


def _one_byte_changed(content: bytes) -> bytes:
    """Change a byte that says something: in a row of zeros, gzip can say the same with
    another."""
    for place in range(len(content) // 4, len(content)):
        other = bytes([content[place] ^ 1])
        changed = content[:place] + other + content[place + 1 :]
        if _inflated(changed) != _inflated(content):
            return changed
    raise AssertionError("every byte says nothing")


def _inflated(content: bytes) -> bytes | None:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None if content.startswith(b"\x1f\x8b") else content


def _emptied(content: bytes) -> bytes:
    return b""


def _something_else(content: bytes) -> bytes:
    return b"Dear diary, " * 500


@pytest.mark.parametrize(
    ("which", "harm"),
    [
        *[
            (which, harm)
            for which in ("shop", "keys")
            for harm in (_cut_off, _one_byte_changed, _emptied, _something_else)
        ],
        ("shop", _only_the_end_missing),  # that of a plain tar is nothing but zeros
    ],
)
@on_sqlite
def test_a_harmed_backup_is_refused_and_nothing_is_touched(
    shop: Shop,
    sold: list[dict[str, str]],
    database_url: str,
    harm: Callable[[bytes], bytes],
    which: str,
) -> None:
    saved = backup.back_up(shop)
    path = saved.path if which == "shop" else saved.keys
    path.write_bytes(harm(path.read_bytes()))
    shop.close()
    before = everything(shop.home)

    with pytest.raises(BadArchiveError) as told:
        bring_back(saved.path, shop.home, database_url, replace=True)

    assert str(path) in told.value.message
    assert everything(shop.home) == before


@on_sqlite
def test_a_backup_that_is_not_there(tmp_path: Path, empty_database: str) -> None:
    with pytest.raises(BadInputError, match="There is no file"):
        bring_back(tmp_path / "none.tar.gz", tmp_path / "new", empty_database)

    assert not (tmp_path / "new").exists()


def _entry(name: str, **values: object) -> tuple[tarfile.TarInfo, bytes]:
    entry, content = tarfile.TarInfo(name), b"evil"
    entry.size = len(content)
    for key, value in values.items():
        setattr(entry, key, value)
        entry.size = 0
    return entry, content if not values else b""


@pytest.mark.parametrize(
    "evil",
    [
        _entry("../evil"),
        _entry("files/../../evil"),
        _entry("/tmp/evil"),  # noqa: S108 - nothing is written there
        _entry("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        _entry("link", type=tarfile.LNKTYPE, linkname="handsel.toml"),
        _entry("pipe", type=tarfile.FIFOTYPE),
        _entry("device", type=tarfile.CHRTYPE),
        _entry("folder", type=tarfile.DIRTYPE),
        _entry("files/unlisted"),
        _entry("handsel.toml"),
    ],
    ids=lambda evil: evil[0].name + str(evil[0].type),
)
def test_an_archive_that_would_write_elsewhere_is_refused(
    tmp_path: Path, evil: tuple[tarfile.TarInfo, bytes]
) -> None:
    good = tmp_path / "good.tar"
    about = archive.Manifest(what="shop", shop="x", made_at="", version="1")
    archive.write(good, about, [("handsel.toml", b"")], packed=False)
    bad = tmp_path / "bad.tar"
    with tarfile.open(good) as source, tarfile.open(bad, "w") as target:
        target.addfile(evil[0], io.BytesIO(evil[1]))
        for entry in source:
            target.addfile(entry, source.extractfile(entry))

    with pytest.raises(BadArchiveError):
        archive.unpack(bad, tmp_path / "out")

    assert not (tmp_path / "evil").exists()
    assert not Path("/tmp/evil").exists()  # noqa: S108 - looks only


def test_a_shop_that_is_there_stays_unless_it_may_be_moved_aside(
    shop: Shop, sold: list[dict[str, str]], database_url: str
) -> None:
    saved = backup.back_up(shop)
    keeping.buy(shop, 2)
    shop.close()
    before = everything(shop.home)

    with pytest.raises(ConflictError) as told:
        bring_back(saved.path, shop.home, database_url)
    assert "--yes" in told.value.hint
    assert everything(shop.home) == before

    done = bring_back(saved.path, shop.home, database_url, replace=True)

    database = Database(database_url, shop.home)
    assert orders_in(database) == 3
    if database.is_sqlite:
        aside = shop.home / "data" / f"handsel.db.before-{STAMP}"
        assert str(aside) in done.aside
        old = Database(f"sqlite:///{aside}", shop.home)
        assert orders_in(old) == 5
        old.close()
    else:
        with database.engine.connect() as connection:
            connection.exec_driver_sql(
                f"SET search_path = before_restore_{STAMP.lower()}"
            )
            assert connection.scalar(select(func.count()).select_from(Order)) == 5
    database.close()
    assert (shop.home / "data" / f"files.before-{STAMP}").is_dir()


def test_an_open_shop_is_never_restored_over(
    shop: Shop, sold: list[dict[str, str]], database_url: str
) -> None:
    saved = backup.back_up(shop)

    with pytest.raises(ConflictError, match="is open"):
        bring_back(saved.path, shop.home, database_url, replace=True)

    assert orders_in(shop.database) == 3


@on_sqlite
def test_a_log_of_another_database_is_not_read_into_the_restored_one(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    saved = backup.back_up(shop)
    data = tmp_path / "new" / "data"
    data.mkdir(parents=True)
    for end in ("-wal", "-shm"):
        live = shop.home / "data" / f"handsel.db{end}"
        (data / live.name).write_bytes(live.read_bytes() or b"stale")

    with pytest.raises(ConflictError):
        bring_back(saved.path, tmp_path / "new", empty_database)
    done = bring_back(saved.path, tmp_path / "new", empty_database, replace=True)

    assert [each for each in done.invariants if not each.ok] == []
    assert (data / f"handsel.db.before-{STAMP}-wal").exists()


def test_when_the_last_step_fails_everything_is_as_it_was(
    shop: Shop, sold: list[dict[str, str]], database_url: str
) -> None:
    saved = backup.back_up(shop)
    keeping.buy(shop, 2)
    if shop.database.is_sqlite:
        (shop.home / "data" / f"handsel.db.before-{STAMP}").write_text("in the way")
    else:
        with shop.database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA before_restore_{STAMP.lower()}")
    shop.close()
    sqlite_copy.in_use(shop.home / "data" / "handsel.db")  # folds the log back
    before = everything(shop.home)

    with pytest.raises(ConflictError):
        bring_back(saved.path, shop.home, database_url, replace=True)

    assert everything(shop.home) == before
    database = Database(database_url, shop.home)
    assert orders_in(database) == 5
    database.close()


@on_postgres
def test_a_dump_that_cannot_be_loaded_leaves_the_old_records_in_place(
    shop: Shop, sold: list[dict[str, str]], database_url: str
) -> None:
    with shop.database.engine.begin() as connection:
        # Outside `public`, so it is not moved aside, and the dump cannot make it again.
        connection.exec_driver_sql("CREATE SCHEMA mine")
    saved = backup.back_up(shop)
    keeping.buy(shop, 2)
    shop.close()

    with pytest.raises(ShopError, match="mine"):
        bring_back(saved.path, shop.home, database_url, replace=True)

    database = Database(database_url, shop.home)
    assert orders_in(database) == 5
    database.close()


def test_a_backup_of_one_kind_of_database_does_not_go_into_the_other(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, database_url: str
) -> None:
    other = (
        "postgresql://nobody@/nothing"
        if shop.database.is_sqlite
        else "sqlite:///data/handsel.db"
    )
    saved = backup.back_up(shop)

    with pytest.raises(ConfigurationError, match="is of a"):
        bring_back(saved.path, tmp_path / "new", other)

    assert not (tmp_path / "new").exists()


@on_sqlite
def test_a_backup_of_a_newer_version_is_refused(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    saved = backup.back_up(shop)
    with tarfile.open(saved.path) as tar:
        parts = [
            (each.name, file.read())
            for each in tar
            if each.name != archive.MANIFEST and (file := tar.extractfile(each))
        ]
    about = archive.Manifest(
        what="shop", shop="", made_at="", version="9.0", schema="9999"
    )
    newer = tmp_path / "newer.tar.gz"
    archive.write(newer, about, parts)

    with pytest.raises(ConfigurationError, match="newer"):
        bring_back(newer, tmp_path / "new", empty_database)


@on_sqlite
def test_what_is_damaged_in_the_shop_is_named_and_the_rest_is_saved(
    shop: Shop, sold: list[dict[str, str]]
) -> None:
    make.product(shop, slug="second", files={"b.pdf": b"second"})
    bad, gone = sorted(shop.storage.names())
    shop.storage.path(bad).write_bytes(b"not what it was")
    shop.storage.path(gone).unlink()

    saved = backup.back_up(shop)

    assert set(saved.damaged) == {bad, gone}
    assert archive.check(saved.path).what == "shop"


@on_sqlite
def test_a_damaged_database_is_not_passed_off_as_a_backup(
    shop: Shop, sold: list[dict[str, str]]
) -> None:
    file = shop.home / "data" / "handsel.db"
    shop.close()
    connection = SQLITE.connect(file)
    root = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'ix_orders_status'"
    ).fetchone()[0]
    connection.close()
    sqlite_copy.in_use(file)
    with file.open("r+b") as raw:
        raw.seek((root - 1) * 4096)
        raw.write(b"\xff" * 64)
    again = open_shop(shop.home)

    with pytest.raises(sqlite_copy.DamagedDatabaseError):
        backup.back_up(again)

    again.close()
    assert list((shop.home / "backups").iterdir()) == []


@on_sqlite
def test_names_that_cannot_be_used_for_a_backup(shop: Shop, tmp_path: Path) -> None:
    taken = tmp_path / "taken.tar.gz"
    taken.write_text("precious")

    with pytest.raises(ConflictError):
        backup.back_up(shop, taken)
    with pytest.raises(BadInputError, match=r"\.tar\.gz"):
        backup.back_up(shop, tmp_path / "x.zip")
    with pytest.raises(BadInputError, match="no folder"):
        backup.back_up(shop, tmp_path / "none" / "x.tar.gz")

    assert taken.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} >= {"taken.tar.gz", "home"}


@on_postgres
def test_postgresql_without_its_programs_is_a_clear_error(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigurationError) as told:
        backup.back_up(shop)

    assert "postgresql-client-" in told.value.hint
    assert list((shop.home / "backups").iterdir()) == []


@on_postgres
def test_the_password_of_the_database_is_never_on_a_command_line(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spy = tmp_path / "bin" / "pg_dump"
    spy.parent.mkdir()
    spy.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump 99.0" && exit\n'
        f'echo "$@ pw=$PGPASSWORD" > {tmp_path}/said\nexit 1\n'
    )
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{spy.parent}:/bin")
    url = shop.database.url.replace("postgres@", "postgres:wordsecret@")
    database = Database(url.replace("+psycopg", ""), shop.home)
    from handsel.ops import postgres_copy

    with pytest.raises(postgres_copy.PostgresToolError):
        postgres_copy.dump(database, tmp_path / "dump")

    database.close()
    line, _, password = (tmp_path / "said").read_text().partition(" pw=")
    assert "wordsecret" not in line
    assert password.strip() == "wordsecret"


def test_a_mail_of_before_the_backup_is_not_sent_again(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path, empty_database: str
) -> None:
    with shop.transaction() as session:
        for item in session.scalars(select(OutboxItem)):
            item.state = "sent"  # type: ignore[assignment]  # the word itself
    saved = backup.back_up(shop)

    bring_back(saved.path, tmp_path / "new", empty_database)

    database = Database(empty_database, tmp_path / "new")
    with database.reading() as session:
        states = set(session.scalars(select(OutboxItem.state)))
    database.close()
    assert states == {"sent"}


def test_how_far_back_to_ask_the_providers() -> None:
    made = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert days_back(made, made) == 2
    assert days_back(made, made.replace(day=23)) == 4
    assert days_back(made, made.replace(day=23, hour=13)) == 5


@on_sqlite
def test_a_home_with_a_shop_of_its_own_gets_the_settings_of_the_backup(
    shop: Shop, sold: list[dict[str, str]], tmp_path: Path
) -> None:
    saved = backup.back_up(shop)
    new = tmp_path / "new"
    founding.found(new, Plan(name="Empty", email="", currency="USD"))

    bring_back(saved.path, new, "sqlite:///data/handsel.db", replace=True)

    assert "Ada's Books" in (new / "handsel.toml").read_text()
    assert "Empty" in (new / f"handsel.toml.before-{STAMP}").read_text()


def test_a_mail_to_everyone_does_not_go_on_by_itself_after_a_restore(
    shop: Shop, tmp_path: Path, empty_database: str, clock: Clock
) -> None:
    make.product(shop)
    keeping.buy(shop, 2)
    number = campaigning.create_broadcast(shop, "book", "Hi", "Hello.", Sending())
    campaigning.begin(shop, number)
    made = backup.back_up(shop)
    campaigning.send(shop, number, threading.Event())
    there = tmp_path / "there"

    bring_back(made.path, there, empty_database, keys=made.keys)

    again = opened(there, empty_database, clock)
    facts = campaigning.facts(again, number)
    again.close()
    assert (facts["state"], facts["remaining"]) == ("paused", 2)
    assert facts["pause_reason"] == FROM_BACKUP


class Meanwhile(LocalStorage):
    """A storage in which something happens when its files have just been listed."""

    def __init__(self, root: Path, happens: Callable[[], object]) -> None:
        super().__init__(root)
        self._happens = happens

    def names(self) -> Iterator[str]:
        """Give what there is, and let it happen."""
        found = list(super().names())
        self._happens()
        yield from found


def test_a_product_that_is_deleted_while_a_backup_is_made_is_whole_in_there(
    shop: Shop, clock: Clock, empty_database: str, tmp_path: Path
) -> None:
    make.product(shop)
    make.product(shop, slug="slip", files={"slip.pdf": b"a slip\n" * 50})
    for name in shop.storage.names():
        then = (clock() - timedelta(days=3)).timestamp()
        os.utime(shop.storage.path(name), (then, then))
    busy = replace(
        shop,
        storage=Meanwhile(
            shop.storage.root, lambda: removing.delete_product(shop, "slip")
        ),
    )

    saved = backup.back_up(busy)

    assert (saved.files, saved.damaged) == (2, ())
    back = bring_back(saved.path, tmp_path / "new", empty_database)
    assert all(each.ok for each in back.invariants)
