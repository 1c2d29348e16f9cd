"""The one family of errors that people are meant to read.

`message` says what is so, `hint` what to do; both are sentences without jargon. The
class decides the exit code of a command and the status of a page.
"""

from typing import ClassVar


class ShopError(Exception):
    """Something a person can understand and act on.

    Args:
        message: what is so; one sentence.
        hint: what to do about it; one sentence, may be empty.
    """

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 400

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    @property
    def plain_hint(self) -> str:
        """The hint for a page: empty where it is a command to type."""
        typed = "--" in self.hint or "handsel " in self.hint
        return "" if typed else self.hint

    @property
    def plain(self) -> str:
        """The whole for a page."""
        return f"{self.message} {self.plain_hint}".strip()


class BadInputError(ShopError):
    """What was typed cannot be used. `field` names the form field or option."""

    exit_code = 2
    status = 422

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class NotFoundError(ShopError):
    """The thing named does not exist, or not for this reader: both look the same."""

    exit_code = 3
    status = 404


class ConfigurationError(ShopError):
    """The settings, the home folder or the machine are not as the shop needs them."""

    exit_code = 4
    status = 500


class ConflictError(ShopError):
    """Somebody else was there first, or the thing is not in a state that allows this."""

    status = 409


class TryAgainError(ShopError):
    """Something outside is slow or away; nothing happened; try again.

    `after` is the number of seconds after which trying again makes sense.
    """

    status = 503

    def __init__(self, message: str, hint: str = "", *, after: int = 60) -> None:
        super().__init__(message, hint)
        self.after = after
