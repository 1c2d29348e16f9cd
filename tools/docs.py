"""Keep the documents true: refresh the parts made from the code, and check the rest.

A generated part of a document stands between `<!-- made by tools/docs.py: NAME -->` and
`<!-- end -->`. Without an option the parts are written anew; `--check` writes nothing
and fails when one is stale. Both also follow every link from one document to another.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args, get_origin

import click
from click.testing import CliRunner
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from sqlalchemy import inspect

from handsel.cli import handsel
from handsel.models.database import Database
from handsel.ops import schema
from handsel.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/handsel"
MARK = re.compile(
    r"(<!-- made by tools/docs\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL
)


def main(check: bool) -> int:
    """Refresh or check every document; the exit code says whether all is well."""
    problems = []
    for document in documents():
        old = document.read_text("utf-8")
        new = refreshed(old)
        if new != old and check:
            problems.append(f"{_name(document)} is stale: run `make fix`.")
        elif new != old:
            document.write_text(new, "utf-8")
    problems += dead_links()
    print("\n".join(problems) or "The documents are fresh, and their links lead on.")
    return 1 if problems else 0


def documents() -> list[Path]:
    """Give every document of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def refreshed(text: str) -> str:
    """Write the generated parts of a document anew."""
    return MARK.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def settings_part() -> str:
    """Every setting, a table for each section."""
    return "".join(
        f"\n### {section}\n\n{kind.__doc__}\n\n"
        "| setting, and its name in the environment | what it takes | if not set | what it is for |\n"
        "|---|---|---|---|\n" + "".join(_setting(section, kind))
        for section, field in Settings.model_fields.items()
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
    )


def _setting(section: str, kind: type[BaseModel]) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        key = field.alias or name
        yield (
            f"| `{section}.{key}`<br>`HANDSEL_{section.upper()}__{key.upper()}` "
            f"| {_takes(field)} | {_default(field)} "
            f"| **{field.title}.** {field.description} |\n"
        )


def _takes(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        *words, last = (f"`{word}`" for word in get_args(kind))
        return f"{', '.join(words)} or {last}" if words else last
    limits = {type(limit).__name__: limit for limit in field.metadata}
    if kind is int:
        return f"a whole number, {limits['Ge'].ge} to {limits['Le'].le}"
    return _KINDS[kind]


_KINDS: dict[Any, str] = {
    str: "text",
    bool: "`true` or `false`",
    list[str]: "a list of words",
    SecretStr | None: "a secret",
}


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "nothing" if value in (None, "", []) else f"`{value}`"


def commands_part() -> str:
    """What every command says of itself when it is asked with --help."""
    return "".join(
        f"\n### {' '.join(('handsel', *words))}\n\n```text\n{_help(words)}```\n"
        for words in _commands((), handsel)
    )


def _commands(
    words: tuple[str, ...], command: click.Command
) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from _commands((*words, name), found)


def _help(words: tuple[str, ...]) -> str:
    asked = CliRunner().invoke(
        handsel, [*words, "--help"], prog_name="handsel", terminal_width=88
    )
    assert asked.exit_code == 0, asked.output
    return asked.output


def templates_part() -> str:
    """Every template with what it says of itself: what it shows, what it gets."""
    folder = PACKAGE / "templates"
    return "".join(
        f"\n### {path.relative_to(folder).as_posix()}\n\n```text\n{_comment(path)}\n```\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )


def _comment(template: Path) -> str:
    found = re.match(r"\{#-?(.*?)-?#\}", template.read_text("utf-8"), re.DOTALL)
    assert found, f"{template.name} does not begin with what it gets"
    return found[1].strip()


def variables_part() -> str:
    """The colours of the stylesheet, light and dark."""
    text = (PACKAGE / "static/shop.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+)", block))
        for block in re.findall(r":root:not\(\[data-theme=.*?\}", text, re.DOTALL)
    )
    rows = (f"| `--{name}` | `{light[name]}` | `{dark[name]}` |\n" for name in light)
    return "| variable | light | dark |\n|---|---|---|\n" + "".join(rows)


def plugs_part() -> str:
    """Every implementation that is registered under one of our entry points."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return "| entry point | name | where | what |\n|---|---|---|---|\n" + "".join(
        f"| `{group}` | `{name}` | `{place}` | {_sentence(place.partition(':')[0])} |\n"
        for group, points in project["entry-points"].items()
        for name, place in points.items()
    )


def _sentence(module: str) -> str:
    text = (ROOT / "src" / f"{module.replace('.', '/')}.py").read_text("utf-8")
    return text.removeprefix('"""').partition("\n")[0].removesuffix('"""')


def views_part() -> str:
    """The columns of every view, in a database made by the migrations."""
    with TemporaryDirectory() as folder:
        database = Database("sqlite:///views.db", Path(folder))
        schema.upgrade(database)
        found = inspect(database.engine)
        rows = [
            f"| `{view}` | "
            + ", ".join(f"`{column['name']}`" for column in found.get_columns(view))
            + " |\n"
            for view in sorted(found.get_view_names())
        ]
        database.close()
    return "| view | columns |\n|---|---|\n" + "".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings_part,
    "commands": commands_part,
    "templates": templates_part,
    "variables": variables_part,
    "plugs": plugs_part,
    "views": views_part,
}


def dead_links() -> Iterator[str]:
    """Name every link between documents that leads to no file or no heading."""
    for document in documents():
        text = _prose(document)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"\w+:", target):
                continue
            path, _, anchor = target.partition("#")
            place = (document.parent / path).resolve() if path else document
            if not place.exists():
                yield f"{_name(document)}: there is no {target}."
            elif anchor and anchor not in _anchors(place):
                yield f"{_name(document)}: {path} has no heading #{anchor}."


def _prose(document: Path) -> str:
    return re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)


def _anchors(document: Path) -> set[str]:
    """Name the headings of a document as they stand in an address."""
    heads = re.findall(r"^#+ (.+)$", _prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
