"""Every setting: its name, type, default, and one sentence that says what it is for.

They come from `handsel.toml` in the home folder; the environment wins over the file, as
`HANDSEL_SECTION__KEY`. Any setting can be read from a file of its own by adding `_file`
to its name: secrets belong there, not in `handsel.toml`.
"""

from handsel.settings.fields import (
    CONFIG_FILE,
    DatabaseSettings,
    MailSettings,
    Settings,
    StorageSettings,
)
from handsel.settings.loopback import is_loopback
from handsel.settings.payments import PayPalSettings, StripeSettings
from handsel.settings.reading import load_settings
from handsel.settings.running import differing, while_running

__all__ = [
    "CONFIG_FILE",
    "DatabaseSettings",
    "MailSettings",
    "PayPalSettings",
    "Settings",
    "StorageSettings",
    "StripeSettings",
    "differing",
    "is_loopback",
    "load_settings",
    "while_running",
]
