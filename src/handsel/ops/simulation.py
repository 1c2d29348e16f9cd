"""A whole purchase without a browser, by the same steps as one with: test money only."""

import secrets

from handsel.kit.errors import ConfigurationError, ConflictError
from handsel.kit.text import normalise_email
from handsel.ops import beginning
from handsel.outbound.letters import purchase_link
from handsel.sales import checkout
from handsel.sales.checkout import Buyer, Wish
from handsel.sales.payments.test import TestProvider
from handsel.shop import Shop

CARD = "4242 4242 4242 4242"


def buy(
    shop: Shop,
    slug: str,
    email: str,
    number: int,
    wish: Wish = Wish(),  # noqa: B008  # frozen
) -> dict[str, str]:
    """Buy one product with test money; `{n}` in the address becomes `number`.

    Raises ConfigurationError where test payments are off, NotFoundError, BadInputError.
    """
    provider = shop.providers.get("test")
    if not isinstance(provider, TestProvider):
        raise ConfigurationError(
            "This shop takes real money, so nothing can be simulated in it.",
            'Name "test" in payments.enabled, or try it in a shop of its own.',
        )
    address = normalise_email(email.replace("{n}", str(number)))
    with shop.reading() as session:
        offer = checkout.prepare(
            session, slug, wish, units=shop.units, now=shop.now(), drafts=True
        )
    if not offer.price.minor:
        raise ConflictError(
            f"{offer.name} is free: nothing is paid for it.",
            f"Use `handsel order give {slug} {address}`.",
        )
    return _pay(shop, provider, offer, address)


def _pay(
    shop: Shop, provider: TestProvider, offer: checkout.Offer, email: str
) -> dict[str, str]:
    key = checkout.checkout_key(secrets.token_urlsafe(16), offer, provider.name)
    started = beginning.begin(shop, offer, key, provider, Buyer(email))
    expiry = f"12/{(shop.now().year + 1) % 100:02}"
    provider.submit(
        started.session_id,
        email=email,
        number=CARD,
        expiry=expiry,
        cvc="123",
        now=shop.now(),
    )
    order = shop.hear(provider.name, started.session_id)
    link = purchase_link(shop.keys, shop.settings, order)
    return {"number": order.number, "email": email, "link": link}
