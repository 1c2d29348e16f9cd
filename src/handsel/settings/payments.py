"""How buyers pay: which providers, and what each of them needs to know."""

from typing import Literal

from pydantic import Field, SecretStr

from handsel.settings.section import Section, Words


class PaymentSettings(Section):
    """Which ways to pay are offered."""

    enabled: Words = Field(
        default_factory=list,
        title="Ways to pay",
        description="Providers by name, in the order of their buttons, for instance "
        '`["stripe", "paypal"]`. Empty: Stripe when its key is set and PayPal when its '
        "secret is, else `test` when `shop.url` is this machine. On a public address "
        "`test` must be named here to be used.",
    )


class StripeSettings(Section):
    """Cards and wallets by Stripe."""

    secret_key: SecretStr | None = Field(
        None,
        title="Stripe: secret key",
        description="Secret or restricted key; better in a file: `secret_key_file`.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        title="Stripe: signing secret of the web hook",
        description="Signing secret of the web hook; two, separated by a comma, while "
        "you change it. Better in a file: `webhook_secret_file`.",
    )
    publishable_key: str = Field(
        "",
        title="Stripe: publishable key",
        description="Publishable key, `pk_test_...` or `pk_live_...`, of the same account "
        "and mode as the secret one; it is no secret. Paying on your own page needs it.",
        pattern=r"^(pk_(test|live)_\w+)?$",
        examples=["pk_live_51Abc"],
    )
    page: Literal["own", "hosted"] = Field(
        "own",
        title="Where buyers pay by card",
        description="Where buyers pay by card: `own`, on a page of your shop with "
        "Stripe's fields in it, once `stripe.publishable_key` is set; `hosted`, on "
        "Stripe's page.",
    )
    api_base: str = Field(
        "",
        title="Stripe: another address of the API",
        description="Another address of the API; only with HANDSEL_ENV=test.",
    )

    @property
    def own_page(self) -> bool:
        """Whether buyers pay on a page of the shop's own."""
        return self.page == "own" and bool(self.publishable_key)


class PayPalSettings(Section):
    """PayPal accounts, and what else PayPal's own page offers."""

    client_id: str = Field(
        "",
        title="PayPal: client ID",
        description="Client ID of your app in PayPal's Developer Dashboard. It is no "
        "secret.",
        pattern=r"^[A-Za-z0-9_-]*$",
        examples=["AeA1QIZXiflr1_-r0U2UbWTziOWX1GRQer5jkUq4ZfWT5qwb6qQRPq7jDtv57TL4"],
    )
    secret: SecretStr | None = Field(
        None,
        title="PayPal: secret",
        description="Its secret; better in a file: `secret_file`.",
    )
    webhook_id: str = Field(
        "",
        title="PayPal: webhook ID",
        description="Webhook ID, which PayPal shows beside the web hook of that app: "
        "messages for any other are refused. It is no secret.",
        pattern=r"^[A-Za-z0-9-]*$",
        examples=["5GP028458E2496506"],
    )
    sandbox: bool = Field(
        False,
        title="PayPal: sandbox",
        description="Whether the three are of PayPal's sandbox, where no real money moves.",
    )
    api_base: str = Field(
        "",
        title="PayPal: another address of the API",
        description="Another address of the API; only with HANDSEL_ENV=test.",
    )
