"""An upload onto a disk of 4 MB that really is full: what came stays, and goes on."""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from handsel.delivery.storage.uploads import DiskFullError, Uploads
from tests.faults.processes import ROOT
from tests.faults.test_small_disk import _unshare_works

INSIDE = 'mount -t tmpfs -o size=4m none "$1" && exec "$0" -m tests.faults.test_uploads_full_disk "$1"'


def test_a_full_disk_stops_an_upload_and_it_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    if not Path("/usr/bin/unshare").exists() or not _unshare_works():
        pytest.skip("needs a Linux where anybody may mount a tmpfs for themselves")
    words = ["/usr/bin/unshare", "-rm", "sh", "-c", INSIDE, sys.executable]
    done = subprocess.run(
        [*words, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    assert "The disk of the shop is full: No space left on device." in said["words"]
    assert 1_000_000 < said["kept"] < 2_000_000
    assert said["refused"]
    assert said["whole"]


def main(disk: Path) -> None:
    """Fill the disk with half a book, make room, send the other half."""
    book, ballast = os.urandom(2_000_000), disk / "ballast"
    # Its own look at the room would stop earlier: here the disk itself must say it.
    uploads = Uploads(disk / "uploads", kept_free=-(1 << 40))
    upload = uploads.begin("book.epub", len(book))
    ballast.write_bytes(bytes(2_300_000))
    words = ""
    try:
        uploads.append(upload, 0, io.BytesIO(book).read)
    except DiskFullError as error:
        words = str(error)
    kept, refused = upload.offset, False
    try:
        uploads.begin("other.epub", 10)
    except DiskFullError:
        refused = True
    ballast.unlink()
    uploads.append(upload, kept, io.BytesIO(book[kept:]).read)
    whole = uploads.seal(upload).sha256 == hashlib.sha256(book).hexdigest()
    print(  # noqa: T201 - the test reads it
        json.dumps({"words": words, "kept": kept, "refused": refused, "whole": whole})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
