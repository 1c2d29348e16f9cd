"""Whatever is written into the log of the desk is a sentence there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import handsel
from handsel.settings.running import sections
from handsel.web.admin.log_words import SAID, said

SOURCE = Path(handsel.__file__).parent
WRITERS = {"audited", "logged", "_noted"}
LOGS = r"audit\.write|AuditEntry\.action"
NOUNS = {action.partition(".")[0] for action in SAID}
SETTINGS = {
    f"{section}.{field.alias or key}"
    for section, kind in sections()
    for key, field in kind.model_fields.items()
}


def written() -> Iterator[str]:
    """Give every action that the code names, as a pattern."""
    files = [*(SOURCE / "web/admin").glob("*.py"), *(SOURCE / "ops").rglob("*.py")]
    for path in files:
        text = path.read_text("utf-8")
        ours = "web/admin" in str(path) or re.search(LOGS, text)
        if ours and path.name != "log_words.py":
            for node in ast.walk(ast.parse(text)):
                yield from _handed_over(node)
                if isinstance(node, ast.Constant | ast.JoinedStr):
                    yield from _named(node)


def _handed_over(node: ast.AST) -> Iterator[str]:
    """Give what goes straight to what writes, whatever noun it begins with."""
    if not isinstance(node, ast.Call):
        return
    name = ast.unparse(node.func)
    if name in WRITERS or name == "audit.write":
        for each in node.args:
            if isinstance(each, ast.Constant) and re.fullmatch(
                r"[a-z_]+\.[a-z_]+", str(each.value)
            ):
                yield re.escape(str(each.value))


def _named(node: ast.Constant | ast.JoinedStr) -> Iterator[str]:
    """Give what begins with the noun of an action, also `f"coupon.{word}"`."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    pattern = "".join(
        re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[a-z_]+"
        for each in parts
    )
    noun, dot, rest = pattern.partition("\\.")
    is_action = noun in NOUNS and dot and re.fullmatch(r"[a-z_\[\]+-]+", rest)
    if is_action and pattern.replace("\\", "") not in SETTINGS:
        yield pattern


def test_every_action_that_is_written_has_its_sentence_and_no_other_has() -> None:
    patterns = set(written())
    assert len(patterns) > 50
    silent = {
        each for each in patterns if not any(re.fullmatch(each, one) for one in SAID)
    }
    assert silent == set()
    unused = {
        one for one in SAID if not any(re.fullmatch(each, one) for each in patterns)
    }
    assert unused == set()


def test_a_sentence_says_what_was_done_and_not_how_we_call_it() -> None:
    for action, sentence in SAID.items():
        assert re.fullmatch(r"[A-Z][\w ,']+", sentence), action
    assert len(set(SAID.values())) == len(SAID)


def test_what_failed_is_said_as_what_was_begun() -> None:
    assert said("mail.tested_failed") == "Sent a test mail, which failed"
