"""Which pages of the seller's own may show the shop's."""

import re
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from pydantic import Field

from handsel.settings.loopback import is_loopback
from handsel.settings.section import Section, Words

_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"

TRY_PORT = 8010
"""Where `product embed --try` shows its page, if nothing else is said."""
TRIAL = (f"http://127.0.0.1:{TRY_PORT}", f"http://localhost:{TRY_PORT}")


class EmbedSettings(Section):
    """Selling on your own pages, wherever they are."""

    origins: Words = Field(
        default_factory=list,
        title="Sites that may show the shop",
        description="The sites whose pages may show a product in an overlay or a card, for "
        'instance `["https://example.com", "https://www.example.com"]`: https and host, '
        "no path. Empty: buttons on your pages lead to the shop.",
    )

    @property
    def listed(self) -> list[str]:
        """The origins as browsers write them."""
        return [read_origin(each) for each in self.origins]


def read_origin(text: str) -> str:
    """Write an origin as browsers do: lower case, ASCII, no port that goes without saying.

    Raises ValueError with what is wrong with it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError:
        raise ValueError("should look like https://example.com") from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("should look like https://example.com")
    if more:
        raise ValueError(f"should end after the host: {parts.scheme}://{host}")
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (
        f":{port}" if port not in (None, usual) else ""
    )


def _ascii(host: str) -> str:
    """Give a host as it stands in a header; nothing for what could mean more there."""
    if ":" in host:
        return f"[{host}]" if re.fullmatch(r"[0-9a-f:.]+", host) else ""
    if not host.isascii():
        import idna  # only who has such a name waits for it

        host = idna.encode(host, uts46=True).decode()
    if host.rpartition(".")[2].isdigit():  # a browser reads all such as addresses
        return host if _is_address(host) else ""
    return host if re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", host) else ""


def _is_address(host: str) -> bool:
    try:
        return bool(IPv4Address(host))
    except ValueError:
        return False


def problems(embed: EmbedSettings, env: str) -> list[str]:
    """Say which origins are none, or could be read and changed on the way."""
    found = []
    for each in embed.origins:
        try:
            origin = urlsplit(read_origin(each))
        except ValueError as error:
            found.append(f"embed.origins: {each!r} {error}.")
            continue
        home = env == "test" or is_loopback(origin.hostname or "")
        if origin.scheme != "https" and not home:
            found.append(f"embed.origins: {each!r} should begin with https://.")
    return found
