"""A seller in a hurry: wrong files, wrong words, and what the machine refuses."""

import json
import os
from pathlib import Path

import pytest

from handsel.kit.money import format_money
from handsel.sales import catalogue, prices
from handsel.shop import Shop
from tests import make
from tests.cli.test_keep import fresh, on_sqlite, real, run

KEYS = """[stripe]
secret_key = "sk_test_abcdefgh12345678"
webhook_secret = "whsec_abcdefgh12345678"
"""


@on_sqlite
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.pdf"], "There is no file none.pdf"),
        (["x" * 300], "File name too long"),
        (["/dev/zero"], "is no file"),
        (["handsel.toml", "--name", ""], "1 to 200 letters"),
        (["handsel.toml", "--slug", ""], "The short name of a product"),
        (["handsel.toml", "--version", "x" * 41], "A version has 1 to 40 letters"),
    ],
)
def test_what_cannot_be_sold_is_refused_in_a_sentence(
    shop: Shop, words: list[str], said: str
) -> None:
    if words[0] == "handsel.toml":
        words[0] = str(shop.home / words[0])

    done = real(shop.home, "product", "add", *words, "--price", "3")

    assert done.returncode == 2
    assert said in done.stderr
    with shop.reading() as session:
        assert not catalogue.all_products(session, drafts=True)


def test_a_name_keeps_only_what_can_be_seen(shop: Shop, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff\x1b[31m.pdf")
    odd.write_bytes(b"a book")

    done = real(shop.home, "product", "add", str(odd), "--price", "3")

    assert done.returncode == 0, done.stderr
    with shop.reading() as session:
        product = catalogue.get(session, "odd-31m")
        assert product.name == "Odd[31m"


@on_sqlite
def test_a_name_made_from_a_file_is_spelled_as_the_file(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "ada's_PDF-guide.pdf"
    file.write_bytes(b"a book")

    done = real(shop.home, "product", "add", str(file), "--price", "3")

    assert done.stdout.startswith("Ada's PDF Guide is on sale")


def test_a_description_may_be_emptied(shop: Shop, tmp_path: Path) -> None:
    make.product(shop)
    (tmp_path / "nothing.md").touch()

    run(shop, "product", "edit", "book", "--description", str(tmp_path / "nothing.md"))

    with shop.reading() as session:
        assert catalogue.get(session, "book").description == ""


def test_a_number_that_no_order_can_have(shop: Shop) -> None:
    assert real(shop.home, "order", "show", "9" * 30).returncode == 3


def test_a_search_that_finds_nothing_does_not_say_that_nobody_bought(
    shop: Shop,
) -> None:
    assert run(shop, "order", "list").stdout == "No orders yet.\n"
    assert run(shop, "order", "list", "--since", "7d").stdout == "No order fits.\n"


def test_an_order_is_shown_in_words(shop: Shop) -> None:
    product = make.product(shop)
    run(shop, "simulate", "book", "--email", "reader@example.com")

    shown = run(shop, "order", "show", "1001").stdout

    price = format_money(prices.every(product)[0].usual, "en")
    assert ["amount", price] in [line.split() for line in shown.splitlines()]
    assert "None" not in shown


@on_sqlite
def test_a_damaged_database_is_named_and_not_a_stack(shop: Shop) -> None:
    (shop.home / "data" / "handsel.db").write_bytes(b"rubbish" * 100)

    for words in (("product", "list"), ("upgrade",), ("run",), ("backup",)):
        done = real(shop.home, *words)

        assert done.returncode == 4, done.stderr
        assert "The shop's database cannot be used" in done.stderr


@on_sqlite
def test_looking_does_not_make_a_database_that_is_gone(shop: Shop) -> None:
    file = shop.home / "data" / "handsel.db"
    shop.close()
    file.unlink()

    done = real(shop.home, "product", "list")

    assert done.returncode == 4
    assert f"{file} is missing" in done.stderr
    assert not file.exists()
    assert real(shop.home, "upgrade").returncode == 0
    assert file.stat().st_mode & 0o077 == 0


def test_what_the_system_refuses_is_a_sentence(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = real(tmp_path / "file" / "shop", "init")

    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert "nobody foresaw" not in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--currency", "XX", "it should look like 'EUR'"),
        ("--url", "shop", "it should look like 'https://shop.example.com'"),
        ("--email", "nobody", "it should look like 'books@example.com'"),
        ("--name", "two\nlines", "it should look like"),
    ],
)
def test_a_shop_with_a_wrong_setting_is_not_begun(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    done = real(tmp_path / "new", "init", "--no-input", option, value)

    assert done.returncode == 4
    assert said in done.stderr
    assert "line" not in done.stderr.partition(":")[0]
    assert not (tmp_path / "new").exists()


@on_sqlite
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mail]\ntransport = "pigeon"', "mail.transport: there is nothing called"),
        ('[payments]\nenabled = ["tst"]', "payments.enabled: there is nothing called"),
        ("[shop]\nname = 3", "shop.name: it should be text, in quotes; it is 3"),
        ("shop = 3", "it should be a section: write [shop]"),
        ("[server]\nthreads = 'x'", "server.threads: it should be a whole number"),
        ("[server]\naccel = 'x'", "server.accel: it should be true or false"),
        ("[shop]\nname = ''", "shop.name: it should have at least 1 character"),
        ('[mail]\npassword_file = "none"', "none cannot be read: No such file"),
        (KEYS + 'page = "own"', "stripe.publishable_key: paying on your own page"),
        (KEYS + 'page = "mine"', "stripe.page: it should be 'own' or 'hosted'"),
        (KEYS + 'publishable_key = "pk_live_1"', "it should begin with pk_test_"),
        (KEYS + 'publishable_key = "sk_test_1"', "should look like 'pk_live_51Abc'"),
    ],
)
def test_a_wrong_setting_is_explained_without_patterns(
    shop: Shop, text: str, said: str
) -> None:
    (shop.home / "handsel.toml").write_text(text)

    done = real(shop.home, "config", "check")

    assert done.returncode == 4
    assert said in done.stdout


