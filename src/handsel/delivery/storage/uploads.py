"""Files on their way into the shop: in pieces, over lines that break.

Each has a folder of its own, with its bytes and a page about it. How far it has come is
the size of its bytes and stands nowhere else, so nothing can disagree after a crash.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from handsel.kit.errors import (
    BadInputError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    ShopError,
)
from handsel.kit.locks import alone_in
from handsel.kit.text import human_size, safe_filename

BLOCK = 1 << 18
KEEP = timedelta(hours=24)
"""How long an upload waits for its next byte, or to be used."""
KEPT_FREE = 100_000_000
"""Bytes of the disk that uploads leave alone: orders are written there, too."""
_BYTES, _ABOUT = "bytes", "about.json"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class OffsetError(ConflictError):
    """A piece does not begin where the last one ended. `offset` is where that is."""

    def __init__(self, offset: int) -> None:
        super().__init__(
            f"{offset} bytes of this file are here, and the piece begins elsewhere.",
            "Go on from there.",
        )
        self.offset = offset


class DiskFullError(ShopError):
    """There is no room for a file; what is there stays."""

    status = 507


class DamagedUploadError(ShopError):
    """What arrived is not what was sent."""

    status = 422


@dataclass(frozen=True)
class Upload:
    """A file that is coming, or has come.

    Args:
        name: what it is called on the shelf.
        size: bytes of the whole.
        sha256: of the whole, once it is here and was looked at; "" before.
    """

    id: str
    name: str
    size: int
    path: Path
    sha256: str = ""

    @property
    def offset(self) -> int:
        """How many bytes are here. Raises NotFoundError when it was taken away."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            raise _gone() from None

    @property
    def expires_at(self) -> datetime:
        """When it is forgotten, if nothing more comes."""
        try:
            touched = self.path.stat().st_mtime
        except FileNotFoundError:
            raise _gone() from None
        return datetime.fromtimestamp(touched, UTC) + KEEP


class Uploads:
    """The uploads in the folder `root`; created when first used.

    Args:
        kept_free: bytes of its disk that are left alone.
    """

    def __init__(self, root: Path, *, kept_free: int = KEPT_FREE) -> None:
        self.root = root
        self.kept_free = kept_free

    def begin(self, name: str, size: int) -> Upload:
        """Make room for a file, beside that of files on their way.

        Raises BadInputError, DiskFullError.
        """
        if size <= 0:
            raise BadInputError(f"{name} is empty.", "Buyers would get nothing.")
        number = secrets.token_hex(16)
        folder = self.root / number
        upload = Upload(number, safe_filename(name), size, folder / _BYTES)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with alone_in(self.root):
                self._check_room(upload, size, promised=self._promised())
                folder.mkdir(0o700)
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                os.close(os.open(upload.path, flags, 0o600))
                _write_about(upload)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise _in_words(error, self.root) from error
        return upload

    def _promised(self) -> int:
        """Count the bytes that files on their way still need."""
        left = 0
        for upload in self.waiting():
            with suppress(NotFoundError):  # it has just been taken away
                left += max(0, upload.size - upload.offset)
        return left

    def get(self, number: str) -> Upload:
        """Give an upload. Raises NotFoundError, also for one that was forgotten."""
        if not re.fullmatch(r"[0-9a-f]{32}", number):
            raise _gone()
        folder = self.root / number
        try:
            about = json.loads((folder / _ABOUT).read_bytes())
            return Upload(
                number,
                str(about["name"]),
                int(about["size"]),
                folder / _BYTES,
                str(about["sha256"]),
            )
        except (OSError, ValueError, KeyError):
            raise _gone() from None

    def append(
        self, upload: Upload, offset: int, read: Callable[[int], bytes | None]
    ) -> int:
        """Add what `read` gives until it gives nothing; say how many bytes there are.

        Every block is written where it belongs or not at all, so a line that was thought
        dead may go on beside the one that took its place. What was written stays whatever
        happens then. Raises OffsetError, DiskFullError, BadInputError for more than was
        said, and what `read` raises.
        """
        try:
            with upload.path.open("r+b", buffering=0) as target:
                if (here := upload.offset) != offset:
                    raise OffsetError(here)
                try:
                    while block := read(BLOCK):
                        self._check_room(upload, len(block))
                        offset = _write(target.fileno(), offset, block, upload.size)
                finally:
                    os.fsync(target.fileno())
        except FileNotFoundError:
            raise _gone() from None
        except OSError as error:
            if error.errno not in (*_FULL, errno.EACCES, errno.EROFS):
                raise
            raise _in_words(error, self.root) from error
        return offset

    def seal(self, upload: Upload, told: str = "") -> Upload:
        """Look at a file that is here as a whole, and note its sha256. Safe to repeat.

        Args:
            told: the sha256 the sender has; "" when it did not say.

        Raises ConflictError when bytes are missing, DamagedUploadError when it is another
        file: then it is taken away, for no piece of it can be trusted.
        """
        if (here := upload.offset) < upload.size:
            raise OffsetError(here)
        if not upload.sha256:
            with upload.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            upload = replace(upload, sha256=digest)
        if told and told != upload.sha256:
            self.remove(upload.id)
            raise DamagedUploadError(
                f"What arrived of {upload.name} is not what was sent.",
                "It was thrown away. Send it once more.",
            )
        try:
            _write_about(upload)
        except OSError as error:
            raise _in_words(error, self.root) from error
        return upload

    def waiting(self) -> list[Upload]:
        """Give every upload that is here, or on its way, newest first."""
        found: list[tuple[float, Upload]] = []
        for path in self.root.glob(f"*/{_ABOUT}"):
            try:
                found.append((path.parent.stat().st_ctime, self.get(path.parent.name)))
            except (OSError, NotFoundError):  # it has just been taken away
                continue
        return [upload for _, upload in sorted(found, key=lambda each: -each[0])]

    def remove(self, number: str) -> None:
        """Take an upload away. Safe to repeat."""
        if re.fullmatch(r"[0-9a-f]{32}", number):
            shutil.rmtree(self.root / number, ignore_errors=True)

    def sweep(self, now: datetime) -> int:
        """Take away what nobody has gone on with, or used; say how many."""
        old = [folder for folder in self.root.glob("*") if _is_old(folder, now)]
        for folder in old:
            shutil.rmtree(folder, ignore_errors=True)
        return len(old)

    def room(self) -> int:
        """Say how many bytes can still come."""
        place = next(each for each in (self.root, *self.root.parents) if each.exists())
        return max(0, shutil.disk_usage(place).free - self.kept_free)

    def _check_room(self, upload: Upload, size: int, *, promised: int = 0) -> None:
        """Raise DiskFullError if so much does not go beside what was `promised`."""
        room = self.room()
        if size + promised <= room:
            return
        others = (
            f" {human_size(promised)} of it for files on their way," if promised else ""
        )
        raise DiskFullError(
            f"The disk of the shop is full: {human_size(room)} are left for files,"
            f"{others} and {upload.name} needs {human_size(size)} more.",
            "What has arrived is kept. Make room on the disk, then go on.",
        )


