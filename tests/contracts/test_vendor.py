"""Whose work we keep, and that it is kept unchanged."""

from pathlib import Path

import pytest

from tools import vendor


def test_every_kept_file_is_listed_and_third_party_says_whose_it_is() -> None:
    packages = vendor.read_list()
    vendor.complain(packages)
    listed = {f"{p.folder}/{name}" for p in packages for name in p.files.values()}
    kept = {
        p.relative_to(vendor.VENDOR) for p in vendor.VENDOR.rglob("*") if p.is_file()
    }
    assert {path.as_posix() for path in kept} == listed
    assert all(any("LICENSE" in name for name in p.files.values()) for p in packages)


def test_an_archive_with_another_hash_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "pico.tgz"
    archive.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="not what the list says"):
        vendor.verify(archive, vendor.read_list()[0].integrity)
