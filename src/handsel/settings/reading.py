"""Reading and checking the settings: every problem in one go, with its line."""

import os
import re
import tomllib
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handsel.kit.errors import ConfigurationError
from handsel.kit.money import currencies, is_locale
from handsel.settings import analytics, embed, tax
from handsel.settings.fields import (
    CONFIG_FILE,
    MailSettings,
    Settings,
)
from handsel.settings.mailboxes import read_mailbox
from handsel.settings.payments import PayPalSettings, StripeSettings

_TOPIC = r"arn:aws(-cn|-us-gov|-eusc)?:sns:[a-z0-9-]{1,40}:\d{12}:[\w-]{1,256}"


def load_settings(home: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read and check all settings of the shop in `home`.

    Raises ConfigurationError with one line for each problem.
    """
    return read_settings(config_text(home), home, environ)


def read_settings(
    text: str, home: Path, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The same for a text that would be the file. Raises ConfigurationError."""
    values = given_values(text, home, environ)
    problems = _read_secret_files(values, home)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_problem(dict(each), text, environ) for each in error.errors()]
    else:
        problems += _contradictions(settings)
    if problems:
        raise ConfigurationError(
            "\n".join(problems), "Mend handsel.toml or the environment, then try again."
        )
    return settings


def given_values(
    text: str, home: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Give what file and environment say, unchecked. Raises ConfigurationError."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{home / CONFIG_FILE} cannot be read: {error}.",
            "Mend that line; text values need quotes.",
        ) from error
    values.pop("env", None)
    given = from_environment(environ)
    for section, key, _ in given:
        keys = values.setdefault(section, {})
        if isinstance(keys, dict):  # in whichever of both ways the file says it
            keys.pop(key.removesuffix("_file"), None)
            keys.pop(f"{key.removesuffix('_file')}_file", None)
    for section, key, value in given:
        if isinstance(keys := values[section], dict):
            keys[key] = value
    if "HANDSEL_ENV" in environ:
        values["env"] = environ["HANDSEL_ENV"]
    return values


