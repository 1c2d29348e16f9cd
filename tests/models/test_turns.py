"""Writers of one SQLite file: in turn, sharing commits, each all or nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from handsel.models import Duty, RateCounter
from handsel.models.database import SQLITE, Database, insert_new, rows_changed
from handsel.models.turns import DatabaseBusyError, FairLock
from handsel.shop import Shop, utc_now


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Start `count` threads at one moment; give what each returned or raised."""
    barrier = threading.Barrier(count)

    def go(number: int) -> object:
        barrier.wait(20)
        try:
            return work(number)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(go, range(count)))


def test_presses_at_one_moment_never_pass_a_limit_together(shop: Shop) -> None:
    with shop.transaction() as session:
        insert_new(session, RateCounter, bucket="limit", window=0, hits=0)

    def press(_: int) -> int:
        with shop.transaction() as session:
            return rows_changed(
                session,
                update(RateCounter)
                .where(RateCounter.bucket == "limit", RateCounter.hits < 5)
                .values(hits=RateCounter.hits + 1),
            )

    won = together(40, press)

    assert sorted(won, key=str) == [0] * 35 + [1] * 5
    with shop.reading() as session:
        assert session.scalar(select(RateCounter.hits)) == 5


def test_one_writer_that_fails_takes_nobody_else_along(shop: Shop) -> None:
    def write(number: int) -> str:
        with shop.transaction() as session:
            insert_new(session, Duty, name=f"d{number}", next_at=shop.now())
            if number % 3 == 0:
                raise ValueError("changed my mind")
        return "done"

    results = together(30, write)

    assert [isinstance(each, ValueError) for each in results] == [
        number % 3 == 0 for number in range(30)
    ]
    with shop.reading() as session:
        kept = set(session.scalars(select(Duty.name)))
    assert kept == {f"d{number}" for number in range(30) if number % 3}


@pytest.fixture
def sqlite_file(template_home: Path, tmp_path: Path) -> Database:
    """A SQLite database of its own."""
    source = template_home / "data" / "handsel.db"
    (tmp_path / "some.db").write_bytes(source.read_bytes())
    return Database("sqlite:///some.db", tmp_path)


def test_when_the_disk_is_full_nobody_is_told_done_for_nothing(
    sqlite_file: Database,
) -> None:
    with sqlite_file.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def write(number: int) -> str:
        with sqlite_file.transaction() as session:
            session.execute(text(f"PRAGMA max_page_count={pages + 12}"))
            insert_new(session, RateCounter, bucket=f"{number:0100}", window=0, hits=0)
            session.execute(
                text("INSERT INTO duties VALUES (:name, '2026-01-01', :filling)"),
                {"name": f"d{number}", "filling": "x" * 3000},
            )
        return "done"

    # One by itself: should the others all share a commit, it fails for all of them.
    results = [write(30), *together(30, write)]
    results = results[1:] + results[:1]  # each in the place of its number

    done = {number for number, result in enumerate(results) if result == "done"}
    failed = [each for each in results if each != "done"]
    assert done
    assert failed
    assert all(isinstance(e, OperationalError | DatabaseBusyError) for e in failed)
    with sqlite_file.reading() as session:
        kept = set(session.scalars(select(RateCounter.bucket)))
        assert session.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert kept == {f"{number:0100}" for number in done}
    sqlite_file.close()


def test_a_writer_that_cannot_get_its_turn_says_so_and_the_next_day_is_fine(
    sqlite_file: Database, tmp_path: Path
) -> None:
    lock = FairLock(patience=0.05)
    lock.acquire()
    with pytest.raises(DatabaseBusyError, match="Nothing is lost"):
        lock.acquire()
    lock.release()
    lock.acquire()
    sqlite_file.close()


def test_another_program_that_holds_the_file_makes_writers_wait_not_fail(
    sqlite_file: Database, tmp_path: Path
) -> None:
    other = SQLITE.connect(str(tmp_path / "some.db"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = threading.Event()

    def write() -> None:
        began.set()
        with sqlite_file.transaction() as session:
            insert_new(session, Duty, name="mine", next_at=utc_now())

    writer = threading.Thread(target=write)
    writer.start()
    assert began.wait(10)
    other.execute("COMMIT")
    other.close()
    writer.join(10)

    with sqlite_file.reading() as session:
        assert session.scalar(select(func.count(Duty.name))) == 1
    sqlite_file.close()


def test_a_reader_cannot_write(shop: Shop) -> None:
    with (
        pytest.raises(Exception, match=r"readonly|read-only"),
        shop.reading() as session,
    ):
        insert_new(session, Duty, name="d", next_at=shop.now())


def test_a_transaction_inside_another_is_a_mistake(shop: Shop) -> None:
    with (
        shop.transaction(),
        pytest.raises(RuntimeError, match="open in this thread"),
        shop.transaction(),
    ):
        pass
