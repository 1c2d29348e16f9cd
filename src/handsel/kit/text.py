"""Words that people type: slugs, e-mail addresses, names of files; sizes in words."""

import hashlib
import re
import unicodedata
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email

from handsel.kit.errors import BadInputError

MAX_SLUG = 60
MAX_FILENAME = 200
"""Bytes of UTF-8, so that any disk takes the name with something added to it."""

# Letters that do not come apart into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l"}
    | {
        "Æ": "AE",
        "Œ": "OE",
        "Ø": "O",
        "Đ": "D",
        "Þ": "Th",
        "Ł": "L",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    }
)

_APOSTROPHE = "['\N{RIGHT SINGLE QUOTATION MARK}]"

_MEANT = (
    *("gmail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com"),
    *("googlemail.com", "protonmail.com"),
)
"""The domains that a typing mistake is traced back to."""
_NEIGHBOURS = frozenset({"mail.com", "ymail.com", "email.com", "cloud.com"})
"""Real ones that are only a letter away from one of those."""

# Windows keeps these for devices, whatever extension follows.
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # emoji, Persian


def slugify(title: str) -> str:
    """Make the part of a URL that names a product: `Café au lait` is `cafe-au-lait`.

    At most 60 of a-z, 0-9 and single hyphens. A title without any of them, such as a
    Chinese one, gets `item-` and a short name that is always the same for that title.
    """
    plain = unicodedata.normalize("NFKD", title.lower().translate(_PLAIN))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(_APOSTROPHE, "", letters))
    slug = slug.strip("-")
    if len(slug) > MAX_SLUG:
        slug = slug[: MAX_SLUG + 1].rpartition("-")[0] or slug[:MAX_SLUG]
    name = hashlib.sha256(title.encode("utf-8", "replace")).hexdigest()[:8]
    return slug or f"item-{name}"


def check_slug(text: str) -> str:
    """Give the slug back when a URL can carry it.

    Raises BadInputError (field `slug`), which proposes one that can.
    """
    if len(text) <= MAX_SLUG and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        return text
    raise BadInputError(
        "The short name of a product has only a-z, 0-9 and single hyphens between"
        f" them, {MAX_SLUG} at most.",
        f"Try: {slugify(text)}" if text.strip() else "Try: my-book",
        field="slug",
    )


def normalise_email(text: str) -> str:
    """Check an e-mail address and write it in one way: trimmed, NFC, domain lower-case.

    Asks no name server. Raises BadInputError (field `email`).
    """
    trimmed = unicodedata.normalize("NFC", text.strip())
    if not trimmed:
        raise BadInputError(
            "There is no e-mail address.", "Type the one you read.", field="email"
        )
    try:
        return validate_email(
            trimmed,
            strict=True,
            check_deliverability=False,
            test_environment=True,  # lets `.test` pass, where sellers try things
        ).normalized
    except EmailNotValidError:
        raise BadInputError(
            "That is not a complete e-mail address.",
            _email_hint(trimmed),
            field="email",
        ) from None


def email_key(text: str) -> str:
    """Give what two spellings of one address share: all of it in lower case, NFC."""
    return unicodedata.normalize("NFC", text.strip().lower())


def suggest_email(text: str) -> str | None:
    """Propose the address that was probably meant: `x@gmial.com` is `x@gmail.com`.

    None when nothing looks mistyped. Only a hint: the address may well be right.
    """
    local, _, domain = text.strip().rpartition("@")
    domain = domain.lower()
    if not local or domain in _NEIGHBOURS or domain in _MEANT:
        return None
    for meant in _MEANT:
        if _is_slip(domain, meant):
            return f"{local}@{meant}"
    return None


def safe_filename(text: str) -> str:
    """Make a name that any disk and any browser takes, in any language; never empty.

    Keeps the extension and at most 200 bytes of UTF-8. Folders, control characters,
    signs that Windows refuses and names it reserves are taken out or replaced.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    clean = re.sub(r'[<>:"|?*]', "_", shown(last)).strip(" .")
    if _RESERVED.match(clean):
        clean = f"_{clean}"
    return _shorten(clean) or "file"


def content_disposition(filename: str) -> str:
    """Write the header that saves a file under its name (RFC 6266, RFC 8187).

    Old programs read the twin in ASCII, all others the name in its own letters.
    """
    name = safe_filename(filename)
    stem, extension = _split(name)
    twin = f"{_ascii(stem).strip(' .') or 'file'}{_ascii(extension)}"
    header = f'attachment; filename="{twin}"'
    if twin == name:
        return header
    return f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def human_size(size: int) -> str:
    """Say how large a file is, as people do: `1.4 MB`. A kB is 1000 bytes."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    unit = 1000
    for name in ("kB", "MB", "GB", "TB"):
        tenths = (size * 10 + unit // 2) // unit
        if tenths < 10_000 or name == "TB":
            break
        unit *= 1000
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest} {name}" if rest else f"{whole} {name}"


def _email_hint(text: str) -> str:
    if "@" not in text:
        return "There is no @ in it; it should look like name@example.com."
    if re.search(r"[\s,;]", text):
        return "Type one address, without spaces or commas, like name@example.com."
    return "It should look like name@example.com."


def _is_slip(typed: str, meant: str) -> bool:
    """Say whether one or two slips of the finger lead from one domain to the other.

    An ending may have one slip, since hotmail.ca and hotmail.ch are real; a short name
    one as well; two only when the first letter is right.
    """
    typed_name, _, typed_ending = typed.partition(".")
    name, _, ending = meant.partition(".")
    if abs(len(typed) - len(meant)) > 2 or not typed_name:
        return False
    in_name, in_ending = _slips(typed_name, name), _slips(typed_ending, ending)
    allowed = 2 if len(name) > 5 and typed_name[0] == name[0] else 1
    return in_name <= allowed and in_ending <= 1 and in_name + in_ending <= 2


def _slips(typed: str, meant: str) -> int:
    """Count letters added, left out, mistaken or swapped (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, sign in enumerate(typed, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(meant, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (sign != wanted))
            if i > 1 and j > 1 and sign == meant[j - 2] and typed[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def shown(text: str) -> str:
    """Leave out what cannot be seen or stored: control characters, half letters.

    Spaces of every kind, line ends among them, become one plain space.
    """
    seen = "".join(sign for sign in text if sign.isspace() or _is_shown(sign))
    return re.sub(r"\s+", " ", seen)


def _is_shown(sign: str) -> bool:
    return sign in _JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs")


def _shorten(name: str) -> str:
    stem, extension = _split(name)
    room = MAX_FILENAME - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + extension


def _split(name: str) -> tuple[str, str]:
    """Part a name from its extension; a long or spaced ending is none."""
    stem, dot, ending = name.rpartition(".")
    if stem and len(ending.encode()) <= 20 and " " not in ending:
        return stem, dot + ending
    return name, ""


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return re.sub(r"[^ -~]", "", plain).replace("%", "_")
