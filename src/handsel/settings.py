"""Every setting: its name, type, default, and one sentence that says what it is for.

They come from `handsel.toml` in the home folder; the environment wins over the file, as
`HANDSEL_SECTION__KEY`. Any setting can be read from a file of its own by adding `_file`
to its name: secrets belong there, not in `handsel.toml`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from handsel.kit.errors import ConfigurationError
from handsel.kit.money import currencies, is_locale

CONFIG_FILE = "handsel.toml"


def _words(value: object) -> object:
    """Let the environment write a list as `test,stripe`."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Words = Annotated[list[str], BeforeValidator(_words)]


class Section(BaseModel):
    """One `[section]` of the file; an unknown key in it is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ShopSettings(Section):
    """Who sells, and where."""

    url: str = Field(
        "http://127.0.0.1:8000",
        description="The shop's own address, as buyers see it. Every mailed link "
        "begins with it. https, except on this machine itself.",
        pattern=r"^https?://[^/?#\s]+/?$",
        examples=["https://shop.example.com"],
    )
    name: str = Field(
        "My shop",
        description="The shop's name: in every page, mail and payment page.",
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        examples=["Ada's Books"],
    )
    email: str = Field(
        "",
        description="Where buyers can reach you; shown on purchase pages and receipts.",
        max_length=254,
        pattern=r"^([^@\s<>]+@[^@\s<>]+)?$",
        examples=["books@example.com"],
    )
    address: str = Field(
        "",
        description="Your postal address, at the foot of receipts, if your law wants it.",
        max_length=500,
    )
    currency: str = Field(
        "EUR",
        description="The currency of a price typed without one, as three letters.",
        pattern=r"^[A-Z]{3}$",
        examples=["EUR"],
    )
    locale: str = Field(
        "en",
        description="How prices and dates are written, for instance `en` or `de_AT`.",
        pattern=r"^[a-z]{2,3}([_-][A-Za-z]{2,4}){0,2}$",
        examples=["en", "de_AT"],
    )


class ServerSettings(Section):
    """How the shop is served."""

    bind: str = Field(
        "127.0.0.1:8000",
        description="Address and port to listen on.",
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$",
        examples=["127.0.0.1:8000"],
    )
    threads: int = Field(
        128,
        description="Page threads; at most half of them wait for a payment provider.",
        ge=4,
        le=1024,
    )
    proxy: Literal["none", "caddy", "nginx"] = Field(
        "none",
        description="The web server in front, whose word about the visitor's address "
        "and https is believed. `none` believes nobody.",
    )
    accel: bool = Field(
        False,
        description="Let the proxy send the files (X-Accel-Redirect to `/_files/`). "
        "Needs the matching block in its configuration: see Operating.",
    )


class DatabaseSettings(Section):
    """Where orders and customers are kept."""

    url: str = Field(
        "sqlite:///data/handsel.db",
        description="`sqlite:///FILE` (relative to the home folder) or "
        "`postgresql://USER@HOST/NAME`.",
        pattern=r"^(sqlite:///|postgres(ql)?(\+psycopg)?://).+",
        examples=["sqlite:///data/handsel.db", "postgresql://USER@HOST/NAME"],
    )


class StorageSettings(Section):
    """Where the files for sale are kept."""

    kind: Literal["local"] = Field("local", description="`local`: a folder.")
    path: str = Field(
        "data/files",
        description="The folder, relative to the home folder; never inside a web root.",
    )


class MailSettings(Section):
    """How mail leaves the house."""

    transport: str = Field(
        "folder",
        description="`folder` writes each mail as a file into `mail/` in the home "
        "folder; `smtp` sends it.",
    )
    from_: str = Field(
        "",
        alias="from",
        description='The sender, for instance `"Ada Byron <books@example.com>"`. '
        "Empty: the shop's name at the host of `shop.url`.",
    )
    host: str = Field("", description="The mail server of the `smtp` transport.")
    port: int = Field(
        587, description="Its port: 587 STARTTLS, 465 TLS.", ge=1, le=65535
    )
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is protected."
    )
    user: str = Field(
        "", description="User name for the mail server; empty: no log-in."
    )
    password: SecretStr | None = Field(
        None, description="Its password; better in a file: `password_file`."
    )


class PaymentSettings(Section):
    """Which ways to pay are offered."""

    enabled: Words = Field(
        default_factory=list,
        description="Providers by name, in the order of their buttons, for instance "
        '`["stripe"]`. Empty: Stripe when its key is set, else `test` when `shop.url` '
        "is this machine. On a public address `test` must be named here to be used.",
    )


class StripeSettings(Section):
    """Cards and wallets by Stripe."""

    secret_key: SecretStr | None = Field(
        None,
        description="Secret or restricted key; better in a file: `secret_key_file`.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="Signing secret of the web hook; two, separated by a comma, while "
        "you change it. Better in a file: `webhook_secret_file`.",
    )
    api_base: str = Field(
        "", description="Another address of the API; only with HANDSEL_ENV=test."
    )


class DeliverySettings(Section):
    """What a buyer may do with a purchase."""

    download_limit: int = Field(
        5,
        description="How often each file of a purchase can be fetched, unless the "
        "product says otherwise.",
        ge=1,
        le=1000,
    )
    grant_hours: int = Field(
        24,
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
    delivery: DeliverySettings = Field(default_factory=DeliverySettings)

    @property
    def public_url(self) -> str:
        """The shop's address without a slash at the end."""
        return self.shop.url.rstrip("/")

    @property
    def is_public(self) -> bool:
        """Whether `shop.url` can be reached from other machines."""
        return not is_loopback(urlsplit(self.shop.url).hostname or "")

    @property
    def providers(self) -> list[str]:
        """Names of the payment providers in use, in the order of their buttons."""
        if self.payments.enabled:
            return list(self.payments.enabled)
        if self.stripe.secret_key:
            return ["stripe"]
        return [] if self.is_public else ["test"]


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check all settings of the shop in `home`.

    Raises ConfigurationError with one line for each problem.
    """
    text = _config_text(home)
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{home / CONFIG_FILE} cannot be read: {error}.",
            "Mend that line; text values need quotes.",
        ) from error
    values.pop("env", None)
    for section, key, value in _from_environment(environ):
        keys = values.setdefault(section, {})
        if isinstance(keys, dict):
            keys[key] = value
    if "HANDSEL_ENV" in environ:
        values["env"] = environ["HANDSEL_ENV"]
    problems = _read_secret_files(values, home)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_problem(dict(each), text) for each in error.errors()]
    else:
        problems += _contradictions(settings)
    if problems:
        raise ConfigurationError(
            "\n".join(problems), "Mend handsel.toml, then try again."
        )
    return settings


def _config_text(home: Path) -> str:
    path = home / CONFIG_FILE
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no shop in {home}: it has no {CONFIG_FILE}.",
            "Make one with `handsel init`, or say where it is with --home.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {_why(error)}.",
            "It should be a text file in UTF-8 that the shop's user may read.",
        ) from error


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    found = []
    for name, value in environ.items():
        match = re.fullmatch(r"HANDSEL_([A-Z]+)__([A-Z0-9_]+)", name)
        if match:
            found.append((match[1].lower(), match[2].lower(), value))
    return found


def _read_secret_files(values: dict[str, Any], home: Path) -> list[str]:
    """Replace every `key_file` by `key` with the file's content; give the problems."""
    problems = []
    for section, keys in values.items():
        if not isinstance(keys, dict):
            continue
        for key in [key for key in keys if key.endswith("_file")]:
            path = home / str(keys.pop(key))
            try:
                keys[key.removesuffix("_file")] = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(
                    f"{section}.{key}: {path} cannot be read: {_why(error)}."
                )
    return problems