def _gone() -> NotFoundError:
    hours = KEEP // timedelta(hours=1)
    return NotFoundError(
        "This upload is not here any more.",
        f"Send the file again; one that nobody uses is kept for {hours} hours.",
    )


def _in_words(error: OSError, root: Path) -> ShopError:
    if error.errno in _FULL:
        return DiskFullError(
            f"The disk of the shop is full: {error.strerror}.",
            "What has arrived is kept. Make room on the disk, then go on.",
        )
    return ConfigurationError(
        f"The folder {root} cannot be written: {error.strerror}.",
        "Give it to the user the shop runs as, or change storage.path.",
    )


def _write_about(upload: Upload) -> None:
    """Write the page about an upload, whole or not at all."""
    about = {"name": upload.name, "size": upload.size, "sha256": upload.sha256}
    path = upload.path.with_name(_ABOUT)
    fresh = path.with_name(f".{secrets.token_hex(4)}")
    fresh.write_text(json.dumps(about), "utf-8")
    fresh.replace(path)


def _write(target: int, at: int, block: bytes, size: int) -> int:
    """Write a block if everything before it is there; give where the next one goes."""
    if at + len(block) > size:
        raise BadInputError(
            f"More came than the {size} bytes that were said.", "Send it anew."
        )
    with _alone(target):
        if (here := os.fstat(target).st_size) != at:
            raise OffsetError(here)
        rest = memoryview(block)
        while rest:
            written = os.pwrite(target, rest, at)
            at, rest = at + written, rest[written:]
    return at


@contextmanager
def _alone(target: int) -> Iterator[None]:
    """Keep out every other thread and process that writes to the same file."""
    fcntl.flock(target, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(target, fcntl.LOCK_UN)


def _is_old(folder: Path, now: datetime) -> bool:
    times = []
    for path in (folder, folder / _BYTES, folder / _ABOUT):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return bool(times) and datetime.fromtimestamp(max(times), UTC) < now - KEEP
