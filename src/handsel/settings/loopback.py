"""Which names mean this machine itself."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