def _problem(error: dict[str, Any], text: str) -> str:
    """Put one finding of the checker into a sentence with the line it is about."""
    path = [str(part) for part in error["loc"]]
    name = ".".join(path)
    line = _line_of(path, text)
    where = f"{CONFIG_FILE}, line {line}: " if line else ""
    if error["type"] == "extra_forbidden":
        return f"{where}there is no setting called {name}."
    message = _wanted(error, path)
    secret = any(word in name for word in ("key", "secret", "password"))
    given = "" if secret else f"; it is {error['input']!r}"
    return f"{where}{name}: {message}{given}."


def _wanted(error: dict[str, Any], path: list[str]) -> str:
    """Say what a value should be, in words a seller knows."""
    if error["type"] == "string_pattern_mismatch":
        section: Any = Settings.model_fields[path[0]].annotation
        fields = section.model_fields.items()
        (field,) = [f for key, f in fields if path[1] in (key, f.alias)]
        return f"it should look like {' or '.join(map(repr, field.examples))}"
    if error["type"] == "model_type":
        return f"it should be a section: write [{path[0]}] on a line of its own"
    if error["type"] == "string_type":
        return "it should be text, in quotes"
    message = error["msg"].replace("Input should", "it should")
    return f"{message[0].lower()}{message[1:]}"


def _why(error: OSError | UnicodeDecodeError) -> str:
    """Give the reason alone: the path is said already."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    return error.strerror or str(error)


def _line_of(path: list[str], text: str) -> int | None:
    section, current = path[0], ""
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if header:
            current = header[1]
        wanted = path[1] if len(path) > 1 else None
        if current == section and (header if wanted is None else _sets(line, wanted)):
            return number
    return None


def _sets(line: str, key: str) -> bool:
    return re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line) is not None


def _contradictions(settings: Settings) -> list[str]:
    """Say what is wrong between settings that are each right by themselves."""
    problems = []
    if settings.is_public and not settings.shop.url.startswith("https://"):
        problems.append(
            "shop.url: a shop that others can reach needs https, or their links and "
            f"payments could be read on the way; it is {settings.shop.url!r}."
        )
    if settings.stripe.api_base and settings.env != "test":
        problems.append("stripe.api_base: only accepted with HANDSEL_ENV=test.")
    if settings.mail.transport == "smtp" and not settings.mail.host:
        problems.append("mail.host: the smtp transport needs the mail server's name.")
    if "stripe" in settings.providers:
        problems += _stripe_problems(settings.stripe)
    return problems + _unknown(settings)


def _unknown(settings: Settings) -> list[str]:
    """Say what has the right form, and yet names nothing."""
    shop, sender = settings.shop, settings.mail.from_
    problems = []
    if shop.currency not in currencies():
        problems.append(f"shop.currency: {shop.currency} is no currency of ISO 4217.")
    if not is_locale(shop.locale):
        problems.append(f"shop.locale: {shop.locale} is no language known here.")
    if sender and "@" not in parseaddr(sender)[1]:
        problems.append(f"mail.from: {sender!r} is no address.")
    return problems


def _stripe_problems(stripe: StripeSettings) -> list[str]:
    if not stripe.secret_key:
        return ["stripe.secret_key: payments by Stripe need it; see the tutorial."]
    key = stripe.secret_key.get_secret_value()
    if not re.match(r"(sk|rk)_(test|live)_\w+$", key):
        return ["stripe.secret_key: it should begin with sk_test_, sk_live_ or rk_."]
    secrets = stripe.webhook_secret.get_secret_value() if stripe.webhook_secret else ""
    if any(len(secret.strip()) < 20 for secret in secrets.split(",")):
        return ["stripe.webhook_secret: needed, at least 20 letters; see the tutorial."]
    return []
