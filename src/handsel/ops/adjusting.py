"""Changing the settings for somebody who is not at the server: whole and right, or not at all.

The file that would be is checked by what checks it at the start. Secrets go into new files
of their own, which nothing names yet; one rename then changes all of it.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from handsel.analytics import countries
from handsel.kit.errors import ConfigurationError, ConflictError, ShopError
from handsel.kit.locks import alone_in
from handsel.ops.places import SECRETS
from handsel.ops.shelving import Witness
from handsel.settings import CONFIG_FILE, Settings, load_settings, while_running
from handsel.settings.editing import CannotEditError, Change, edited
from handsel.settings.reading import read_settings
from handsel.shop import Shop, check_names

_OURS = r"[a-z]+\.[a-z0-9_]+-[0-9a-f]{8}"
"""What the files are called that this module makes."""


class WrongSettingsError(ShopError):
    """What was asked for is not right. `problems`: a sentence for each setting, "" for
    what is not about one."""

    status = 422

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("These settings are not right yet; nothing was changed.")
        self.problems = problems


class ChangedMeanwhileError(ConflictError):
    """The file is not the one that was looked at."""


class CannotWriteError(ShopError):
    """The file cannot be written by the shop."""

    status = 409


def mark(text: str) -> str:
    """Name a state of the file, so that it is known again."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_text(home: Path) -> str:
    """Read the file with its line ends as they are. Raises ConfigurationError."""
    try:
        return (home / CONFIG_FILE).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        load_settings(home)  # says in words what is wrong
        raise ConfigurationError(f"{CONFIG_FILE} cannot be read: {error}.") from error


def adjust(
    shop: Shop, seen: str, changes: Sequence[Change], note: Witness, missed: Witness
) -> None:
    """Change settings in the file, all of them or none.

    Args:
        seen: the `mark` of the file that whoever asks has looked at.
        changes: secrets come as values; they are put into files here.
        note: writes it into the log, before the file is changed: nothing is changed that
            does not stand there.
        missed: writes there that the file could not be changed after all.

    Raises ChangedMeanwhileError, WrongSettingsError, CannotWriteError.
    """
    with alone_in(shop.home):
        text = file_text(shop.home)
        if mark(text) != seen:
            raise ChangedMeanwhileError(
                f"{CONFIG_FILE} was changed meanwhile, by somebody else or by hand.",
                "Look at what it says now, and press the button again.",
            )
        made: list[Path] = []
        try:
            new = _edited(text, [_put_away(shop.home, e, made) for e in changes])
            _check(shop, new)
            _write(shop, new, note, missed)
        finally:
            before = re.findall(rf"{SECRETS}/({_OURS})\"", text)
            _forget_secrets(shop.home, [*before, *(path.name for path in made)])


def problems(shop: Shop, changes: Sequence[Change]) -> dict[str, str]:
    """Say what would be wrong with these changes, as WrongSettingsError does.

    Nothing is written: keys, which would be put into files, are left out.
    """
    plain = [each for each in changes if not each.as_file]
    try:
        _check(shop, _edited(file_text(shop.home), plain))
    except WrongSettingsError as error:
        return dict(error.problems)
    except CannotWriteError:  # whoever adjusts is told
        pass
    return {}


def _put_away(home: Path, change: Change, made: list[Path]) -> Change:
    """Put a secret into a file of its own, and name that instead."""
    if not change.as_file or change.value is None:
        return change
    name = f"{change.section}.{change.key}-{secrets.token_hex(4)}"
    path = home / SECRETS / name
    with _in_words(path):
        made.append(path)
        _write_new(path, f"{change.value}\n", 0o600)
    return Change(
        change.section, change.key, f"{SECRETS}/{name}", change.default, as_file=True
    )


def _edited(text: str, changes: Sequence[Change]) -> str:
    try:
        return edited(text, changes)
    except CannotEditError:
        raise CannotWriteError(
            f"{CONFIG_FILE} is written in a way that cannot be changed from here.",
            "Change it on the server, where it can also be put as `handsel init` does.",
        ) from None


def _write(shop: Shop, new: str, note: Witness, missed: Witness) -> None:
    # Beside what it will be: a file that is only a link stays one.
    target = (shop.home / CONFIG_FILE).resolve()
    draft = target.with_name(f".{CONFIG_FILE}-{secrets.token_hex(4)}")
    with _in_words(target):
        if not target.stat().st_mode & 0o200:
            raise PermissionError(0, "it is write-protected")
        try:
            _write_new(draft, new, 0o600)
            _like(target, draft)
            with shop.transaction() as session:
                note(session)
            _take(shop, draft, target, missed)
            _sync(target.parent)
        finally:
            draft.unlink(missing_ok=True)


def _take(shop: Shop, draft: Path, target: Path, missed: Witness) -> None:
    try:
        draft.replace(target)
    except OSError:
        with shop.transaction() as session:
            missed(session)
        raise


def _check(shop: Shop, text: str) -> None:
    """Ask everything that would be asked at the start. Raises WrongSettingsError."""
    try:
        settings = read_settings(text, shop.home)
        check_names(settings)
        shop.with_settings(while_running(shop.settings, settings))
        _check_files(shop.home, settings)
    except ConfigurationError as error:
        raise WrongSettingsError(_by_setting(error)) from error


def _check_files(home: Path, settings: Settings) -> None:
    if settings.analytics.own and settings.analytics.country_database:
        countries.open_database(home / settings.analytics.country_database)


def _by_setting(error: ConfigurationError) -> dict[str, str]:
    """Sort the problems by the setting each is about; a line number says nothing here."""
    found: dict[str, str] = {}
    lines = error.message.split("\n")
    for line in lines:
        said = re.sub(rf"^{re.escape(CONFIG_FILE)}, line \d+: ", "", line)
        about = re.match(r"([a-z]+\.[a-z0-9_]+?)(?:_file)?: (.+)", said)
        name, words = (about[1], _sentence(about[2])) if about else ("", said)
        if len(lines) == 1 and error.hint and "handsel.toml" not in error.hint:
            words = f"{words} {error.hint}"
        found[name] = f"{found[name]} {words}" if name in found else words
    return found


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _write_new(path: Path, text: str, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _like(old: Path, new: Path) -> None:
    shutil.copymode(old, new)
    with suppress(OSError):  # only root may; others own both
        os.chown(new, old.stat().st_uid, old.stat().st_gid)


def _sync(folder: Path) -> None:
    """Let a change of names outlive a power cut, where the disk can promise that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWriteError(
            f"{path} cannot be written: {error.strerror or error}. Nothing was changed.",
            "The user the shop runs as must be able to write it, and there must be room.",
        ) from error


def _forget_secrets(home: Path, names: Sequence[str]) -> None:
    """Take those of our files of secrets away that the file does not name."""
    now = file_text(home)
    for name in names:
        if f"{SECRETS}/{name}" not in now:
            with suppress(OSError):
                (home / SECRETS / name).unlink()
