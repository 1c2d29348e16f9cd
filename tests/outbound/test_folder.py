"""Mail as files: whole or not at all, private, newest first."""

import os
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from handsel.outbound.compose import Sender, compose, seal
from handsel.outbound.transports.base import TemporaryMailError
from handsel.outbound.transports.folder import FolderTransport, read_folder

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_mail_is_a_file_named_by_time_person_and_hash(tmp_path: Path) -> None:
    _send(tmp_path, "Hello", to="ada+1/../x@example.org")
    (path,) = tmp_path.iterdir()
    time, person, digest = path.stem.split("-")
    assert datetime.strptime(time, "%Y%m%dT%H%M%S.%f%z").tzinfo is not None
    assert person == "ada+1_.._x@example.org"
    assert len(digest) == 14
    assert path.suffix == ".eml"


def test_a_repeat_can_be_seen_by_its_hash(tmp_path: Path) -> None:
    for subject in ("one", "one", "two"):
        _send(tmp_path, subject)
    digests = [path.stem.split("-")[-1][:10] for path in sorted(tmp_path.iterdir())]
    assert digests[0] == digests[1] != digests[2]


def test_the_newest_is_read_first(tmp_path: Path) -> None:
    for subject in ("one", "two", "three"):
        _send(tmp_path, subject)
    assert [mail.subject for mail in read_folder(tmp_path)] == ["three", "two", "one"]
    assert [mail.subject for mail in read_folder(tmp_path, most=1)] == ["three"]


def test_a_mail_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    _send(tmp_path, "Ihr Büchlein: كتابك", to="قارئ@bücher.example")
    (mail,) = read_folder(tmp_path)
    assert mail.subject == "Ihr Büchlein: كتابك"
    assert mail.sender == "Ada <books@example.com>"
    assert mail.to == "قارئ@xn--bcher-kva.example"
    assert mail.date == NOON
    assert mail.text.strip() == "Grüße"
    assert "<p>Grüße</p>" in mail.html
    assert mail.path.parent == tmp_path


def test_no_folder_yet_means_no_mail_yet(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "mail") == []


def test_files_that_are_not_ours_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a mail")
    (tmp_path / ".20261123T120000.000000Z-x.eml.tmp").write_bytes(b"half a ma")
    (tmp_path / "20261123T120000.000000Z-x.eml").write_bytes(b"\xff\x00 no mail\n")
    (mail,) = read_folder(tmp_path)
    assert (mail.subject, mail.html) == ("", "")


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    _send(tmp_path / "mail", "Hello")
    (path,) = (tmp_path / "mail").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file is in the way")
    with pytest.raises(TemporaryMailError, match="could not be written into"):
        _send(tmp_path / "mail", "Hello")


def test_a_folder_that_goes_away_leaves_nothing_half_done(tmp_path: Path) -> None:
    with FolderTransport(tmp_path / "mail").connect() as carrier:
        os.rmdir(tmp_path / "mail")
        with pytest.raises(TemporaryMailError, match="could not be written into"):
            carrier.send(seal(_mail("Hello", "ada@example.org"), "ada@example.org"))


DIES_WHILE_WRITING = """
import resource, signal, sys
from pathlib import Path
from tests.outbound.test_folder import _send

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
_send(Path(sys.argv[1]), "Hello")
"""


def test_who_dies_while_writing_leaves_no_half_mail(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIES_WHILE_WRITING, str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGXFSZ
    assert read_folder(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 1, "it did begin"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, usual[1]))
    try:
        with pytest.raises(TemporaryMailError, match="File too large"):
            _send(tmp_path, "Hello")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert list(tmp_path.iterdir()) == []


def _send(folder: Path, subject: str, *, to: str = "ada@example.org") -> None:
    with FolderTransport(folder).connect() as carrier:
        carrier.send(seal(_mail(subject, to), to))


def _mail(subject: str, to: str) -> EmailMessage:
    return compose(
        sender=Sender("Ada", "books@example.com"),
        to=to,
        subject=subject,
        text="Grüße\n",
        html="<p>Grüße</p>",
        message_id=f"<{subject.encode().hex()}@example.com>",
        date=NOON,
    )
