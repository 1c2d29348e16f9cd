"""The guards over every test can bark."""

import asyncio
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ground import loopback


@pytest.mark.parametrize("host", ["192.0.2.1", "shop.test"])
def test_nothing_reaches_another_machine(host: str) -> None:
    with pytest.raises(loopback.LeavesHomeError, match=host):
        socket.create_connection((host, 80), timeout=1)
    assert loopback.forgive() == 1


def test_a_library_that_keeps_quiet_is_found_out() -> None:
    async def look() -> bool:
        try:
            await asyncio.open_connection("shop.test", 80)
        except OSError:
            return False
        return True

    assert not asyncio.run(look())
    assert loopback.forgive() == 1


def test_a_name_nobody_has_is_not_found() -> None:
    with pytest.raises(socket.gaierror):
        smtplib.SMTP("mail.invalid", 25)


CULPRITS = """
import socket, subprocess, threading, time
from tests.ground import leftovers

leftovers.PATIENCE = 0.1

def test_calls_out():
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    except OSError:
        pass

def test_leaves_a_thread():
    threading.Thread(target=time.sleep, args=[1]).start()

def test_leaves_a_program():
    subprocess.Popen(["sleep", "3"])
"""


def test_culprits_fail(tmp_path: Path) -> None:
    (tmp_path / "test_culprits.py").write_text(CULPRITS)
    plugins = ["-p", "tests.ground.loopback", "-p", "tests.ground.leftovers"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", *plugins, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "3 passed, 3 errors" in done.stdout
