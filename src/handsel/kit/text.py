"""stub until kit lands"""

import re
from urllib.parse import quote


def slugify(t):
    return re.sub(r"[^a-z0-9]+", "-", t.lower()).strip("-")


def check_slug(t):
    return t


def normalise_email(t):
    from handsel.kit.errors import BadInputError

    if "@" not in t:
        raise BadInputError("That is no e-mail address.", field="email")
    return t.strip()


def email_key(t):
    return t.strip().lower()


def suggest_email(t):
    return None


def safe_filename(t):
    return t


def content_disposition(n):
    return "attachment; filename*=UTF-8''" + quote(n)


def human_size(n):
    return f"{n} B"
