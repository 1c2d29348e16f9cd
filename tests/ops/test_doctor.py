"""The doctor names each thing that is wrong, and nothing in a shop that is well."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from handsel.kit.money import Money
from handsel.models import Duty, Inbox, Order, OutboxItem
from handsel.models.database import insert_new
from handsel.ops import backup
from handsel.ops.doctor import Finding, Level, books, examine, machine, selling
from handsel.settings import Settings
from handsel.shop import KEYS_FILE, Shop
from tests import make
from tests.ground.shops import Clock
from tests.ops import keeping

PUBLIC = {"HANDSEL_SHOP__URL": "https://books.example.com"}
STRIPE = {
    "HANDSEL_STRIPE__SECRET_KEY": "sk_test_abcdefgh12345678",
    "HANDSEL_STRIPE__WEBHOOK_SECRET": "whsec_abcdefgh12345678",
}
PAYPAL = {
    "HANDSEL_PAYPAL__CLIENT_ID": "A" + "x" * 30,
    "HANDSEL_PAYPAL__SECRET": "E" + "x" * 30,
    "HANDSEL_PAYPAL__WEBHOOK_ID": "5GP028458E2496506",
}
LIVE = STRIPE | {"HANDSEL_STRIPE__SECRET_KEY": "sk_live_" + "x" * 24}


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Patient:
    """A shop with settings of its own, as the doctor sees it."""

    def __init__(self, shop: Shop, clock: Clock, database_url: str) -> None:
        self.shop = shop
        self.clock = clock
        self.environ = {"HANDSEL_DATABASE__URL": database_url}

    def findings(self, **extra: str) -> dict[str, Finding]:
        """Give the findings by id, but for the one about this machine's Python."""
        found = examine(self.shop.home, self.clock(), self.environ | extra)
        return {each.id: each for each in found if each.id != "H003"}


@pytest.fixture
def patient(shop: Shop, clock: Clock, database_url: str) -> Patient:
    """A shop that has nothing."""
    return Patient(shop, clock, database_url)


def test_a_new_shop_has_nothing_wrong_with_it(patient: Patient) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop)

    assert patient.findings() == {}


@on_sqlite
def test_every_problem_in_the_settings_is_a_finding_of_its_own(
    patient: Patient,
) -> None:
    config = patient.shop.home / "handsel.toml"
    config.write_text('[shop]\nnam = "x"\ncurrency = "euro"\n')

    found = examine(patient.shop.home, patient.clock(), {})
    settings = [each for each in found if each.id == "H001"]

    assert len(settings) == 2
    words = " ".join(each.problem for each in settings)
    assert "line 2" in words
    assert "line 3" in words
    assert all(each.level is Level.ERROR for each in settings)


def test_a_folder_without_a_shop_is_a_finding(tmp_path: Path, clock: Clock) -> None:
    (found,) = [e for e in examine(tmp_path, clock(), {}) if e.id != "H003"]

    assert found.level is Level.ERROR
    assert "no shop" in found.problem
    assert "handsel init" in found.hint


@on_sqlite
def test_a_public_shop_without_https_is_refused(patient: Patient) -> None:
    found = patient.findings(HANDSEL_SHOP__URL="http://books.example.com")

    assert "https" in found["H001"].problem


@on_sqlite
def test_missing_and_broken_keys(patient: Patient) -> None:
    path = patient.shop.home / KEYS_FILE
    path.write_text("{}")
    broken = patient.findings()
    path.unlink()
    missing = patient.findings()

    assert str(KEYS_FILE) in broken["H010"].problem
    assert "missing" in missing["H010"].problem
    assert missing["H010"].level is Level.ERROR


@on_sqlite
def test_secrets_that_others_may_read(patient: Patient) -> None:
    (patient.shop.home / KEYS_FILE).chmod(0o640)

    found = patient.findings()["H011"]

    assert str(KEYS_FILE) in found.problem
    assert "chmod 600" in found.hint


