"""Whether the open shop runs with what its file says now, and what keeps it from that."""

from collections.abc import Iterator

from handsel.kit.errors import ConfigurationError
from handsel.ops.doctor.findings import Finding, Level
from handsel.settings import CONFIG_FILE, differing, load_settings, while_running
from handsel.shop import Shop


def look(shop: Shop) -> Iterator[Finding]:
    """Compare the settings of an open shop with those it would be opened with."""
    try:
        found = load_settings(shop.home)
    except ConfigurationError as error:
        for problem in error.message.split("\n"):
            yield Finding(
                "H001",
                Level.ERROR,
                f"{problem} The shop goes on with the settings it had.",
                f"Mend {CONFIG_FILE}: with this mistake the shop could not be started.",
            )
        return
    if waiting := differing(found, while_running(shop.settings, found)):
        names = " and ".join(waiting)
        yield Finding(
            "H004",
            Level.INFO,
            f"{names} changed, which counts from the next start of the shop.",
            "Start it anew, for instance with `systemctl restart handsel`.",
        )
