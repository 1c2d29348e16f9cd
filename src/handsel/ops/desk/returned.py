"""Reading the mailbox of mails that came back, at the desk: begun now, and how it went.

The worker reads it every five minutes; this is for whoever has just set it up, or waits.
A full mailbox takes minutes, so it runs beside the pages.
"""

from dataclasses import dataclass
from pathlib import Path

from handsel.kit.errors import ConflictError
from handsel.ops import bouncing
from handsel.ops.desk import beside
from handsel.ops.desk.beside import Run
from handsel.shop import Shop

_WORDS = ["mail", "bounces", "--mailbox"]


@dataclass(frozen=True)
class Reading:
    """The last reading. `sentences`: how many mails came to what; empty if it failed."""

    run: Run
    problem: str
    sentences: tuple[str, ...]


def start(shop: Shop) -> None:
    """Begin to read the mailbox. Raises ConflictError if it is read, or there is none."""
    if not shop.settings.mail.bounce_mailbox:
        raise ConflictError("There is no mailbox to read.", bouncing.NAME_ONE)
    busy = "The mailbox is being read already."
    beside.start(_state(shop), shop.home, _WORDS, {}, busy)


def last(shop: Shop) -> Reading:
    """Say what came of the last reading."""
    run = beside.last(_state(shop))
    is_over = "read" in run.answer
    return Reading(
        run=run,
        problem=run.problem,
        sentences=tuple(bouncing.sentences(run.answer)) if is_over else (),
    )


def _state(shop: Shop) -> Path:
    return shop.home / beside.FOLDER / "mailbox.run"
