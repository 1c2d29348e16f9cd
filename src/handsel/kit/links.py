"""Links in Markdown: which are relative, and how to make them whole.

A link that is read in a mail has no page it could be relative to.
"""

import re
from urllib.parse import urljoin

from markdown_it.common.utils import unescapeAll

from handsel.kit.markdown import links_of, normalised

# `](place`, `](<place>`, and at the beginning of a line `[name]: place`.
_PLACE = re.compile(
    r"(?P<before>\]\(\s*|^ {0,3}\[[^\]\n]+\]:\s*)(?:<(?P<long>[^<>\n]+)>|(?P<short>[^\s<>)]+))",
    re.MULTILINE,
)
_WHOLE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def relative_links(text: str) -> list[str]:
    """Give the links and pictures of a text that lead nowhere from a mail."""
    return [link for link in links_of(text) if not _WHOLE.match(link)]


def whole_links(text: str, base: str) -> str:
    """Make relative links whole, as seen from the address `base`; the rest stays.

    Places within the text (`#fixes`) cannot be, and stay as well.
    """
    relative = {link for link in relative_links(text) if not link.startswith("#")}

    def whole(found: re.Match[str]) -> str:
        place = found["long"] or found["short"]
        if normalised(unescapeAll(place)) not in relative:
            return found[0]
        joined = urljoin(f"{base}/", place)
        return found["before"] + (f"<{joined}>" if found["long"] else joined)

    return _PLACE.sub(whole, text)
