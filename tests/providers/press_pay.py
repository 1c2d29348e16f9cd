"""A web process of its own in which buyers press Pay: `press_pay HOME NOW SESSION...`.

Says "ready", waits for a line, then pays each session and says what came of it.
"""

import sys
from datetime import datetime
from pathlib import Path

from handsel.sales.payments import test
from handsel.settings import Settings


def main(home: str, moment: str, *sessions: str) -> None:
    """Pay one session after the other, once told to begin."""
    provider = test.open_provider(Settings(), Path(home))
    _say("ready")
    sys.stdin.readline()
    for session in sessions:
        outcome = provider.submit(
            session,
            email="ada@example.org",
            number="4242 4242 4242 4242",
            expiry="12/34",
            cvc="123",
            now=datetime.fromisoformat(moment),
        )
        _say(outcome.result)


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
