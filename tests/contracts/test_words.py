"""Everything says what it is, and nobody who buys reads our own words."""

import ast
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import handsel
from handsel.cli import COMMANDS
from handsel.cli import handsel as program

SOURCE = Path(handsel.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
OURS = {
    *("entitlement", "grant", "nonce", "token", "payload", "outbox", "ledger"),
    *("allowance", "dedupe", "idempotency", "hmac", "null", "none", "traceback"),
    *("web hook", "webhook", "reconcile", "capture", "session"),
}
# What buyers can meet. Commands and checks speak to the seller.
TO_BUYERS = (
    "web",
    "delivery/access",
    "delivery/serving",
    "customers",
    "sales",
    "kit/text",
    "kit/ranges",
)


def public(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Every function and class that other modules may use."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(SOURCE))
)
def test_every_module_and_everything_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    silent = [each.name for each in public(tree) if not ast.get_docstring(each)]
    assert ast.get_docstring(tree), f"{path} does not say what it is for"
    assert silent == []


def errors_raised(path: Path) -> Iterator[str]:
    """The words of every error that is made in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name.endswith("Error") and name[:-5] not in ("Value", "Runtime", "Key"):
            for argument in node.args:
                yield from (
                    part.value
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


def test_errors_that_buyers_read_use_none_of_our_own_words() -> None:
    spoken = {
        words
        for path in MODULES
        if str(path.relative_to(SOURCE)).startswith(TO_BUYERS)
        for words in errors_raised(path)
    }
    assert len(spoken) > 40
    wrong = {words for words in spoken if OURS & set(_folded(words))}
    assert wrong == set()


def _folded(words: str) -> list[str]:
    return [word.strip(".,:;`'\"()?").lower() for word in words.split()]


def commands(
    group: click.Group, before: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found, name
        if isinstance(found, click.Group):
            yield from commands(found, (*before, name))
        else:
            yield " ".join((*before, name)), found


def test_every_command_explains_itself_and_takes_home_and_json() -> None:
    found = dict(commands(program))
    assert len(found) > 20
    for name, command in found.items():
        options = {word for param in command.params for word in param.opts}
        assert command.help, f"{name} has no help"
        assert {"--home", "--json"} <= options, name
        for param in command.params:
            if isinstance(param, click.Option) and not param.hidden:
                shown = param.help or param.show_default
                assert shown, f"{name} {param.name} has no help"


def test_the_list_of_commands_says_one_sentence_of_each() -> None:
    for name, (_, sentence) in COMMANDS.items():
        assert sentence.endswith("."), name
