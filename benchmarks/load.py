"""Visitors: plain HTTP over keep-alive connections, at a pace or as fast as they can."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Address = tuple[str, int]
PATIENCE = 20.0
"""Seconds after which a visitor gives up."""


@dataclass(frozen=True)
class Answer:
    """A whole response; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Tally:
    """What visitors saw: seconds of each good visit, and what the others got instead.

    `seconds` counts from the moment the visitor wanted to come, not from when the server
    let them in. `took` is how long it all took.
    """

    seconds: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    other_seconds: list[float] = field(default_factory=list)
    took: float = 0.0

    @property
    def failed(self) -> int:
        """How many visits did not end well."""
        return sum(self.others.values())

    @property
    def rate(self) -> float:
        """Good visits a second."""
        return len(self.seconds) / self.took if self.took else 0.0


class Unwelcome(Exception):  # noqa: N818  # it is a visit that ended, not an error of ours
    """The visit ended with something else than hoped for; said in a word or two."""


class Visitor:
    """One connection that is kept, and opened again when the server closes it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the whole answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        said = {"Host": "127.0.0.1", **(headers or {})}
        if method == "POST":
            said["Content-Length"] = str(len(body))
            said.setdefault("Content-Type", "application/x-www-form-urlencoded")
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in said.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await self._read(reader)

    async def _read(self, reader: asyncio.StreamReader) -> Answer:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        if "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        else:
            body = await reader.read()
        version, status = first.split(" ")[:2]
        if version == "HTTP/1.0" or headers.get("connection", "").lower() == "close":
            self.leave()
        return Answer(int(status), headers, body)

    def leave(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


Visit = Callable[[Visitor, int], Awaitable[None]]
"""What a visitor does; told its number. Raises Unwelcome when it ended badly."""


@dataclass(frozen=True)
class Look:
    """A visit that looks at one page."""

    path: str = "/p/book"

    async def __call__(self, visitor: Visitor, number: int) -> None:
        """Look at it. Raises Unwelcome."""
        expect(await visitor.ask("GET", self.path), 200)


def expect(answer: Answer, status: int) -> Answer:
    """Give the answer back if it has this status. Raises Unwelcome."""
    if answer.status != status:
        later = " Retry-After" if "retry-after" in answer.headers else ""
        raise Unwelcome(f"{answer.status}{later}")
    return answer


def at_a_pace(address: Address, visit: Visit, *, rate: float, seconds: float) -> Tally:
    """Let `rate` visitors come each second, whatever becomes of those before them."""
    return asyncio.run(_at_a_pace(address, visit, rate, seconds))


async def _at_a_pace(
    address: Address, visit: Visit, rate: float, seconds: float
) -> Tally:
    tally, idle = Tally(), list[Visitor]()
    begin = time.perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(
            asyncio.create_task(_one(address, visit, number, due, tally, idle))
        )
    await asyncio.gather(*tasks)
    tally.took = time.perf_counter() - begin
    _all_leave(idle)
    return tally


def back_to_back(
    address: Address,
    visit: Visit,
    *,
    clients: int,
    seconds: float,
    coming: float = 0.0,
    most: int = 1_000_000,
) -> Tally:
    """Let `clients` visitors come again and again, each when its last visit has ended.

    The first time they come over `coming` seconds. Ends after `seconds`, or when `most`
    visits have begun.
    """
    return asyncio.run(_back_to_back(address, visit, clients, seconds, coming, most))


async def _back_to_back(
    address: Address,
    visit: Visit,
    clients: int,
    seconds: float,
    coming: float,
    most: int,
) -> Tally:
    tally, idle, numbers = Tally(), list[Visitor](), iter(range(most))
    begin = time.perf_counter()

    async def client(place: int) -> None:
        await asyncio.sleep(coming * place / clients)
        for number in numbers:
            now = time.perf_counter()
            if now - begin > seconds:
                return
            await _one(address, visit, number, now, tally, idle)

    await asyncio.gather(*(client(place) for place in range(clients)))
    tally.took = time.perf_counter() - begin
    _all_leave(idle)
    return tally


async def _one(
    address: Address,
    visit: Visit,
    number: int,
    due: float,
    tally: Tally,
    idle: list[Visitor],
) -> None:
    visitor = idle.pop() if idle else Visitor(address)
    other = ""
    try:
        async with asyncio.timeout(PATIENCE):
            await visit(visitor, number)
    except Unwelcome as ended:
        other = str(ended)
    except TimeoutError:
        other = "gave up"
    except (OSError, EOFError, ValueError) as error:
        other = type(error).__name__
    took = time.perf_counter() - due
    if other:
        tally.others[other] += 1
        tally.other_seconds.append(took)
        visitor.leave()
    else:
        tally.seconds.append(took)
    idle.append(visitor)


def _all_leave(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        visitor.leave()
