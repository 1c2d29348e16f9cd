"""Every setting as a page shows it: what it is, its value, and where that comes from.

Made from what the settings say of themselves, so that none is missing.
"""

import os
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from handsel.kit.errors import BadInputError, ConfigurationError
from handsel.ops.adjusting import file_text, mark
from handsel.settings import CONFIG_FILE, load_settings
from handsel.settings.editing import Change
from handsel.settings.reading import from_environment, line_of
from handsel.settings.running import AT_START, sections
from handsel.shop import installed

Kind = Literal["text", "long", "number", "yesno", "choice", "list", "secret"]

LONG = 300
"""From so many letters on a text gets room for several lines."""
SHOWN_OF_LONG = 16
"""Only of secrets as long as this are the last four letters shown."""
_BETTER = r"(; b|\. B)etter in a file: `\w+`"
_ON_SERVER = "It is changed on the server, because records and files move along."
_FOR_TESTS = "It is only for tests of Handsel itself."
_HARMLESS = ("shop", "tax", "delivery", "analytics")
"""Sections of which only keys and addresses ask for the password again."""
_SPEAKS = ("shop.email", "shop.address")
"""Where the shop writes to its seller, and who it says it is."""


@dataclass(frozen=True)
class Option:
    """One setting.

    Args:
        label: what people call it.
        about: its sentence, with `code` in it; examples stand as they are typed here.
        value, default: as a form shows them; a secret has none.
        given: whether it has a value of its own.
        source: where that comes from.
        place: the same as precisely as it is known: a line, a variable.
        tail: the end of a secret.
        fixed: why it cannot be changed here; empty if it can.
    """

    section: str
    key: str
    label: str
    about: str
    kind: Kind
    value: str
    default: str
    raw_default: object
    given: bool
    source: Literal["environment", "file", "secret file", "default"]
    place: str = ""
    tail: str = ""
    fixed: str = ""
    choices: tuple[str, ...] = ()
    longest: int | None = None

    @property
    def name(self) -> str:
        """The name as people write it."""
        return f"{self.section}.{self.key}"

    @property
    def guarded(self) -> bool:
        """Whether to change it wants the password again: keys, and where money, mails
        and news go."""
        leads = self.key == "url" or self.key.endswith(("_url", "_base"))
        harmless = self.section in _HARMLESS and not leads and self.name not in _SPEAKS
        return self.kind == "secret" or not harmless


@dataclass(frozen=True)
class Book:
    """All settings as the file has them now.

    Args:
        mark: names this state of the file.
        problems: what is wrong with it, so that the shop goes on with what it had.
        legible: whether it can be changed at all.
    """

    mark: str
    sections: Mapping[str, tuple[str, tuple[Option, ...]]]
    problems: tuple[str, ...]
    legible: bool

    def option(self, name: str) -> Option | None:
        """Give a setting by its name."""
        section, _, key = name.partition(".")
        found = self.sections.get(section, ("", ()))[1]
        return next((each for each in found if each.key == key), None)


def read(home: Path, environ: Mapping[str, str] = os.environ) -> Book:
    """Read every setting, however wrong the file may be."""
    text, values, legible = "", {}, False
    problems: tuple[str, ...] = ()
    try:
        text = file_text(home)
        values = tomllib.loads(text)
        legible = True
        load_settings(home, environ)
    except ConfigurationError as error:
        problems = tuple(error.message.split("\n"))
    except tomllib.TOMLDecodeError as error:
        problems = (f"{CONFIG_FILE} cannot be read: {error}.",)
    given = {(section, key): value for section, key, value in from_environment(environ)}
    found = _Sources(home, text, values, given)
    return Book(
        mark=mark(text),
        sections={
            name: (kind.__doc__ or "", tuple(_options(name, kind, found)))
            for name, kind in sections()
        },
        problems=problems,
        legible=legible,
    )


