"""The file a backup is: a tar whose last entry lists every other with its sha256.

An archive that was cut off has no list and is refused; so is one in which a byte has
changed. Only plain files come out, under the names the list gives them.
"""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from handsel.kit.errors import BadInputError, ConflictError, ShopError

MANIFEST = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20

Part = tuple[str, Path | bytes]
"""A name inside the archive, and a file on the disk or the bytes themselves."""


class BadArchiveError(ShopError):
    """The file is not a whole and unchanged backup."""


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    `shop` is the mark of the shop's keys, which tells nothing of them. `left_out` names
    settings that are secret and lie in the keys file. `files` gives each sha256.
    """

    what: Literal["shop", "keys"]
    shop: str
    made_at: str
    version: str
    database: str = ""
    schema: str = ""
    left_out: tuple[str, ...] = ()
    format: int = FORMAT
    files: Mapping[str, str] = field(default_factory=dict)


def write(
    target: Path, about: Manifest, parts: Iterable[Part], *, packed: bool = True
) -> Manifest:
    """Write an archive, whole and synced, readable by its owner only.

    Raises ConflictError when `target` is there already.
    """
    files: dict[str, str] = {}
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError(
            f"There is a file {target} already.", "Choose another name."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        with _writer(file, packed=packed) as tar:
            for name, source in parts:
                files[name] = _add(tar, name, source)
            done = Manifest(**{**asdict(about), "files": files})
            _add(tar, MANIFEST, json.dumps(asdict(done), indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    return done


def _writer(file: IO[bytes], *, packed: bool) -> tarfile.TarFile:
    if packed:  # books are packed already: level 1 is quick and hardly larger
        return tarfile.open(fileobj=file, mode="w:gz", compresslevel=1)
    return tarfile.open(fileobj=file, mode="w:")


class _Hashing(io.RawIOBase):
    """Passes on what is read, and remembers its sha256."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.digest.update(chunk)
        return chunk


def _add(tar: tarfile.TarFile, name: str, source: Path | bytes) -> str:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o600
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        entry.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if isinstance(source, Path):
            entry.mtime = int(source.stat().st_mtime)
        reader = _Hashing(file)
        tar.addfile(entry, reader)
    return reader.digest.hexdigest()


def check(archive: Path) -> Manifest:
    """Read a whole archive and compare every byte. Raises BadArchiveError."""
    return _read(archive, None)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Check an archive while unpacking it into a folder that must not exist yet.

    Raises BadArchiveError, and BadInputError when there is no such file; what was
    unpacked until then is for the caller to remove.
    """
    folder.mkdir(mode=0o700)
    return _read(archive, folder)


def _read(archive: Path, folder: Path | None) -> Manifest:
    found: dict[str, str] = {}
    manifest: Manifest | None = None
    # A pipe would be waited for for ever.
    if archive.exists() and not archive.is_file():
        raise BadInputError(f"{archive} is no file.", "Name the backup's file.")
    with _explained(archive), tarfile.open(archive, "r:*") as tar:
        for name, source in _members(archive, tar):
            if manifest or name in found:
                raise _bad(archive, f"{name} should not be there")
            if name == MANIFEST:
                manifest = _manifest(source.read())
            else:
                found[name] = _copy(source, folder / name if folder else None)
        while tar.fileobj and tar.fileobj.read(CHUNK):
            pass  # gzip's own sum comes after the last entry
    if manifest is None or manifest.format != FORMAT:
        raise _bad(archive, "its list of contents is missing: it was cut off")
    if changed := sorted(set(found.items()) ^ set(manifest.files.items())):
        raise _bad(archive, f"{changed[0][0]} is not as it was")
    return manifest


def _members(archive: Path, tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for entry in tar:
        source = tar.extractfile(entry) if entry.isreg() else None
        path = PurePosixPath(entry.name)
        plain = not path.is_absolute() and ".." not in path.parts
        if source is None or not plain or "\0" in entry.name:
            raise _bad(archive, f"it holds {entry.name!r}, which no backup does")
        yield str(path), source


def _copy(source: IO[bytes], target: Path | None) -> str:
    digest = hashlib.sha256()
    with _written(target) as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if file:
                file.write(chunk)
    return digest.hexdigest()


@contextmanager
def _written(target: Path | None) -> Iterator[IO[bytes] | None]:
    if target is None:
        yield None
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _manifest(raw: bytes) -> Manifest:
    values = json.loads(raw)
    values["left_out"] = tuple(values["left_out"])
    return Manifest(**values)


@contextmanager
def _explained(archive: Path) -> Iterator[None]:
    """Say in a sentence what the readers of tar, gzip and JSON say in theirs."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename != str(archive):
            raise
        raise BadInputError(
            f"There is no file {archive}.", "Check its name and folder."
        ) from None
    except tarfile.ReadError as error:
        raise _bad(archive, str(error).partition(":")[0]) from error
    except (tarfile.TarError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise _bad(archive, str(error)) from error
    except KeyError as error:
        raise _bad(archive, f"its list of contents lacks {error}") from error
    except OSError as error:
        if error.errno is None:  # gzip's own: "CRC check failed"
            raise _bad(archive, str(error)) from error
        raise BadArchiveError(
            f"{archive} could not be unpacked: {error.strerror}.",
            "Look at the space on the disk and at who may write there.",
        ) from error


def _bad(archive: Path, why: str) -> BadArchiveError:
    return BadArchiveError(
        f"{archive} is not a whole backup: {why}.",
        "Nothing was changed. Take another copy, or an older backup.",
    )
