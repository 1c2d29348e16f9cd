"""`python -m benchmarks [ROW ...]`: measure, explain, and say which goals are met."""

import argparse
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module

from benchmarks import machine
from benchmarks.rows import Row, paragraph, summary

ROWS = {
    "start": "start",
    "slow-readers": "slow_readers",
    "fast-reader": "fast_reader",
    "web-hooks": "web_hooks",
    "burst": "burst",
    "brown-out": "brown_out",
    "flow-2014": "old_flow",
    "visits": "visits",
    "freeze": "freeze",
    "broadcast": "broadcast",
    "beside-mail": "beside_mail",
    "desk-orders": "desk_orders",
    "desk-home": "desk_home",
}


def main() -> int:
    """Measure the rows that were named, or all; 1 when one could not be measured."""
    said = _arguments()
    tell = _quiet if said.json else _tell
    tell(machine.heading())
    rows: list[Row] = []
    failed: list[str] = []
    others: dict[str, float] = {}
    for name in said.rows or ROWS:
        tell(f"\n{name}")
        watch = machine.Others()
        try:
            measured = _measure(name)(quick=said.quick)
        except Exception:  # noqa: BLE001  # the other rows shall still be measured
            traceback.print_exc()
            failed.append(name)
            continue
        rows += measured
        others[name] = watch.share()
        tell("\n".join(map(paragraph, measured)))
        if others[name] > machine.BUSY:
            tell(f"  Other programs took {others[name]:.0%} of this machine meanwhile:")
            tell("  trust the ratios only, and measure again when it is quiet.")
    if said.json:
        data = {
            "machine": machine.facts(),
            "rows": [asdict(row) for row in rows],
            "others": others,
            "failed": failed,
        }
        print(json.dumps(data, ensure_ascii=False, indent=2))
    tell(f"\n{summary(rows, failed)}")
    return 1 if failed else 0


def _tell(text: str) -> None:
    print(text, flush=True)


def _quiet(_text: str) -> None:
    """Say nothing but the JSON at the end."""


def _arguments() -> argparse.Namespace:
    ask = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    ask.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    ask.add_argument("--quick", action="store_true", help="rougher, in a minute or so")
    ask.add_argument("--json", action="store_true", help="for programs")
    said = ask.parse_args()
    for name in said.rows:
        if name not in ROWS:
            ask.error(f"there is no row {name!r}; there are {', '.join(ROWS)}")
    return said


def _measure(name: str) -> Callable[..., list[Row]]:
    found: Callable[..., list[Row]] = import_module(f"benchmarks.{ROWS[name]}").measure
    return found


if __name__ == "__main__":
    sys.exit(main())
