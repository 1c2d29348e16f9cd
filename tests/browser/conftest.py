"""The demo as a seller starts it, for a browser to buy in."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ground.waiting import wait_until


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    url: str
    home: Path
    site: str
    """The origin of the seller's own pages."""

    def handsel(self, *words: str) -> str:
        """Run a command on its shop."""
        command = [sys.executable, "-m", "handsel", *words, "--home", str(self.home)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=_environment()
        )
        return done.stdout


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`handsel demo` on a free port, with a free leaflet added to its shelf."""
    home = tmp_path_factory.mktemp("demo") / "home"
    words = home.with_name("said.txt")
    command = [sys.executable, "-m", "handsel", "demo", "--port", "0", "--home"]
    with words.open("w") as said:
        running = subprocess.Popen(
            [*command, str(home)], stdout=said, stderr=said, env=_environment()
        )
    try:
        wait_until(
            lambda: running.poll() is not None or "open at" in words.read_text(), 60
        )
        assert running.poll() is None, words.read_text()
        [url] = re.findall(r"open at (\S+)", words.read_text())
        [site] = re.findall(r"own pages: (\S+)", words.read_text())
        opened = Demo(url.rstrip("/"), home, site)
        leaflet = home.with_name("leaflet.txt")
        leaflet.write_text("Read this.")
        opened.handsel("product", "add", str(leaflet), "--price", "0", "--limit", "1")
        yield opened
    finally:
        running.terminate()
        assert running.wait(20) == 0, words.read_text()


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HANDSEL_")
    }