@on_sqlite
def test_a_database_that_others_may_read(patient: Patient) -> None:
    file = patient.shop.home / "data" / "handsel.db"
    file.chmod(0o644)
    file.parent.chmod(0o755)

    found = patient.findings()

    assert found["H012"].level is Level.ERROR
    assert "handsel.db" in found["H012"].problem
    assert found["H013"].level is Level.WARNING


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_sqlite_versions_that_lose_records(version: tuple[int, ...], bad: bool) -> None:
    found = list(machine.old_sqlite(version))

    assert [each.id for each in found] == (["H014"] if bad else [])
    assert all(each.level is Level.ERROR for each in found)


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/books /srv/with\\040space nfs4 rw 0 0
share /mnt/host 9p rw 0 0
proc /proc proc rw 0 0
bucket /mnt/host/bucket fuse.s3fs rw 0 0
tmpfs /mnt/host/bucket/quick tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/shop/data", "ext4"),
        ("/srv/with space/shop", "nfs4"),
        ("/mnt/host/shop", "9p"),
        ("/mnt/host/bucket/x", "fuse.s3fs"),
        ("/mnt/host/bucket/quick/x", "tmpfs"),
        ("/mnt/hostess", "ext4"),
    ],
)
def test_which_disk_a_database_is_on(path: str, kind: str) -> None:
    assert machine.mount_of(Path(path), MOUNTS) == kind
    far = kind not in ("ext4", "tmpfs")
    assert [e.id for e in machine.far_away(Path(path), kind)] == ["H015"] * far


@on_sqlite
def test_files_for_sale_among_the_pages_of_the_shop(patient: Patient) -> None:
    static = Path(machine.__file__).parents[2] / "static"

    found = patient.findings(HANDSEL_STORAGE__PATH=str(static))

    assert found["H016"].level is Level.ERROR


@on_sqlite
def test_files_for_sale_where_nothing_can_be_written(patient: Patient) -> None:
    found = patient.findings(HANDSEL_STORAGE__PATH="/proc/files")

    assert found["H017"].level is Level.ERROR


def test_disks_that_fill_up() -> None:
    def little(free: int) -> list[tuple[str, Level]]:
        found = machine.little_room(Path("/data"), free, 10_000_000_000)
        return [(each.id, each.level) for each in found]

    assert little(99_999_999) == [("H018", Level.ERROR)]
    assert little(999_999_999) == [("H019", Level.WARNING)]
    assert little(1_000_000_000) == []


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ((3, 11, 9), 1),
        ((3, 11, 10), 0),
        ((3, 12, 4), 1),
        ((3, 12, 5), 0),
        ((3, 13, 0), 0),
    ],
)
def test_pythons_with_a_flaw_in_mail_headers(
    version: tuple[int, ...], told: int
) -> None:
    found = list(machine.python(version))

    assert [each.level for each in found] == [Level.INFO] * told
    assert len(list(machine.python())) == len(
        list(machine.python(sys.version_info[:3]))
    )


@on_sqlite
def test_a_public_shop_that_cannot_sell(patient: Patient) -> None:
    found = patient.findings(**PUBLIC)

    assert found["H020"].level is Level.ERROR
    assert found["H025"].level is Level.INFO
    assert found["H030"].level is Level.WARNING
    assert found["H037"].level is Level.WARNING
    assert "H031" not in found


@on_sqlite
def test_a_public_shop_that_takes_test_money(patient: Patient) -> None:
    found = patient.findings(**PUBLIC, HANDSEL_PAYMENTS__ENABLED="test")

    assert found["H021"].level is Level.WARNING
    assert "books.example.com" in found["H021"].problem
    assert "H020" not in found


@on_sqlite
def test_stripe_with_a_test_key_and_with_a_live_one(patient: Patient) -> None:
    assert patient.findings(**PUBLIC, **STRIPE)["H022"].level is Level.WARNING
    assert "H022" not in patient.findings(**PUBLIC, **LIVE)


@on_sqlite
def test_paypal_with_its_sandbox_and_live(patient: Patient) -> None:
    sandbox = {"HANDSEL_PAYPAL__SANDBOX": "true"}
    found = patient.findings(**PUBLIC, **PAYPAL, **sandbox)["H022"]
    assert "paypal.sandbox = false" in found.hint
    assert "H022" not in patient.findings(**PUBLIC, **PAYPAL)


@on_sqlite
def test_a_shop_whose_buyers_leave_it_to_pay_though_nobody_wants_that(
    patient: Patient,
) -> None:
    key = {"HANDSEL_STRIPE__PUBLISHABLE_KEY": "pk_test_abcdefgh12345678"}
    hosted = {"HANDSEL_STRIPE__PAGE": "hosted"}
    assert patient.findings(**PUBLIC, **STRIPE)["H070"].level is Level.INFO
    assert "H070" not in patient.findings(**PUBLIC, **STRIPE, **key)
    assert "H070" not in patient.findings(**PUBLIC, **STRIPE, **hosted)
    assert "H070" not in patient.findings(**PUBLIC)


