"""New settings for a shop that is open: noticed by themselves, checked, then taken.

Whatever is wrong with them, the shop goes on with those it has.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handsel.kit.errors import ConfigurationError
from handsel.settings import (
    CONFIG_FILE,
    Settings,
    differing,
    load_settings,
    while_running,
)
from handsel.settings.reading import files_of
from handsel.shop import Shop

log = logging.getLogger("handsel")

LOOK_SECONDS = 0.5

Mark = dict[Path, tuple[int, int, int] | None]
"""What tells that a file is another one: its time, its length, its place on the disk."""


class Watch:
    """Looks after the settings of one open shop. Safe to use from several threads.

    Args:
        take: is given the shop with its new settings; what it raises as
            ConfigurationError is a reason to go on with the old ones.
    """

    def __init__(self, shop: Shop, take: Callable[[Shop], None]) -> None:
        self.shop = shop
        self._take = take
        self._turn = threading.Lock()
        self._files = [shop.home / CONFIG_FILE]
        self._taken: Mark = {}
        self._seen: Mark = {}
        self._said = ""

    def look(self) -> None:
        """Take what has changed, once nobody is at it any more."""
        seen = self._mark()
        settled = seen == self._seen
        self._seen = seen
        if settled and seen != self._taken:
            self.take()

    def take(self) -> None:
        """Take what the files say now, if it is right and says anything new."""
        with self._turn:
            self._files = files_of(self.shop.home)
            self._taken = self._mark()
            try:
                found = load_settings(self.shop.home)
                self._change(while_running(self.shop.settings, found))
            except ConfigurationError as error:
                self._say(error)
            else:
                self._said = ""

    def _mark(self) -> Mark:
        # Which files a file names can only change with it, and then it is taken anew.
        return {path: _stamp(path) for path in self._files}

    def _change(self, found: Settings) -> None:
        names = differing(self.shop.settings, found)
        if names:
            new = self.shop.with_settings(found)
            self._take(new)
            self.shop = new
            log.info("The settings have changed: %s.", ", ".join(names))

    def _say(self, error: ConfigurationError) -> None:
        """Say each trouble once, until it is another one."""
        if error.message != self._said:
            self._said = error.message
            log.error("The shop goes on with the settings it has: %s", error.message)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def watching(
    watch: Watch,
    stop: threading.Event | None = None,
    stopped: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Look every half second while the block runs.

    Args:
        stop: ends the looking at once, and lets `stopped` be called.
    """
    done = threading.Event()
    over = stop or done

    def run() -> None:
        while not over.wait(LOOK_SECONDS) and not done.is_set():
            _look(watch)
        stopped()

    thread = threading.Thread(target=run, name="settings", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _look(watch: Watch) -> None:
    try:
        watch.look()
    except Exception:
        log.exception("New settings could not be taken; they will be looked at again.")