@dataclass(frozen=True)
class _Sources:
    home: Path
    text: str
    values: Mapping[str, Any]
    environment: Mapping[tuple[str, str], str]

    def find(self, section: str, key: str) -> tuple[str, str, object]:
        """Give source, place and raw value; the environment wins."""
        for name in (key, f"{key}_file"):
            if (section, name) in self.environment:
                variable = f"HANDSEL_{section}__{name}".upper()
                value = self.environment[section, name]
                told = self._content(value) if name != key else value
                return "environment", variable, told
        keys = self.values.get(section)
        keys = keys if isinstance(keys, dict) else {}
        if f"{key}_file" in keys:
            path = str(keys[f"{key}_file"])
            return "secret file", path, self._content(path)
        if key in keys:
            line = line_of([section, key], self.text)
            place = f"{CONFIG_FILE}, line {line}" if line else CONFIG_FILE
            return "file", place, keys[key]
        return "default", "", None

    def _content(self, path: str) -> str:
        try:
            return (self.home / path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""


def _options(section: str, kind: type[BaseModel], found: _Sources) -> list[Option]:
    return [
        _option(section, field.alias or key, field, found)
        for key, field in kind.model_fields.items()
    ]


def _option(section: str, key: str, field: FieldInfo, found: _Sources) -> Option:
    kind, choices = _kind(section, key, field)
    default = field.get_default(call_default_factory=True)
    source, place, raw = found.find(section, key)
    given = source != "default"
    return Option(
        section=section,
        key=key,
        label=field.title or key,
        # Here they go into files by themselves.
        about=_as_typed(re.sub(_BETTER, "", field.description or "")),
        kind=kind,
        value="" if kind == "secret" else _masked(_typed(raw if given else default)),
        default=_typed(default),
        raw_default="" if default is None else default,
        given=given,
        source=source,  # type: ignore[arg-type]  # `find` gives no other word
        place=place,
        tail=_tail(str(raw)) if kind == "secret" and given else "",
        fixed=_fixed(section, key, source, place),
        choices=choices,
        longest=_longest(field),
    )


def _kind(section: str, key: str, field: FieldInfo) -> tuple[Kind, tuple[str, ...]]:
    kind = field.annotation
    if (section, key) == ("mail", "transport"):
        return "choice", installed("transports")
    if get_origin(kind) is Literal:
        return "choice", tuple(map(str, get_args(kind)))
    if kind == SecretStr | None:
        return "secret", ()
    if kind == list[str]:
        return "list", ()
    if kind in (int, bool):
        return ("yesno" if kind is bool else "number"), ()
    return ("long" if (_longest(field) or 0) >= LONG else "text"), ()


def _as_typed(about: str) -> str:
    """Show examples as a form takes them: without the quotes and brackets of the file."""
    return re.sub(r"`([\"\[][^`]*)`", lambda found: _example(found[1]), about)


def _example(written: str) -> str:
    value = tomllib.loads(f"it = {written}")["it"]
    lines = value if isinstance(value, list) else [value]
    return " and ".join(f"`{each}`" for each in lines)


def _longest(field: FieldInfo) -> int | None:
    found = (getattr(each, "max_length", None) for each in field.metadata)
    return next((each for each in found if each is not None), None)


def _typed(value: object) -> str:
    """Write a value as a form shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def on_one_line(value: object) -> str:
    """Write a value as the log keeps it: its lines side by side, no password in it."""
    return ", ".join(_masked(_typed(value)).splitlines())


def _masked(value: str) -> str:
    """Hide the password in an address, of a database or of what counts visits."""
    return re.sub(r"(\w+://[^:/@\s]*):[^@\s]*@", r"\1:…@", value)


_MASKED = re.compile(r"\w+://[^:/@\s]*:…@")


def _tail(secret: str) -> str:
    return secret[-4:] if len(secret) >= SHOWN_OF_LONG else ""


def _fixed(section: str, key: str, source: str, place: str) -> str:
    if source == "environment":
        return f"The environment sets it ({place}), which wins over the file."
    if f"{section}.{key}" in AT_START:
        return _ON_SERVER
    return _FOR_TESTS if key in ("api_base", "vies_base", "ga4_base") else ""


def labels(book: Book, names: Iterable[str]) -> list[str]:
    """Say what settings are called; one that is not there by its name."""
    found = [(name, book.option(name)) for name in names]
    return [option.label if option else name for name, option in found]


def change(option: Option, typed: str) -> Change:
    """Give what a form asks for. Whether it is right is checked with all the rest.

    Raises BadInputError, which names the setting, for letters that nobody can see, for
    an address whose password was left hidden, and for nothing where there must be
    something: the default would come unasked.
    """
    _check_letters(option, typed)
    if _MASKED.search(typed):
        raise BadInputError(
            "Its password is not shown, so it is not in what you changed.",
            "Type the whole address, with its password.",
            field=option.name,
        )
    if option.default and option.kind != "list" and not typed.strip():
        raise BadInputError(
            "This cannot be empty.",
            f"If nothing is set here it is “{option.default}”: type that for it.",
            field=option.name,
        )
    value = _meant(option, typed)
    if option.kind == "secret":
        return Change(option.section, option.key, value or None, "", as_file=True)
    same = value is None or value == option.raw_default
    return Change(
        option.section, option.key, None if same else value, option.raw_default
    )


def _check_letters(option: Option, typed: str) -> None:
    allowed = "\n\t" if option.kind in ("long", "list") else ""
    if any(_is_hidden(each, option.kind) for each in typed if each not in allowed):
        raise BadInputError(
            "There is something in it that cannot be seen, or a line break.",
            "Type it once more instead of copying it.",
            field=option.name,
        )


def _is_hidden(letter: str, kind: Kind) -> bool:
    """Say whether a letter should not be there: what joins and turns letters may, in a
    name, but not in a key that was copied."""
    if kind == "secret":
        return not letter.isprintable()
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs")


def _meant(option: Option, typed: str) -> object | None:
    """Read what was typed; what cannot be read stays as it is, for the check to name."""
    typed = typed.strip()
    if option.kind == "list":
        return [each.strip() for each in re.split(r"[\n,]", typed) if each.strip()]
    if option.kind == "number" and re.fullmatch(r"-?\d{1,18}", typed):
        return int(typed)
    if option.kind == "yesno" and typed in ("true", "false"):
        return typed == "true"
    return typed