def _settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate(sections)


def test_mail_settings_that_are_a_mistake() -> None:
    found = selling.settings_of(
        _settings(
            shop={"email": ""},
            mail={"transport": "smtp", "host": "mx.example.com", "security": "none"},
        )
    )

    assert [each.id for each in found] == ["H031", "H032"]


def test_an_unprotected_mail_server_on_this_machine_is_no_mistake() -> None:
    near: dict[str, object] = {
        "transport": "smtp",
        "host": "127.0.0.1",
        "security": "none",
    }

    found = selling.settings_of(_settings(shop={"email": "a@example.com"}, mail=near))

    assert list(found) == []


@on_sqlite
def test_a_database_that_is_not_there(patient: Patient, tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "handsel.db"

    found = patient.findings(HANDSEL_DATABASE__URL=f"sqlite:///{gone}")

    assert found["H040"].level is Level.ERROR
    assert not gone.parent.exists(), "the doctor made something"


@on_sqlite
def test_a_database_that_is_none(patient: Patient, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(b"this is no database" * 1000)
    wrong.chmod(0o600)

    found = patient.findings(HANDSEL_DATABASE__URL=f"sqlite:///{wrong}")

    assert "not a database" in found["H041"].problem


@on_sqlite
def test_a_database_server_that_does_not_answer(
    patient: Patient, tmp_path: Path
) -> None:
    nowhere = f"postgresql://ada:secret-word@/shop?host={tmp_path}"

    found = patient.findings(HANDSEL_DATABASE__URL=nowhere)

    assert found["H041"].level is Level.ERROR
    assert "secret-word" not in found["H041"].problem


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE alembic_version SET version_num = 'later'", "newer"),
        ("DELETE FROM alembic_version", "empty"),
    ],
)
def test_a_schema_of_another_version(
    patient: Patient, statement: str, words: str
) -> None:
    with patient.shop.database.engine.begin() as connection:
        connection.execute(text(statement))

    found = patient.findings()["H042"]

    assert words in found.problem
    assert found.level is Level.ERROR


def _sell_by_stripe(
    patient: Patient, number: int, *, ago: timedelta, provider: str = "stripe"
) -> None:
    with patient.shop.transaction() as session:
        session.execute(
            update(Order)
            .where(Order.id == number)
            .values(provider=provider, paid_at=patient.clock() - ago)
        )


def _hear_web_hook(patient: Patient, *, ago: timedelta) -> None:
    with patient.shop.transaction() as session:
        insert_new(
            session,
            Inbox,
            provider="stripe",
            event_id=f"evt_{ago}",
            kind="checkout.session.completed",
            raw="{}",
            received_at=patient.clock() - ago,
        )


def test_a_web_hook_that_has_fallen_silent(patient: Patient) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop, 2)
    _sell_by_stripe(patient, 1, ago=timedelta(days=3))
    _sell_by_stripe(patient, 2, ago=timedelta(days=1))

    never = patient.findings(**STRIPE)["H024"]
    _hear_web_hook(patient, ago=timedelta(days=3))
    since = patient.findings(**STRIPE)["H024"]
    _hear_web_hook(patient, ago=timedelta(hours=24))
    well = patient.findings(**STRIPE)

    assert never.level is Level.WARNING
    assert "never" in never.problem
    assert "2 orders" in never.problem
    assert "1 orders" in since.problem
    assert "H024" not in well


def test_a_web_hook_of_paypals_that_was_never_heard_of(patient: Patient) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop, 2)
    _sell_by_stripe(patient, 1, ago=timedelta(days=1))
    _sell_by_stripe(patient, 2, ago=timedelta(days=1), provider="paypal")
    _hear_web_hook(patient, ago=timedelta(hours=24))

    found = patient.findings(**STRIPE, **PAYPAL)["H024"]

    assert "PayPal's web hook" in found.problem
    assert "1 orders" in found.problem
    assert "/webhooks/paypal" in found.hint


def test_a_web_hook_has_an_hour_and_old_silence_is_forgotten(patient: Patient) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop, 2)
    _sell_by_stripe(patient, 1, ago=timedelta(minutes=50))
    _sell_by_stripe(patient, 2, ago=timedelta(days=8))

    assert "H024" not in patient.findings(**STRIPE)


