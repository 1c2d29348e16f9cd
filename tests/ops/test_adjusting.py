"""Changing settings from afar: whole and right, or not at all."""

import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from handsel.customers.staff import audit
from handsel.kit.errors import BadInputError
from handsel.models import AuditEntry
from handsel.ops import adjusting
from handsel.ops.adjusting import (
    CannotWriteError,
    ChangedMeanwhileError,
    WrongSettingsError,
)
from handsel.ops.desk import options
from handsel.settings import CONFIG_FILE, load_settings
from handsel.shop import Shop

STRIPE = {
    "stripe.secret_key": "rk_test_1234567890abcdef",
    "stripe.webhook_secret": "whsec_1234567890abcdef",
}
sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ask(
    shop: Shop,
    typed: dict[str, str],
    *,
    seen: str | None = None,
    note: Callable[[Session], None] | None = None,
    missed: Callable[[Session], None] = lambda _: None,
) -> None:
    """Change settings as a form does."""
    book = options.read(shop.home)
    found = [(book.option(name), value) for name, value in typed.items()]
    changes = [options.change(each, value) for each, value in found if each]
    note = note or noted(shop)
    adjusting.adjust(shop, seen or book.mark, changes, note, missed)


def noted(shop: Shop) -> Callable[[Session], None]:
    """Write something into the log, as the desk does."""
    return lambda session: audit.write(
        session, "ada@example.com", "settings.changed", "it", shop.now()
    )


def entries(shop: Shop) -> int:
    """Count what the log has of it."""
    with shop.reading() as session:
        wanted = select(AuditEntry).where(AuditEntry.action == "settings.changed")
        return len(session.scalars(wanted).all())


def state(home: Path) -> dict[str, bytes]:
    """Give every file that settings are in, so that it can be compared."""
    files = [home / CONFIG_FILE, *(home / "secrets").iterdir()]
    drafts = [
        each for each in home.iterdir() if each.name.startswith(f".{CONFIG_FILE}")
    ]
    return {str(path): path.read_bytes() for path in files + drafts}


@pytest.fixture
def untouched(shop: Shop) -> Iterator[None]:
    """Nothing that is asked for in this test leaves a trace."""
    before = state(shop.home)
    yield
    assert state(shop.home) == before
    assert entries(shop) == 0


def test_what_is_asked_for_stands_in_the_file_and_counts(shop: Shop) -> None:
    ask(
        shop,
        {
            "shop.name": "دار الكتب “A”",
            "shop.address": "Street 1\nTown",
            "mail.port": "465",
            "tax.one_stop_shop": "false",
            "embed.origins": "https://example.com\nhttps://www.example.com, ",
        },
    )
    found = load_settings(shop.home)
    assert (found.shop.name, found.shop.address) == ("دار الكتب “A”", "Street 1\nTown")
    assert (found.mail.port, found.tax.one_stop_shop) == (465, False)
    assert found.embed.origins == ["https://example.com", "https://www.example.com"]
    assert entries(shop) == 1
    ask(shop, {"mail.port": "587", "embed.origins": "", "tax.one_stop_shop": "true"})
    assert "\n# port = 587\n" in (shop.home / CONFIG_FILE).read_text()
    assert load_settings(shop.home).mail.port == 587
    assert load_settings(shop.home).embed.origins == []


