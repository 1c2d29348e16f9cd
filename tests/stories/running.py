"""A command beside the pages as the desk finds it, without waiting for a real one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handsel.kit.locks import hold

HEAD = {"began_at": "2026-11-23T11:59:00+00:00", "asked": {}}


def cut_off(state: Path, answer: str = "") -> None:
    """Leave what one leaves behind whose process ended in the middle."""
    state.parent.mkdir(exist_ok=True)
    state.write_text(json.dumps(HEAD) + "\n" + answer)


@contextmanager
def that_runs(state: Path) -> Iterator[None]:
    """Let one run as long as the block does; then it has gone well."""
    cut_off(state)
    with state.open("a") as file:
        hold(file)
        yield
        file.write('{"ok": true}')
