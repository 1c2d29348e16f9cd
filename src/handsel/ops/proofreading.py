"""Reading the seller's own templates without filling them in: slips, with their line.

What Jinja can tell beforehand: names that a page is never given, blocks that nobody
shows, templates that are not there. What ours uses, or names in the comment at its
head, is what a template of that name is given.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes

from handsel.ops import previewing
from handsel.outbound import letters
from handsel.settings import Settings

OURS = Path(str(files("handsel"))) / "templates"
BLOCKS_OF_MAILS = {"subject", "text", "html"}
OF_FLASK = {"config", "request", "session", "g", "url_for", "get_flashed_messages"}
_HEAD = re.compile(r"\s*\{#(.*?)#\}", re.DOTALL)
_WORD = re.compile(r"\b[a-z_]\w*\b")

Slip = tuple[int, str]
"""A line, and what is wrong there."""


def problems(home: Path, settings: Settings) -> list[str]:
    """Name everything that is wrong with the seller's templates, each once."""
    found = [error.message for error in previewing.broken(home, settings)]
    env = letters.environment(home)
    for path in previewing.own_templates(home):
        name = path.relative_to(home / "templates").as_posix()
        tree = _parsed(env, path)
        for line, what in sorted(_slips(env, name, tree)) if tree else ():
            found.append(f"templates/{name}, line {line}: {what}.")
    return list(dict.fromkeys(found))


def _parsed(env: Environment, path: Path) -> nodes.Template | None:
    """Read a template; None where it cannot be read, which is told elsewhere."""
    try:
        text = path.read_text("utf-8")
        env.compile(text)  # which knows filters, too
        return env.parse(text)
    except (TemplateSyntaxError, UnicodeDecodeError, OSError):
        return None


def _slips(env: Environment, name: str, tree: nodes.Template) -> Iterator[Slip]:
    missing = list(_missing(env, tree))
    yield from missing
    if not missing:
        yield from _blocks(env, name, tree)
    if (OURS / name).exists() and not Path(name).name.startswith("_"):
        yield from _names(env, name, tree)


def _missing(env: Environment, tree: nodes.Template) -> Iterator[Slip]:
    """Find templates that are asked for, and are not there."""
    for node in tree.find_all(
        (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
    ):
        name = getattr(getattr(node, "template", None), "value", None)
        optional = isinstance(node, nodes.Include) and node.ignore_missing
        if isinstance(name, str) and not optional and _source(env, name) is None:
            yield node.lineno, f"there is no template {name}"


def _source(env: Environment, name: str) -> str | None:
    assert env.loader
    try:
        return env.loader.get_source(env, name)[0]
    except (TemplateNotFound, UnicodeDecodeError):
        return None


def _blocks(env: Environment, name: str, tree: nodes.Template) -> Iterator[Slip]:
    """Find blocks at the top that are filled in for nobody."""
    parent = tree.find(nodes.Extends)
    mail = name.startswith("mail/") and name.endswith(".jinja")
    if not parent and not mail:
        return
    if parent and not isinstance(parent.template, nodes.Const):
        return  # which frame it has is known when it is shown
    shown = _shown(env, tree) | (BLOCKS_OF_MAILS if mail else set())
    for node in tree.body:
        if isinstance(node, nodes.Block) and node.name not in shown:
            there = ", ".join(sorted(shown))
            yield (
                node.lineno,
                f"nobody shows the block '{node.name}'; there are {there}",
            )


def _shown(env: Environment, tree: nodes.Template) -> set[str]:
    """Name the blocks of all that a template extends."""
    parent = tree.find(nodes.Extends)
    wanted = parent.template if parent else None
    if not isinstance(wanted, nodes.Const):
        return set()
    text = _source(env, str(wanted.value))
    above = env.parse(text or "")
    return {block.name for block in above.find_all(nodes.Block)} | _shown(env, above)


def _names(env: Environment, name: str, tree: nodes.Template) -> Iterator[Slip]:
    """Find names that a template of this name is not given."""
    unknown = meta.find_undeclared_variables(tree) - _given(env, name) - _asked(tree)
    seen = set()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown and node.name not in seen:
            seen.add(node.name)
            yield node.lineno, f"'{node.name}' is undefined"


def _given(env: Environment, name: str) -> set[str]:
    text = (OURS / name).read_text("utf-8")
    frame = (OURS / "base.html").read_text("utf-8")
    used = meta.find_undeclared_variables(env.parse(text))
    return used | _told(text) | _told(frame) | set(env.globals) | OF_FLASK


def _told(text: str) -> set[str]:
    """Give the words of the comment at the head of a template, which names them."""
    head = _HEAD.match(text)
    return set(_WORD.findall(head[1])) if head else set()


def _asked(tree: nodes.Template) -> set[str]:
    """Name what a template asks for before it uses it: `is defined`."""
    tests = [t for t in tree.find_all(nodes.Test) if t.name in ("defined", "undefined")]
    return {test.node.name for test in tests if isinstance(test.node, nodes.Name)}
