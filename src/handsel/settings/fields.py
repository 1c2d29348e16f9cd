"""Every setting: name, type, default, its label at the desk, and what it is for."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from handsel.settings.analytics import AnalyticsSettings
from handsel.settings.embed import TRIAL, EmbedSettings
from handsel.settings.loopback import is_loopback
from handsel.settings.payments import PaymentSettings, PayPalSettings, StripeSettings
from handsel.settings.section import Section, Words
from handsel.settings.tax import InvoiceSettings, TaxSettings

CONFIG_FILE = "handsel.toml"


class ShopSettings(Section):
    """Who sells, and where."""

    url: str = Field(
        "http://127.0.0.1:8000",
        title="Address of the shop",
        description="The shop's own address, as buyers see it. Every mailed link "
        "begins with it. https, except on this machine itself.",
        pattern=r"^https?://[^/?#\s]+/?$",
        examples=["https://shop.example.com"],
    )
    name: str = Field(
        "My shop",
        title="Name of the shop",
        description="The shop's name: in every page, mail and payment page.",
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["Ada's Books"],
    )
    email: str = Field(
        "",
        title="E-mail for buyers",
        description="Where buyers can reach you; shown on purchase pages and receipts.",
        max_length=254,
        pattern=r"^([^@\s<>]+@[^@\s<>]+)?$",
        examples=["books@example.com"],
    )
    address: str = Field(
        "",
        title="Postal address",
        description="Your postal address: on invoices, and at the foot of receipts.",
        max_length=500,
    )
    currency: str = Field(
        "EUR",
        title="Usual currency",
        description="The currency of a price typed without one, as three letters.",
        pattern=r"^[A-Z]{3}$",
        examples=["EUR"],
    )
    locale: str = Field(
        "en",
        title="Language of prices and dates",
        description="How prices and dates are written, for instance `en` or `de_AT`.",
        pattern=r"^[a-z]{2,3}([_-][A-Za-z]{2,4}){0,2}$",
        examples=["en", "de_AT"],
    )


class ServerSettings(Section):
    """How the shop is served."""

    bind: str = Field(
        "127.0.0.1:8000",
        title="Listens on",
        description="Address and port to listen on.",
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$",
        examples=["127.0.0.1:8000"],
    )
    threads: int = Field(
        128,
        title="Pages served at once",
        description="Page threads; at most half of them wait for a payment provider.",
        ge=4,
        le=1024,
    )
    proxy: Literal["none", "caddy", "nginx"] = Field(
        "none",
        title="Web server in front",
        description="The web server in front, whose word about the visitor's address "
        "and https is believed. `none` believes nobody.",
    )
    accel: bool = Field(
        False,
        title="Files are sent by the web server in front",
        description="Let the proxy send the files (X-Accel-Redirect to `/_files/`). "
        "Needs the matching block in its configuration: see Operating.",
    )
    country_header: str = Field(
        "",
        title="Header with the visitor's country",
        description="The header in which what stands in front says a visitor's country, "
        "for instance `CF-IPCountry`; evidence for the tax. It must overwrite what "
        "visitors send.",
        pattern=r"^[A-Za-z0-9-]{0,60}$",
        examples=["CF-IPCountry"],
    )


class DatabaseSettings(Section):
    """Where orders and customers are kept."""

    url: str = Field(
        "sqlite:///data/handsel.db",
        title="Database",
        description="`sqlite:///FILE` (relative to the home folder) or "
        "`postgresql://USER@HOST/NAME`.",
        pattern=r"^(sqlite:///|postgres(ql)?(\+psycopg)?://).+",
        examples=["sqlite:///data/handsel.db", "postgresql://USER@HOST/NAME"],
    )


class StorageSettings(Section):
    """Where the files for sale are kept."""

    kind: Literal["local"] = Field(
        "local", title="Kind of storage", description="`local`: a folder."
    )
    path: str = Field(
        "data/files",
        title="Folder of the files",
        description="The folder, relative to the home folder; never inside a web root.",
    )


class MailSettings(Section):
    """How mail leaves the house."""

    transport: str = Field(
        "folder",
        title="How mails go out",
        description="`folder` writes each mail as a file into `mail/` in the home "
        "folder; `smtp` sends it.",
    )
    from_: str = Field(
        "",
        alias="from",
        title="Sender",
        description='The sender, for instance `"Ada Byron <books@example.com>"`. '
        "Empty: the shop's name at the host of `shop.url`.",
    )
    bounces: str = Field(
        "",
        title="Address for undeliverable mails",
        description="Where mails to buyers come back to that cannot be delivered, for "
        'instance `"bounces@example.com"`; everything to `bounces+...@example.com` must '
        "arrive there too. Read them with `handsel mail bounces`, or set "
        "`mail.bounce_mailbox`. Empty: `mail.from`.",
        pattern=r"^([A-Za-z0-9._-]{1,21}@[A-Za-z0-9.-]{1,189})?$",
        examples=["bounces@example.com"],
    )
    bounce_mailbox: str = Field(
        "",
        title="Mailbox of undeliverable mails",
        description="The mailbox that bounces arrive in, for instance "
        '`"imaps://you@imap.example.com/INBOX"`. The worker reads it every five minutes '
        "and changes nothing in it. `imap://` wants STARTTLS, except on this machine "
        "itself.",
    )
    bounce_password: SecretStr | None = Field(
        None,
        title="Password of that mailbox",
        description="Its password; better in a file: `bounce_password_file`.",
    )
    mailgun_signing_key: SecretStr | None = Field(
        None,
        title="Mailgun: signing key",
        description="Mailgun's HTTP webhook signing key, to hear of bounces and "
        "complaints at `/webhooks/mailgun`. Better in a file: "
        "`mailgun_signing_key_file`.",
    )
    postmark_secret: SecretStr | None = Field(
        None,
        title="Postmark: password of the web hook",
        description="The password in the address that Postmark's web hook calls, to "
        "hear of bounces and complaints at `/webhooks/postmark`; at least 20 letters "
        "of your own. Better in a file: `postmark_secret_file`.",
    )
    ses_topics: Words = Field(
        default_factory=list,
        title="Amazon SES: topics",
        description="The ARN of each Amazon SNS topic by which Amazon SES tells of "
        "bounces and complaints at `/webhooks/ses`, for instance "
        '`["arn:aws:sns:eu-central-1:123456789012:bounces"]`. No other topic is '
        "believed.",
    )
    sendgrid_public_key: str = Field(
        "",
        title="SendGrid: verification key",
        description="The verification key of SendGrid's signed event web hook, to hear "
        "of bounces and complaints at `/webhooks/sendgrid`. It is no secret.",
    )
    host: str = Field(
        "", title="Mail server", description="The mail server of the `smtp` transport."
    )
    port: int = Field(
        587,
        title="Port of the mail server",
        description="Its port: 587 STARTTLS, 465 TLS.",
        ge=1,
        le=65535,
    )
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", title="Encryption", description="How the connection is protected."
    )
    user: str = Field(
        "",
        title="User name at the mail server",
        description="User name for the mail server; empty: no log-in.",
    )
    password: SecretStr | None = Field(
        None,
        title="Password at the mail server",
        description="Its password; better in a file: `password_file`.",
    )
    dkim_selector: str = Field(
        "",
        title="DKIM selector",
        description="The name of the key your mail provider signs with (DKIM): the word "
        "before `._domainkey` in your DNS. Only `handsel doctor` looks at it.",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$",
        examples=["s1"],
    )
    rate: str = Field(
        "",
        title="Speed of mails to everyone",
        description="How fast a mail to everyone goes out at the most, for instance "
        '`"5/s"`, `"300/m"` or `"2000/h"`. Empty: as fast as the server takes it.',
        pattern=r"^([1-9]\d{0,6} ?/ ?[smh])?$",
        examples=["5/s"],
    )
    connections: int = Field(
        4,
        title="Connections at once",
        description="How many connections to the mail server a mail to everyone uses "
        "at once.",
        ge=1,
        le=32,
    )


class DeliverySettings(Section):
    """What a buyer may do with a purchase."""

    download_limit: int = Field(
        5,
        title="Downloads of each file",
        description="How often each file of a purchase can be fetched, unless the "
        "product says otherwise.",
        ge=1,
        le=1000,
    )
    grant_hours: int = Field(
        24,
        title="Hours in which a download can go on",
        description="How long one press on a download button goes on serving resumes, "
        "in hours.",
        ge=1,
        le=168,
    )


class Settings(Section):
    """All settings of one shop, checked."""

    env: Literal["production", "test"] = "production"
    shop: ShopSettings = Field(default_factory=ShopSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    mail: MailSettings = Field(default_factory=MailSettings)
    payments: PaymentSettings = Field(default_factory=PaymentSettings)
    stripe: StripeSettings = Field(default_factory=StripeSettings)
    paypal: PayPalSettings = Field(default_factory=PayPalSettings)
    tax: TaxSettings = Field(default_factory=TaxSettings)
    invoice: InvoiceSettings = Field(default_factory=InvoiceSettings)
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)
    analytics: AnalyticsSettings = Field(default_factory=AnalyticsSettings)
    embed: EmbedSettings = Field(default_factory=EmbedSettings)

    @property
    def public_url(self) -> str:
        """The shop's address without a slash at the end."""
        return self.shop.url.rstrip("/")

    @property
    def is_public(self) -> bool:
        """Whether `shop.url` can be reached from other machines."""
        return not is_loopback(urlsplit(self.shop.url).hostname or "")

    @property
    def sites(self) -> list[str]:
        """The origins whose pages may show the shop's: those that are listed, and for a
        shop that only this machine can reach the page on which its buttons are tried."""
        trial = () if self.is_public else TRIAL
        return list(dict.fromkeys([*self.embed.listed, *trial]))

    @property
    def providers(self) -> list[str]:
        """Names of the payment providers in use, in the order of their buttons."""
        if self.payments.enabled:
            return list(self.payments.enabled)
        found = {"stripe": self.stripe.secret_key, "paypal": self.paypal.secret}
        with_keys = [name for name, key in found.items() if key]
        return with_keys or ([] if self.is_public else ["test"])