def test_a_price_that_stripe_does_not_charge(patient: Patient) -> None:
    make.product(patient.shop, slug="cheap", price=Money(49, "EUR"))
    make.product(patient.shop, slug="draft", price=Money(49, "EUR"), published=False)
    make.product(patient.shop, slug="free", price=Money(0, "EUR"))
    make.product(patient.shop, slug="right", price=Money(50, "EUR"))

    found = examine(patient.shop.home, patient.clock(), patient.environ | STRIPE)
    prices = [each for each in found if each.id == "H023"]

    assert len(prices) == 1
    assert "cheap" in prices[0].problem
    assert "0.50" in prices[0].problem


def test_orders_that_wait_for_the_seller(patient: Patient) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop)
    with patient.shop.transaction() as session:
        session.execute(
            update(Order).values(status="needs_review", review_reason="odd")
        )

    assert "1 orders" in patient.findings()["H026"].problem


def _mail_is(patient: Patient, **values: object) -> None:
    make.product(patient.shop)
    keeping.buy(patient.shop)
    with patient.shop.transaction() as session:
        session.execute(update(OutboxItem).values(**values))


def test_mails_that_were_given_up(patient: Patient) -> None:
    _mail_is(patient, state="dead")

    found = patient.findings()["H033"]

    assert found.level is Level.ERROR
    assert "A mail could not be sent" in found.problem
    assert "mail list" in found.hint


def test_mails_that_nobody_sends(patient: Patient) -> None:
    _mail_is(patient, tries=1)
    patient.clock.move(minutes=9)
    soon = patient.findings()
    patient.clock.move(minutes=2)

    assert soon == {}
    assert patient.findings()["H034"].level is Level.WARNING


def test_a_mail_that_waits_for_its_next_try_is_no_finding(patient: Patient) -> None:
    _mail_is(patient, next_at=patient.clock() + timedelta(hours=10))
    patient.clock.move(hours=9)

    assert patient.findings() == {}


def test_a_lease_that_was_left(patient: Patient) -> None:
    _mail_is(patient, state="sending", lease_until=patient.clock())
    patient.clock.move(minutes=11)

    assert "1 mails" in patient.findings()["H035"].problem


def test_a_worker_that_stopped(patient: Patient) -> None:
    with patient.shop.transaction() as session:
        for name, minutes in (("tidy", 30), ("reconcile", 9)):
            last = patient.clock() - timedelta(minutes=minutes)
            insert_new(session, Duty, name=name, next_at=last, last_at=last)
    assert patient.findings() == {}

    patient.clock.move(minutes=2)

    assert patient.findings()["H036"].level is Level.WARNING


def test_a_public_shop_needs_a_backup_every_two_days(
    patient: Patient, pg_programs: None
) -> None:
    on_the_air = PUBLIC | LIVE
    backup.back_up(patient.shop)
    assert "H037" not in patient.findings(**on_the_air)

    patient.clock.move(hours=49)

    found = patient.findings(**on_the_air)
    assert found["H037"].level is Level.WARNING
    assert "H036" not in found, "a backup is no work of the worker's"
    assert "H037" not in patient.findings()


@on_sqlite
def test_the_worst_comes_first(patient: Patient) -> None:
    found = examine(patient.shop.home, patient.clock(), patient.environ | PUBLIC)

    levels = [list(Level).index(each.level) for each in found]
    assert levels == sorted(levels)
    assert all(each.problem.endswith((".", "?")) for each in found)


def test_every_finding_has_an_id_of_its_own() -> None:
    folder = Path(books.__file__).parent
    words = " ".join(path.read_text() for path in folder.glob("*.py"))
    ids = [word.strip('",') for word in words.split() if word.startswith('"H0')]

    twice = {each for each in ids if ids.count(each) > 1}
    assert twice == set()


def test_a_price_that_paypal_does_not_charge(patient: Patient) -> None:
    make.product(patient.shop, slug="krona", price=Money(500, "ISK"))
    make.product(patient.shop, slug="right", price=Money(500, "EUR"))

    found = examine(patient.shop.home, patient.clock(), patient.environ | PAYPAL)
    (price,) = [each for each in found if each.id == "H023"]

    assert "krona: PayPal does not take ISK" in price.problem
