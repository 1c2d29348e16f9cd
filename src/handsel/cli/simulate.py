"""`handsel simulate`: whole purchases without a browser."""

from pathlib import Path

import click

from handsel.cli.common import answer, opened, shop_command, table
from handsel.ops import simulation
from handsel.sales.checkout import Wish


@click.command()
@click.argument("slug")
@click.option("--email", required=True, help="Who buys; {n} counts up with --times.")
@click.option("--times", type=click.IntRange(1, 100_000), default=1, show_default=True)
@click.option("--coupon", default="", help="The code of a coupon.")
@click.option("--amount", default="", help="What is paid where the price is open.")
@shop_command
def simulate(
    slug: str,
    email: str,
    times: int,
    coupon: str,
    amount: str,
    home: Path,
    as_json: bool,
) -> None:
    """Buy the product SLUG with test money, from the press on Buy to the link.

    Example: handsel simulate mybook --email "reader{n}@example.com" --times 3
    """
    wish = Wish(coupon, amount)
    with opened(home) as shop:
        made = [simulation.buy(shop, slug, email, n + 1, wish) for n in range(times)]
    rows = [(each["number"], each["email"], each["link"]) for each in made]
    answer(
        as_json,
        made,
        table(("NUMBER", "E-MAIL", "LINK"), rows),
        then=f"See what became of it: handsel order show {made[-1]['number']}",
    )
