"""Files in a folder, named by their own sha256, outside every web root.

A file is first written whole and synced beside its place, then renamed: a crash leaves
either nothing or all of it. The same bytes are kept once.
"""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from handsel.kit.errors import ConfigurationError, NotFoundError
from handsel.kit.locks import alone_if_free, together_in

CHUNK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """What was kept: its name in the storage, and its size in bytes."""

    sha256: str
    size: int


class LocalStorage:
    """The folder at `root`; created when first used."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, source: BinaryIO) -> Stored:
        """Keep all bytes of `source`. Safe to repeat; returns only when on disk."""
        try:
            return self._put(source)
        except PermissionError as error:
            raise ConfigurationError(
                f"The folder {self.root} cannot be written.",
                "Give it to the user the shop runs as, or change storage.path.",
            ) from error

    def _put(self, source: BinaryIO) -> Stored:
        incoming = self.root / "tmp"
        incoming.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with open(descriptor, "wb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            final = self.path(digest.hexdigest())
            final.parent.mkdir(parents=True, exist_ok=True)
            os.replace(name, final)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(final.parent)
        return Stored(digest.hexdigest(), size)

    def adopt(self, path: Path, sha256: str) -> Stored:
        """Keep a file whose sha256 is known, without copying it where that can be.

        The file must not be written to any more; its name may be removed then.
        """
        try:
            os.utime(path)  # what is old, and belongs to nothing yet, is swept away
            self._link(path, sha256)
        except OSError:  # on another disk, or one without hard links
            with path.open("rb") as source:
                return self.put(source)
        return Stored(sha256, path.stat().st_size)

    def _link(self, path: Path, sha256: str) -> None:
        incoming, final = self.root / "tmp", self.path(sha256)
        for folder in (incoming, final.parent):
            folder.mkdir(parents=True, exist_ok=True)
        name = incoming / secrets.token_hex(8)
        os.link(path, name)
        try:
            os.replace(name, final)
        finally:
            name.unlink(missing_ok=True)  # it stays where both are one file already
        _sync_folder(final.parent)

    def path(self, sha256: str) -> Path:
        """Say where a file with this name lies, whether it does or not."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"not a sha256: {sha256!r}")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def open(self, sha256: str) -> BufferedReader:
        """Open a file for reading. Raises NotFoundError when its bytes are missing."""
        try:
            descriptor = os.open(self.path(sha256), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise NotFoundError(
                "This file cannot be found in the shop's storage.",
                "Nothing was counted. Tell the seller, who can put it back.",
            ) from error
        return open(descriptor, "rb")

    def holds(self, sha256: str) -> bool:
        """Say whether the bytes are there and are what their name says."""
        try:
            with self.open(sha256) as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except NotFoundError:
            return False

    def kept(self) -> AbstractContextManager[None]:
        """Let nothing be taken out while this lasts; what is added is added.

        For who reads all that rows name, and reads the rows first. It holds on this
        machine, and on others as far as their disk knows of locks.
        """
        return together_in(self.root)

    def emptied(self) -> AbstractContextManager[bool]:
        """Say whether something may be taken out while this lasts."""
        return alone_if_free(self.root)

    def names(self) -> Iterator[str]:
        """Give the sha256 of every file kept."""
        yield from (path.name for path in self.root.glob("??/??/*") if path.is_file())


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
