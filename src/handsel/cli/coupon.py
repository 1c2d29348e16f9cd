"""`handsel coupon`: words that lower a price."""

from pathlib import Path
from typing import Any

import click

from handsel.cli import times
from handsel.cli.common import answer, opened, shop_command, table
from handsel.ops import couponing
from handsel.sales import coupons
from handsel.sales.coupons import MOST_AT_ONCE

USES = click.IntRange(1, 1_000_000_000)


@click.group()
def coupon() -> None:
    """Words that lower a price."""


@coupon.command()
@click.argument("code")
@click.option("--percent", help="What part it takes off: 20, or 12.5.")
@click.option("--amount", help='What amount it takes off: 5, or "5 USD".')
@click.option(
    "--product", "products", multiple=True, metavar="SLUG", help="Only for this one."
)
@click.option("--least", help="Only for prices of this or more.")
@click.option(
    "--from",
    "starts_at",
    callback=times.moment,
    metavar="TIME",
    help="When it begins to count: 2027-01-31, or 2027-01-31T09:00.",
)
@click.option(
    "--until",
    "ends_at",
    callback=times.until,
    metavar="TIME",
    help="When it ends; a date alone counts to its last minute.",
)
@click.option("--most", "most_uses", type=USES, help="Uses in all.")
@click.option("--each", "most_each", type=USES, help="Uses of one buyer.")
@click.option(
    "--many",
    "count",
    type=click.IntRange(1, MOST_AT_ONCE),
    help="Make so many with CODE as their beginning.",
)
@shop_command
def create(code: str, home: Path, as_json: bool, **said: Any) -> None:
    """Make the coupon CODE.

    Example: handsel coupon create SPRING --percent 20 --until 2027-05-31 --most 100

    With --many every code gets random letters, and counts once unless --most says
    otherwise.
    """
    if said["count"] is not None and said["most_uses"] is None:
        said["most_uses"] = 1
    with opened(home) as shop:
        made = couponing.make(shop, code, **said)
        url = f"{shop.settings.public_url}/p/SLUG"
    first = made[0]
    answer(
        as_json,
        made if said["count"] is not None else first,
        "\n".join(each["code"] for each in made)
        if said["count"] is not None
        else f"{first['code']} takes {first['takes_off']} off.",
        then=f"As a link: {(first['links'] or [f'{url}?coupon=' + first['code']])[0]}",
    )


@coupon.command("list")
@click.option("--batch", help="Only those made together, by how their codes begin.")
@shop_command
def list_coupons(batch: str | None, home: Path, as_json: bool) -> None:
    """List coupons, newest first, with how often each is used."""
    with opened(home) as shop, shop.reading() as session:
        found = [
            couponing.facts(shop, each) for each in coupons.listed(session, batch=batch)
        ]
    rows = [
        (
            each["code"],
            each["takes_off"],
            f"{each['uses']}/{each['most_uses'] or '-'}",
            each["state"],
            times.last_day(each["ends_at"]),
            ", ".join(each["products"]) or "everything",
        )
        for each in found
    ]
    head = ("CODE", "OFF", "USES", "STATE", "UNTIL", "FOR")
    answer(
        as_json,
        found,
        table(head, rows) if rows else "There are no coupons.",
        then="" if rows else "Next: handsel coupon create SPRING --percent 20",
    )


@coupon.command()
@click.argument("code")
@shop_command
def show(code: str, home: Path, as_json: bool) -> None:
    """Show one coupon with all its limits."""
    with opened(home) as shop, shop.reading() as session:
        data = couponing.facts(shop, coupons.get(session, code))
    lines = [
        f"{key:15} {', '.join(value) if isinstance(value, list) else value}"
        for key, value in data.items()
        if value not in (None, [])
    ]
    answer(as_json, data, "\n".join(lines))


_BATCH = click.option("--batch", help="All that were made together, instead of one.")


@coupon.command()
@click.argument("code", required=False)
@_BATCH
@shop_command
def end(code: str | None, batch: str | None, home: Path, as_json: bool) -> None:
    """Let a coupon count no more; purchases that were begun with it keep their price."""
    _switch(code, batch, home, as_json, active=False)


@coupon.command()
@click.argument("code", required=False)
@_BATCH
@shop_command
def revive(code: str | None, batch: str | None, home: Path, as_json: bool) -> None:
    """Let a coupon that was ended count again."""
    _switch(code, batch, home, as_json, active=True)


def _switch(
    code: str | None, batch: str | None, home: Path, as_json: bool, *, active: bool
) -> None:
    if (code is None) is (batch is None):
        raise click.UsageError("Name the CODE of one coupon, or a --batch of many.")
    with opened(home) as shop:
        if batch is not None:
            with shop.transaction() as session:
                many = coupons.switch_batch(session, batch, active=active)
            word = "count again" if active else "count no more"
            answer(as_json, {"switched": many}, f"Coupons that {word}: {many}.")
            return
        assert code is not None
        with shop.transaction() as session:
            coupons.switch(session, code, active=active)
        with shop.reading() as session:
            data = couponing.facts(shop, coupons.get(session, code))
    answer(as_json, data, f"{data['code']}: {data['state']}, {data['uses']} uses.")