def test_a_check_where_no_shop_is_says_how_to_make_one(tmp_path: Path) -> None:
    done = real(tmp_path, "config", "check")

    assert done.returncode == 4
    assert "handsel init" in done.stderr


@on_sqlite
def test_rubbish_is_no_backup_in_one_line(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"rubbish")

    done = real(shop.home, "restore", str(tmp_path / "x.tar.gz"), "--yes")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2


@on_sqlite
def test_a_database_that_fails_in_the_middle_of_a_command_is_named(shop: Shop) -> None:
    make.product(shop)
    shop.close()
    with (shop.home / "data" / "handsel.db").open("r+b") as file:
        file.seek(18)  # "may be written by" in SQLite's header
        file.write(b"\x03")

    looked = real(shop.home, "product", "show", "book")
    done = real(shop.home, "product", "unpublish", "book")

    assert looked.returncode == 0, looked.stderr
    assert done.returncode == 4
    assert "The shop's database cannot be used: attempt to write" in done.stderr


def test_a_database_url_with_an_odd_port_is_explained(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDSEL_DATABASE__URL", "postgresql://ada@host:port/shop")

    done = real(shop.home, "product", "list")

    assert done.returncode == 4
    assert "database.url cannot be understood" in done.stderr


@on_sqlite
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HANDSEL_SHOP__NAME", "", "shop.name: it should have at least 1"),
        ("HANDSEL_SERVER__PORT", "1", "there is no setting called server.port"),
        ("HANDSEL_NOPE__X", "1", "there is no setting called nope"),
        ("HANDSEL_ENV", "x", "env: it should be 'production' or 'test'"),
    ],
)
def test_a_wrong_setting_of_the_environment_is_not_looked_for_in_the_file(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)

    (problem,) = real(shop.home, "config", "check").stdout.splitlines()

    section = variable.removesuffix("__X")
    assert problem.startswith(f"{section} in the environment: {said}")


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CLIENT_ID": "x"}, "paypal.client_id: payments by PayPal need it"),
        ({"SECRET": "x"}, "paypal.secret: payments by PayPal need it"),
        ({"WEBHOOK_ID": ""}, "paypal.webhook_id: payments by PayPal need it"),
        ({"WEBHOOK_ID": "5GP0 28"}, "paypal.webhook_id: it should look like"),
        ({"SANDBOX": "perhaps"}, "paypal.sandbox: it should be true or false"),
        ({"API_BASE": "http://127.0.0.1:1"}, "paypal.api_base: only accepted with"),
        ({}, ""),
    ],
    ids=str,
)
def test_paypals_settings_are_looked_at(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    good = {"CLIENT_ID": "A" * 30, "SECRET": "E" * 30, "WEBHOOK_ID": "5GP028458E24"}
    for name, value in (good | changes).items():
        monkeypatch.setenv(f"HANDSEL_PAYPAL__{name}", value)

    done = real(shop.home, "config", "check")

    assert said in done.stdout
    assert done.returncode == (4 if said else 0), done.stdout


@on_sqlite
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["product", "show", "none"], 3, "There is no product called none."),
        (["order", "list", "--since", "x"], 2, "'x' is no time."),
        (["product", "nonsense"], 2, "No such command 'nonsense'."),
        (["product", "add", "x"], 2, "Missing option '--price'."),
        (["run", "--bind", "x"], 4, "'x' is no address to listen on."),
    ],
)
def test_a_program_that_wants_json_gets_its_errors_so(
    shop: Shop, words: list[str], code: int, said: str
) -> None:
    done = real(shop.home, *words, "--json")

    assert done.returncode == code
    assert json.loads(done.stdout)["error"] == said
    assert "Error" not in done.stderr


@on_sqlite
def test_a_word_that_is_no_text_is_refused(shop: Shop) -> None:
    done = fresh(shop.home, "product", "show", os.fsdecode(b"a\xff"))

    assert done.returncode == 2
    assert "no text in UTF-8" in done.stderr


@on_sqlite
def test_a_terminal_without_the_letters_does_not_make_a_failure(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "book.txt").write_text("a book")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")

    done = fresh(
        shop.home, "product", "add", str(tmp_path / "book.txt"), "--price", "3",
        "--name", "كتاب",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "is on sale" in done.stdout
