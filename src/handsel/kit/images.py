"""The type and size of a cover image, read from its first bytes.

Sources: PNG (W3C, 11.2.2 IHDR), JPEG (ITU T.81, B.2.2 frame header), WebP (Google's
container specification: VP8, VP8L, VP8X).
"""

import struct

from handsel.kit.errors import BadInputError

LARGEST = 20_000_000
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


def image_size(content: bytes, name: str) -> tuple[str, int, int]:
    """Give media type, width and height in pixels of a PNG, JPEG or WebP.

    Raises BadInputError for anything else; `name` is what the sentence calls it.
    """
    try:
        found = _png(content) or _jpeg(content) or _webp(content)
    except (struct.error, IndexError):
        found = None
    if found is None or not (found[1] and found[2]):
        raise BadInputError(
            f"{name} is no picture the shop can show.", "Use a PNG, JPEG or WebP."
        )
    if len(content) > LARGEST:
        raise BadInputError(f"{name} is larger than 20 MB.", "Make it smaller.")
    return found


def _png(content: bytes) -> tuple[str, int, int] | None:
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", content[16:24])
    return "image/png", width, height


def _jpeg(content: bytes) -> tuple[str, int, int] | None:
    if not content.startswith(b"\xff\xd8"):
        return None
    at = 2
    while content[at] == 0xFF:
        marker, length = struct.unpack(">BH", content[at + 1 : at + 4])
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return "image/jpeg", width, height
        at += 2 + length
    return None


def _webp(content: bytes) -> tuple[str, int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(content[24:27], "little")
        return "image/webp", width, 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return "image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", content[26:30])
    return "image/webp", width & 0x3FFF, height & 0x3FFF
