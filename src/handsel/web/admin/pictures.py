"""QR codes, to be drawn into a page by the macro `qr`."""

from dataclasses import dataclass

import segno

QUIET = 2
"""Modules of white around the code; readers want some."""


@dataclass(frozen=True)
class QrCode:
    """A code as one path of squares, each of size 1.

    Args:
        size: of the whole, in squares, with the white around it.
    """

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """Make the code of a text (ISO/IEC 18004, error correction M)."""
    code = segno.make(text, micro=False, error="m")
    squares = (
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y, row in enumerate(code.matrix)
        for x, dark in enumerate(row)
        if dark
    )
    return QrCode(len(code.matrix) + 2 * QUIET, "".join(squares))