@sqlite_alone
def test_secrets_lie_in_files_of_their_own_and_old_ones_are_gone(shop: Shop) -> None:
    ask(shop, STRIPE)
    text = (shop.home / CONFIG_FILE).read_text()
    assert "rk_test" not in text
    assert 'secret_key_file = "secrets/stripe.secret_key-' in text
    first = {each.name for each in (shop.home / "secrets").iterdir()}
    for path in (shop.home / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert load_settings(shop.home).providers == ["stripe"]

    ask(shop, {"stripe.secret_key": "rk_test_another567890abcd"})
    second = {each.name for each in (shop.home / "secrets").iterdir()}
    assert len(first) == len(second) == 3
    assert len(first & second) == 2
    key = load_settings(shop.home).stripe.secret_key
    assert key
    assert key.get_secret_value() == "rk_test_another567890abcd"

    ask(shop, dict.fromkeys(STRIPE, ""))
    assert [each.name for each in (shop.home / "secrets").iterdir()] == ["keys.json"]
    assert load_settings(shop.home).stripe.secret_key is None


@sqlite_alone
def test_a_file_of_a_secret_that_somebody_else_made_is_never_touched(
    shop: Shop,
) -> None:
    own = shop.home / "secrets" / "smtp"
    own.write_text("my own words")
    path = shop.home / CONFIG_FILE
    path.write_text(
        path.read_text().replace('# password = ""', 'password_file = "secrets/smtp"')
    )
    ask(shop, {"mail.password": "another"})
    assert own.read_text() == "my own words"
    kept = load_settings(shop.home).mail.password
    assert kept
    assert kept.get_secret_value() == "another"


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ({"shop.currency": "euro"}, "shop.currency", "It should look like 'EUR'"),
        ({"shop.currency": "XXQ"}, "shop.currency", "no currency"),
        ({"shop.url": "http://shop.example.com"}, "shop.url", "needs https"),
        ({"shop.name": "A" * 81}, "shop.name", "at most 80"),
        ({"mail.port": "many"}, "mail.port", "a whole number"),
        ({"mail.port": "70000"}, "mail.port", "less than or equal to 65535"),
        ({"mail.transport": "smtp"}, "mail.host", "needs the mail server's name"),
        ({"mail.transport": "pigeon"}, "mail.transport", "nothing called 'pigeon'"),
        ({"payments.enabled": "cash"}, "payments.enabled", "nothing called 'cash'"),
        ({"stripe.secret_key": "sk_live_" + "a" * 20}, "stripe.webhook_secret", "at least 20"),
        ({**STRIPE, "stripe.secret_key": "secret"}, "stripe.secret_key", "begin with"),
        ({"analytics.country_database": "no.mmdb"}, "analytics.country_database", "cannot be read"),
        ({"tax.mode": "flat"}, "tax.rate", "needs the rate"),
        ({"tax.one_stop_shop": "perhaps"}, "tax.one_stop_shop", "true or false"),
        ({"embed.origins": "ftp://x"}, "embed.origins", "should look like"),
    ],
)  # fmt: skip
@sqlite_alone
def test_what_is_wrong_is_said_at_its_setting(
    shop: Shop, typed: dict[str, str], name: str, words: str
) -> None:
    with pytest.raises(WrongSettingsError) as refused:
        ask(shop, typed)
    assert words in refused.value.problems[name]
    assert "handsel.toml" not in refused.value.problems[name]
    assert "aaaa" not in str(refused.value.problems)


@pytest.mark.usefixtures("untouched")
@sqlite_alone
@pytest.mark.parametrize("name", ["shop.name", "mail.host", "mail.password"])
@pytest.mark.parametrize("word", ["a\nb", "a\x00b", "a\u2028b", "a\x1b"])
def test_what_nobody_can_see_is_refused(shop: Shop, name: str, word: str) -> None:
    with pytest.raises(BadInputError) as refused:
        ask(shop, {name: word})
    assert refused.value.field == name


@sqlite_alone
def test_what_joins_letters_is_part_of_a_name_and_of_no_key(shop: Shop) -> None:
    ask(shop, {"shop.name": "می\u200cخواهم 👩\u200d💻"})
    assert load_settings(shop.home).shop.name == "می\u200cخواهم 👩\u200d💻"
    with pytest.raises(BadInputError):
        ask(shop, {"mail.password": "copied\u200b"})


@sqlite_alone
def test_nothing_breaks_out_into_another_setting(shop: Shop) -> None:
    evil = 'a"\n[stripe]\nsecret_key = "sk_live_aaaaaaaaaaaaaaaaaaaaaaaa'
    ask(shop, {"shop.address": evil})
    found = load_settings(shop.home)
    assert found.shop.address == evil
    assert found.stripe.secret_key is None


@pytest.mark.usefixtures("untouched")
def test_who_looked_before_it_changed_is_told(shop: Shop) -> None:
    path = shop.home / CONFIG_FILE
    seen = options.read(shop.home).mark
    right = path.read_text()
    path.write_text(right + "# by hand\n")
    with pytest.raises(ChangedMeanwhileError):
        ask(shop, {"shop.name": "B"}, seen=seen)
    path.write_text(right)


def test_of_many_at_once_one_wins_and_the_others_are_told(shop: Shop) -> None:
    seen = options.read(shop.home).mark
    told: list[str] = []

    def one(number: int) -> None:
        try:
            ask(shop, {"shop.name": f"Shop {number}", **STRIPE}, seen=seen)
            told.append(f"Shop {number}")
        except ChangedMeanwhileError:
            told.append("")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(told)[:5] == [""] * 5
    assert load_settings(shop.home).shop.name == max(told)
    assert entries(shop) == 1
    assert len(list((shop.home / "secrets").iterdir())) == 3


@sqlite_alone
def test_a_file_that_is_a_link_stays_one(shop: Shop, tmp_path: Path) -> None:
    path = shop.home / CONFIG_FILE
    real = tmp_path / "kept.toml"
    real.write_text(path.read_text())
    real.chmod(0o640)
    path.unlink()
    path.symlink_to(real)
    ask(shop, {"shop.name": "B"})
    assert path.is_symlink()
    assert 'name = "B"' in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir() if "toml" in each.name] == [
        "kept.toml"
    ]


@pytest.mark.usefixtures("untouched")
@sqlite_alone
def test_a_file_that_is_write_protected_is_respected(shop: Shop) -> None:
    path = shop.home / CONFIG_FILE
    path.chmod(0o444)
    with pytest.raises(CannotWriteError, match="write-protected"):
        ask(shop, {"shop.name": "B", **STRIPE})
    path.chmod(0o600)