def files_of(home: Path, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Name every file that settings are read from, as far as that can be seen."""
    found = [home / CONFIG_FILE]
    try:
        values = given_values(config_text(home), home, environ)
    except ConfigurationError:
        return found
    return found + [
        home / str(path)
        for keys in values.values()
        if isinstance(keys, dict)
        for key, path in keys.items()
        if key.endswith("_file")
    ]


def config_text(home: Path) -> str:
    """Read the file of the settings. Raises ConfigurationError."""
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


def from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Give what the environment sets: section, key, value."""
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


def _problem(error: dict[str, Any], text: str, environ: Mapping[str, str]) -> str:
    """Put one finding of the checker into a sentence, with the place it is about."""
    path = [str(part) for part in error["loc"]]
    name = ".".join(path)
    where = _place(path, text, environ)
    if error["type"] == "extra_forbidden":
        return f"{where}there is no setting called {name}."
    message = _wanted(error, path)
    secret = any(word in name for word in ("key", "secret", "password", "token"))
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
    if error["type"] in ("int_parsing", "int_type", "int_from_float"):
        return "it should be a whole number"
    if error["type"] in ("bool_parsing", "bool_type"):
        return "it should be true or false"
    message = re.sub("^(Input|String) should", "it should", error["msg"])
    return f"{message[0].lower()}{message[1:]}"


def _why(error: OSError | UnicodeDecodeError) -> str:
    """Give the reason alone: the path is said already."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text in UTF-8"
    return error.strerror or str(error)


def _place(path: list[str], text: str, environ: Mapping[str, str]) -> str:
    """Name the variable or the line that a value comes from, if there is one."""
    variable = f"HANDSEL_{'__'.join(path)}".upper()
    line = line_of(path, text)
    if any(name == variable or name.startswith(f"{variable}__") for name in environ):
        return f"{variable} in the environment: "
    return f"{CONFIG_FILE}, line {line}: " if line else ""


def line_of(path: list[str], text: str) -> int | None:
    """Say in which line of the file a section begins, or a setting of it stands."""
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
    if settings.paypal.api_base and settings.env != "test":
        problems.append("paypal.api_base: only accepted with HANDSEL_ENV=test.")
    if settings.tax.vies_base and settings.env != "test":
        problems.append("tax.vies_base: only accepted with HANDSEL_ENV=test.")
    if settings.analytics.ga4_base and settings.env != "test":
        problems.append("analytics.ga4_base: only accepted with HANDSEL_ENV=test.")
    if settings.mail.transport == "smtp" and not settings.mail.host:
        problems.append("mail.host: the smtp transport needs the mail server's name.")
    if "stripe" in settings.providers:
        problems += _stripe_problems(settings.stripe)
    if "paypal" in settings.providers:
        problems += _paypal_problems(settings.paypal)
    problems += tax.problems(settings.tax, settings.invoice, settings.providers)
    problems += embed.problems(settings.embed, settings.env)
    problems += _mailbox_problems(settings.mail) + _relay_problems(settings.mail)
    problems += analytics.problems(settings.analytics)
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


def _mailbox_problems(mail: MailSettings) -> list[str]:
    if not mail.bounce_mailbox:
        return []
    try:
        read_mailbox(mail.bounce_mailbox)
    except ValueError as error:
        return [f"mail.bounce_mailbox: {error}."]
    if not mail.bounce_password:
        return ["mail.bounce_password: the mailbox needs it; better in a file."]
    return []


def _relay_problems(mail: MailSettings) -> list[str]:
    """Refuse secrets that could be guessed: who knows one can silence an address."""
    problems = [
        f"mail.ses_topics: {topic!r} is no ARN of a topic of Amazon SNS; one looks like "
        "arn:aws:sns:eu-central-1:123456789012:bounces."
        for topic in mail.ses_topics
        if not re.fullmatch(_TOPIC, topic, re.ASCII)
    ]
    if mail.sendgrid_public_key and not _is_p256(mail.sendgrid_public_key):
        problems.append(
            "mail.sendgrid_public_key: it should be the verification key that SendGrid "
            "shows, in one line that begins with MFkw."
        )
    secrets = {
        "mail.mailgun_signing_key": mail.mailgun_signing_key,
        "mail.postmark_secret": mail.postmark_secret,
    }
    return problems + [
        f"{name}: it should have at least 20 letters."
        for name, secret in secrets.items()
        if secret and len(secret.get_secret_value().strip()) < 20
    ]


def _is_p256(key: str) -> bool:
    # Only who listens to SendGrid waits for the library.
    from handsel.kit.publickeys import UntrueError, load_p256

    try:
        load_p256(key)
    except UntrueError:
        return False
    return True


def _stripe_problems(stripe: StripeSettings) -> list[str]:
    if not stripe.secret_key:
        return ["stripe.secret_key: payments by Stripe need it; see the tutorial."]
    key = stripe.secret_key.get_secret_value()
    if not re.match(r"(sk|rk)_(test|live)_\w+$", key):
        return ["stripe.secret_key: it should begin with sk_test_, sk_live_ or rk_."]
    secrets = stripe.webhook_secret.get_secret_value() if stripe.webhook_secret else ""
    if any(len(secret.strip()) < 20 for secret in secrets.split(",")):
        return ["stripe.webhook_secret: needed, at least 20 letters; see the tutorial."]
    return _publishable_problems(stripe, key)


def _publishable_problems(stripe: StripeSettings, secret_key: str) -> list[str]:
    """Say what keeps buyers from paying on the shop's own page, if that is wanted."""
    if not stripe.publishable_key:
        # By itself the page is Stripe's without it; then the doctor says so.
        asked = stripe.page == "own" and "page" in stripe.model_fields_set
        wrong = 'paying on your own page needs it; or set stripe.page = "hosted".'
        return [f"stripe.publishable_key: {wrong}"] if asked else []
    mode = secret_key.split("_")[1]
    if mode == stripe.publishable_key.split("_")[1]:
        return []
    wrong = f"it should begin with pk_{mode}_, because the secret key is a {mode} key."
    return [f"stripe.publishable_key: {wrong}"]


def _paypal_problems(paypal: PayPalSettings) -> list[str]:
    secret = paypal.secret.get_secret_value().strip() if paypal.secret else ""
    given = {
        "client_id": paypal.client_id,
        "secret": secret,
        "webhook_id": paypal.webhook_id,
    }
    return [
        f"paypal.{name}: payments by PayPal need it, at least {least} letters; see the "
        "tutorial."
        for name, least in {"client_id": 20, "secret": 20, "webhook_id": 10}.items()
        if len(given[name]) < least
    ]
