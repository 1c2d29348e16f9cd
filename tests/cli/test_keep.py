"""Keeping a shop from the command line: answers for people, for programs, exit codes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from handsel.cli import handsel
from handsel.ops.backup import back_up
from handsel.shop import Shop
from tests import make
from tests.ground import ready
from tests.ops import keeping

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def run(shop: Shop, *words: str) -> Result:
    """Run a command of the shop, in this process."""
    return CliRunner().invoke(handsel, [*words, "--home", str(shop.home)])


def facts(shop: Shop, *words: str, code: int = 0) -> object:
    """Run a command with --json and give its answer."""
    done = run(shop, *words, "--json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def real(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the real program."""
    return ready.call(*words, "--home", str(home))


def fresh(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the real program from Python's start on, which takes a second."""
    return subprocess.run(
        [sys.executable, "-m", "handsel", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """A shop that has sold two books."""
    make.product(shop)
    keeping.buy(shop, 2)
    return shop


def test_verify_says_that_all_is_well_and_then_what_is_not(sold: Shop) -> None:
    well = facts(sold, "verify")
    (name,) = sold.storage.names()
    sold.storage.path(name).write_bytes(b"")

    bad = facts(sold, "verify", code=1)
    shown = run(sold, "verify", "--quick")

    assert isinstance(well, dict)
    assert well["ok"] is True
    assert {"id", "ok", "detail"} == set(well["invariants"][0])
    assert isinstance(bad, dict)
    assert bad["ok"] is False
    assert [each["id"] for each in bad["invariants"] if not each["ok"]] == ["I11"]
    assert shown.exit_code == 1
    assert "NOT SO" in shown.stdout


def test_doctor_answers_and_fails_only_for_errors(sold: Shop) -> None:
    well = run(sold, "doctor")
    (sold.home / "secrets" / "keys.json").chmod(0o644)

    found = facts(sold, "doctor", code=1)

    assert well.exit_code == 0
    assert isinstance(found, dict)
    first = found["findings"][0]
    assert set(first) == {"id", "level", "problem", "hint"}
    assert (first["id"], first["level"]) == ("H011", "error")


@on_sqlite
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[shop]\ncurrency = "XYZ"\n', "shop.currency: XYZ is no currency"),
        ('[shop]\nlocale = "xx"\n', "shop.locale: xx is no language"),
        ('[mail]\nfrom = "the shop"\n', "mail.from: 'the shop' is no address"),
        ("database = 1\n", "database: it should be a section"),
    ],
)
def test_config_check_knows_what_cannot_be(shop: Shop, config: str, said: str) -> None:
    (shop.home / "handsel.toml").write_text(config)

    found = facts(shop, "config", "check", code=4)

    assert said in str(found).replace("\\'", "'")


@pytest.mark.parametrize("what", [("order", "show"), ("mail", "retry")])
def test_a_number_no_database_can_hold_is_not_there(
    shop: Shop, what: tuple[str, str]
) -> None:
    assert real(shop.home, *what, "9" * 30).returncode in (2, 3)


def test_config_check_names_every_problem_with_its_line(shop: Shop) -> None:
    assert facts(shop, "config", "check") == {"ok": True, "problems": []}
    config = shop.home / "handsel.toml"
    config.write_text('[shop]\nname = ""\n[server]\nthreads = "many"\nport = 1\n')

    found = facts(shop, "config", "check", code=4)
    shown = run(shop, "config", "check")

    assert isinstance(found, dict)
    assert len(found["problems"]) == 3
    for line in (2, 4, 5):
        assert f"line {line}:" in shown.stdout


def test_reconcile_finds_a_payment_nobody_told_us_of(sold: Shop) -> None:
    with sold.transaction() as session:
        tables = ("grants", "allowances", "entitlements", "outbox", "ledger")
        for table in (*tables, "invoices", "series"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
        session.connection().exec_driver_sql("DELETE FROM orders")

    found = facts(sold, "reconcile", "--since", "2020-01-01")
    again = run(sold, "reconcile", "--since", "2020-01-01")

    assert isinstance(found, dict)
    assert len(found["newly_paid"]) == 2
    assert found["failed"] == []
    assert "Nothing was missed." in again.stdout
    assert keeping.broken(sold) == {}


def test_a_time_that_is_none(shop: Shop) -> None:
    assert real(shop.home, "reconcile", "--since", "soon").returncode == 2


def test_backup_and_restore_with_what_to_do_next(
    sold: Shop, pg_programs: None, tmp_path: Path
) -> None:
    saved = facts(sold, "backup", "-o", str(tmp_path / "copy.tar.gz"))
    told = run(sold, "backup")
    sold.close()

    refused = real(sold.home, "restore", str(tmp_path / "copy.tar.gz"))
    done = run(sold, "restore", str(tmp_path / "copy.tar.gz"), "--yes")

    assert isinstance(saved, dict)
    assert saved["backup"] == str(tmp_path / "copy.tar.gz")
    assert saved["keys"] == str(tmp_path / "copy.keys.tar")
    assert saved["damaged"] == []
    assert "not encrypted" in told.stderr
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert done.exit_code == 0, done.output
    assert "What was there is now" in done.stdout
    assert "Next: handsel reconcile --since" in done.stderr


def test_a_backup_of_a_damaged_shop_is_made_and_said_by_the_exit_code(
    sold: Shop, pg_programs: None
) -> None:
    [name] = sold.storage.names()
    sold.storage.path(name).unlink()

    saved = facts(sold, "backup", code=1)

    assert isinstance(saved, dict)
    assert saved["damaged"] == [name]
    assert Path(saved["backup"]).exists()


def test_restoring_from_a_pipe_waits_for_nobody(shop: Shop, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.tar.gz"
    os.mkfifo(pipe)

    done = real(tmp_path / "new", "restore", str(pipe))

    assert (done.returncode, "is no file" in done.stderr) == (2, True)
    assert not (tmp_path / "new").exists()


def test_restoring_what_is_no_backup(shop: Shop, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tar.gz"
    wrong.write_text("no backup")

    done = real(tmp_path / "new", "restore", str(wrong))

    assert done.returncode == 1
    assert "is not a whole backup" in done.stderr
    assert not (tmp_path / "new").exists()


def test_upgrade_of_what_is_new_already(shop: Shop) -> None:
    found = facts(shop, "upgrade")

    assert isinstance(found, dict)
    assert found["before"] == found["after"]
    assert found["backup"] is None


@pytest.mark.parametrize(
    "command",
    ["verify", "doctor", "backup", "upgrade", "reconcile", "config check", "mail list"],
)
def test_a_folder_without_a_shop(tmp_path: Path, command: str) -> None:
    done = real(tmp_path, *command.split())

    assert done.returncode == (1 if command == "doctor" else 4)
    assert "no shop" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_is_quick() -> None:
    def once() -> float:
        began = time.process_time(), os.times()
        subprocess.run(
            [sys.executable, "-m", "handsel", "--help"], capture_output=True, check=True
        )
        ended = os.times()
        return (ended.children_user + ended.children_system) - (
            began[1].children_user + began[1].children_system
        )

    # Processor time, because the machine may be busy; the best of a few.
    assert min(once() for _ in range(5)) < 0.2


@pytest.mark.parametrize(
    "words",
    [
        "reconcile",
        "verify",
        "doctor",
        "config check",
        "upgrade",
        "backup",
        "restore",
        "mail test",
        "mail list",
        "mail retry",
        "customer list",
        "customer show",
        "product edit",
        "product publish",
        "product unpublish",
    ],
)
def test_every_command_explains_itself(words: str) -> None:
    done = CliRunner().invoke(handsel, [*words.split(), "--help"])

    assert done.exit_code == 0
    assert "--home" in done.stdout
    assert "--json" in done.stdout


@on_sqlite
def test_without_its_keys_a_restored_shop_is_not_sent_to_the_next_step(
    shop: Shop, tmp_path: Path
) -> None:
    saved = back_up(shop)
    saved.keys.unlink()

    done = real(tmp_path / "new", "restore", str(saved.path))

    assert done.returncode == 0, done.stderr
    assert "Its keys are missing" in done.stdout
    assert "Next" not in done.stderr