@pytest.mark.usefixtures("untouched")
@sqlite_alone
@pytest.mark.parametrize("room", [0, 10, 1000])
def test_a_disk_that_takes_no_more_leaves_nothing_half(shop: Shop, room: int) -> None:
    typed = {"shop.name": "B", **STRIPE}
    with (
        little_room(room),
        pytest.raises(CannotWriteError, match="Nothing was changed"),
    ):
        ask(shop, typed)


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Let no file of this process grow longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("untouched")
@sqlite_alone
def test_a_log_that_cannot_be_written_stops_it(shop: Shop) -> None:
    def fail(_session: Session) -> None:
        raise OSError("no")

    with pytest.raises(CannotWriteError):
        ask(shop, {"shop.name": "B"}, note=fail)


@sqlite_alone
@pytest.mark.usefixtures("untouched")
def test_what_the_log_did_not_take_is_not_changed(shop: Shop) -> None:
    def breaks(session: Session) -> None:
        noted(shop)(session)
        event.listen(session, "before_commit", _no_commit)

    with pytest.raises(RuntimeError):
        ask(shop, {"mail.port": "465"}, note=breaks)


def _no_commit(_: Session) -> None:
    raise RuntimeError("the database went away")


@sqlite_alone
def test_what_the_log_took_and_the_disk_did_not_is_said_there(shop: Shop) -> None:
    before = state(shop.home)
    missed: list[Session] = []

    def takes_the_draft(session: Session) -> None:
        noted(shop)(session)
        for draft in shop.home.glob(f".{CONFIG_FILE}-*"):
            draft.unlink()

    with pytest.raises(CannotWriteError, match="Nothing was changed"):
        ask(shop, {"mail.port": "465"}, note=takes_the_draft, missed=missed.append)
    assert state(shop.home) == before
    assert (entries(shop), len(missed)) == (1, 1)


def test_a_file_written_in_a_way_of_its_own_is_left_alone(shop: Shop) -> None:
    path = shop.home / CONFIG_FILE
    path.write_text('shop = {name = "A"}\n')
    with pytest.raises(CannotWriteError, match="in a way"):
        ask(shop, {"shop.name": "B"})
    assert path.read_text() == 'shop = {name = "A"}\n'


@sqlite_alone
def test_every_setting_is_there_with_where_it_comes_from(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(shop, STRIPE)
    monkeypatch.setenv("HANDSEL_SHOP__EMAIL", "env@example.com")
    monkeypatch.setenv("HANDSEL_DATABASE__URL", "postgresql://ada:geheim@db/shop")
    book = options.read(shop.home)

    email, name = book.option("shop.email"), book.option("shop.name")
    key, url = book.option("stripe.secret_key"), book.option("database.url")
    port, bind = book.option("mail.port"), book.option("server.bind")
    assert email and name and key and url and port and bind  # noqa: PT018
    assert (email.source, email.value) == ("environment", "env@example.com")
    assert "HANDSEL_SHOP__EMAIL" in email.fixed
    assert name.source == "file"
    line = int(name.place.rpartition(" ")[2])
    text = (shop.home / CONFIG_FILE).read_text().splitlines()
    assert text[line - 1].startswith("name = ")
    assert (key.source, key.value, key.tail) == ("secret file", "", "cdef")
    assert url.value == "postgresql://ada:…@db/shop"
    assert (port.source, port.value) == ("default", "587")
    assert bind.fixed


@sqlite_alone
def test_short_secrets_show_nothing_of_themselves(shop: Shop) -> None:
    ask(shop, {"mail.password": "hunter2"})
    option = options.read(shop.home).option("mail.password")
    assert option
    assert (option.given, option.tail) == (True, "")


@sqlite_alone
def test_a_broken_file_is_still_read_as_far_as_it_goes(shop: Shop) -> None:
    path = shop.home / CONFIG_FILE
    path.write_text('[shop]\nname = 7\nurl = "x"\n')
    book = options.read(shop.home)
    assert book.legible
    assert len(book.problems) == 2
    with pytest.raises(WrongSettingsError) as refused:
        ask(shop, {"shop.name": "Mended"})
    assert set(refused.value.problems) == {"shop.url"}
    ask(shop, {"shop.name": "Mended", "shop.url": "http://127.0.0.1:8000"})
    assert load_settings(shop.home).shop.name == "Mended"

    path.write_text("[shop\n")
    assert not options.read(shop.home).legible
    path.write_bytes(b"\xff")
    assert "UTF-8" in options.read(shop.home).problems[0]
    os.unlink(path)
    assert "no handsel.toml" in options.read(shop.home).problems[0]


@sqlite_alone
def test_the_environment_wins_in_whichever_way_the_file_says_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(shop, {"mail.password": "of the file"})
    monkeypatch.setenv("HANDSEL_MAIL__PASSWORD", "of the environment")
    kept = load_settings(shop.home).mail.password
    assert kept
    assert kept.get_secret_value() == "of the environment"
