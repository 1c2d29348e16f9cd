"""Whether money can come in, and whether it is meant to: what the settings say."""

from collections.abc import Iterator

from handsel.ops.doctor.findings import Finding, Level
from handsel.settings import Settings, is_loopback


def settings_of(settings: Settings) -> Iterator[Finding]:
    """Look at settings that are each allowed, and together a mistake."""
    yield from _providers(settings)
    yield from _mail(settings)
    if settings.is_public and settings.server.proxy == "none":
        yield Finding(
            "H025",
            Level.INFO,
            "server.proxy is `none`, so every visitor counts as the proxy itself if "
            "there is one in front.",
            "Behind Caddy or nginx, set server.proxy to its name.",
        )


def _providers(settings: Settings) -> Iterator[Finding]:
    if not settings.providers:
        yield Finding(
            "H020",
            Level.ERROR,
            "No payment provider is in use: nobody can buy.",
            "Set stripe.secret_key_file, or paypal.secret_file; see the tutorial.",
        )
    if settings.is_public and "test" in settings.providers:
        yield Finding(
            "H021",
            Level.WARNING,
            f"Test payments are on in a public shop ({settings.public_url}): whoever "
            "comes gets the files without paying.",
            'Take "test" out of payments.enabled before you sell.',
        )
    for problem, hint in _without_money(settings):
        yield Finding("H022", Level.WARNING, problem, hint)
    if "stripe" in settings.providers and _pays_elsewhere_unasked(settings):
        yield Finding(
            "H070",
            Level.INFO,
            "Buyers leave your shop to pay: there is no stripe.publishable_key.",
            "Copy it from Stripe's dashboard, under Developers, and they pay on your own "
            'page; or set stripe.page = "hosted" if you want it so.',
        )


def _without_money(settings: Settings) -> Iterator[tuple[str, str]]:
    """Say which providers only play, and how to sell by them."""
    if "stripe" in settings.providers and _stripe_is_for_tests(settings):
        yield (
            "Stripe is used with a test key: no real money moves.",
            "Put the live key into stripe.secret_key_file when you are ready to sell.",
        )
    if "paypal" in settings.providers and settings.paypal.sandbox:
        yield (
            "PayPal is used with its sandbox: no real money moves.",
            "Set paypal.sandbox = false, and the three of your live app, to sell.",
        )


def _pays_elsewhere_unasked(settings: Settings) -> bool:
    return settings.stripe.page == "own" and not settings.stripe.own_page


def _stripe_is_for_tests(settings: Settings) -> bool:
    key = settings.stripe.secret_key
    return key is not None and "_test_" in key.get_secret_value()[:9]


def _mail(settings: Settings) -> Iterator[Finding]:
    mail = settings.mail
    if settings.is_public and mail.transport == "folder":
        yield Finding(
            "H030",
            Level.WARNING,
            "Mails are written into a folder and sent to nobody (mail.transport).",
            'Set mail.transport = "smtp" and mail.host; then `handsel mail test YOU`.',
        )
    if not settings.shop.email:
        yield Finding(
            "H031",
            Level.WARNING,
            "Buyers cannot see how to reach you: shop.email is empty.",
            "Set shop.email; orders that need a look are reported there, too.",
        )
    far = not is_loopback(mail.host)
    if mail.transport == "smtp" and mail.security == "none" and far:
        yield Finding(
            "H032",
            Level.WARNING,
            f"Mails, and the links in them, go to {mail.host} unprotected.",
            'Set mail.security to "starttls" or "tls".',
        )
