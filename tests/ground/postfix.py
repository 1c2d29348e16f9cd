"""A real Postfix of the test's own, where one is installed and we may start it.

It sends on to one other mail server, and bounces what that one refuses.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.ground.waiting import wait_until

PROGRAM = shutil.which("postfix", path="/usr/sbin:/usr/bin:/usr/local/sbin")
MISSING = (
    "" if PROGRAM and os.geteuid() == 0 else "needs Postfix installed, and to be root"
)
"""Why there is none; empty when there is one."""

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.shop.test
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{next_port}
disable_dns_lookups = yes
alias_maps =
alias_database =
local_recipient_maps =
maillog_file = /dev/stdout
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def running(next_port: int) -> Iterator[int]:
    """Start Postfix, with everything of its own and in one folder; give its port."""
    # Not one of pytest's: those are closed to Postfix' own user, and so deep that the
    # names of its sockets would be too long.
    with TemporaryDirectory(prefix="postfix-") as name:
        folder = Path(name)
        port = _free_port()
        config = _configure(folder, port, next_port)
        with _started(config, folder / "log"):
            wait_until(lambda: _answers(port), seconds=20)
            yield port


@contextmanager
def _started(config: Path, log: Path) -> Iterator[None]:
    assert PROGRAM
    with log.open("wb") as output:
        program = subprocess.Popen(
            [PROGRAM, "-c", str(config), "start-fg"],
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o022,  # ours may be stricter than Postfix' own user can bear
        )
    try:
        yield
    finally:
        stop = [PROGRAM, "-c", str(config), "stop"]
        subprocess.run(stop, capture_output=True, check=False)
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _configure(folder: Path, port: int, next_port: int) -> Path:
    folder.chmod(0o755)
    config = folder / "etc"
    for each in (config, folder / "queue", folder / "data"):
        each.mkdir()
        each.chmod(0o755)
    shutil.chown(folder / "data", "postfix")
    (config / "main.cf").write_text(MAIN.format(folder=folder, next_port=next_port))
    (config / "master.cf").write_text(MASTER.format(port=port))
    return config


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
