"""Who looks: a person with a phone, or a machine."""

from functools import lru_cache

from handsel.models.words import Device

_MACHINES = ("crawl", "spider", "fetch", "preview", "proxy", "monitor", "scan")
_TOOLS = ("curl", "wget", "python", "httpx", "aiohttp", "java/", "go-http", "okhttp")
LONGEST = 500


def may_read(agent: str) -> bool:
    """Say whether this may be a person, which costs nothing: browsers call themselves
    Mozilla, whoever made them."""
    return agent[:8].lower() in ("mozilla/", "opera/9.")


@lru_cache(maxsize=2000)
def device(agent: str) -> Device | None:
    """Say from a User-Agent what somebody looks with; None for what is no person."""
    said = agent[:LONGEST].lower()
    if not may_read(agent) or any(word in said for word in (*_MACHINES, *_TOOLS)):
        return None
    if "bot" in said.replace("cubot", ""):  # which is a phone
        return None
    # Hundreds of patterns, which only the first visit waits for.
    from ua_parser import parse_device

    found = parse_device(agent[:LONGEST])
    if found and found.family == "Spider":
        return None
    brand = (found.brand or "") if found else ""
    family = found.family if found else ""
    if "Tablet" in brand or family in ("iPad", "Kindle") or "tablet" in said:
        return Device.TABLET
    if "mobile" in said or family == "iPhone":
        return Device.PHONE
    return Device.COMPUTER


def name(agent: str) -> str:
    """Say which browser this is, as people call it: `Firefox on Linux`."""
    from ua_parser import parse

    found = parse(agent[:LONGEST])
    browser = found.user_agent.family if found.user_agent else "Unknown browser"
    return f"{browser} on {found.os.family}" if found.os else browser
