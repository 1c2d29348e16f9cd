"""What the shop asks of a mail transport.

Register one under the entry point `handsel.transports`, as
`name = "package.module:open_transport"`, where
`open_transport(settings: Settings, home: Path) -> Transport`.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from handsel.kit.errors import ShopError


class TemporaryMailError(ShopError):
    """The mail was not taken now, and may be later: try again with growing gaps."""


class DeferredMailError(TemporaryMailError):
    """This one mail was not taken now, while the server takes others."""


class PermanentMailError(ShopError):
    """The mail will never be taken as it is: park it and show it to the seller."""


@dataclass(frozen=True)
class Envelope:
    """One mail as it goes over the wire.

    Args:
        sender: where the mail comes back to when it cannot be delivered.
        recipient: a bare address, any letters.
        content: head and body, lines ended by CR LF and as short as SMTP wants them.
    """

    sender: str
    recipient: str
    content: bytes


class Carrier(Protocol):
    """One open connection, over which many mails may go one after the other."""

    def send(self, envelope: Envelope) -> None:
        """Hand over one mail for one recipient. On return it was accepted.

        Raises TemporaryMailError, PermanentMailError. The connection stays usable or
        mends itself before the next mail: one bad recipient never blocks the others.
        """
        ...


class Transport(Protocol):
    """One way to carry mail."""

    @property
    def name(self) -> str:
        """The word in settings: `folder`, `smtp`."""
        ...

    def connect(self) -> AbstractContextManager[Carrier]:
        """Open a connection. Raises TemporaryMailError when there is none to be had."""
        ...
