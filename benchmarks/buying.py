"""What a buyer does, from the press on Buy to the purchase page."""

import re
from urllib.parse import urlsplit

from benchmarks.load import Unwelcome, Visitor, expect


async def press_buy(visitor: Visitor, number: int) -> str:
    """Press Buy; gives the path the buyer is sent to."""
    answer = await visitor.ask("POST", "/buy/book", b"provider=bench")
    return _where_to(expect(answer, 303).headers["location"])


async def start_buying(visitor: Visitor, number: int) -> None:
    """Press Buy and be sent to the provider's payment page; no more."""
    await press_buy(visitor, number)


async def buy(visitor: Visitor, number: int) -> None:
    """Buy whole: press, pay at the provider, come back, see the purchase page."""
    back = await press_buy(visitor, number)
    purchase = expect(await visitor.ask("GET", back), 303).headers["location"]
    page = expect(await visitor.ask("GET", _where_to(purchase)), 200)
    if b"/d/" not in page.body:
        raise Unwelcome("no download")


async def buy_in_2014(visitor: Visitor, number: int) -> None:
    """Buy whole in the old flow: one request that charges, inserts and mails."""
    body = f"email=buyer{number}%40example.com&token=tok_visa".encode()
    page = expect(await visitor.ask("POST", "/buy/1", body), 200)
    if not re.search(rb"/download/[0-9a-f-]{36}", page.body):
        raise Unwelcome("no download")


def _where_to(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
