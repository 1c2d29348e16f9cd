"""The least a file server can do: `python -m benchmarks.bare_files FOLDER`.

One connection after the other, one blocking sendfile for each; no checks, no database.
"""

import json
import socket
import sys
from pathlib import Path


def main() -> None:
    """Serve files under FOLDER until the process is ended."""
    root = Path(sys.argv[1])
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        print(json.dumps({"url": url}), flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                _answer(connection, root)


def _answer(connection: socket.socket, root: Path) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        block = connection.recv(65536)
        if not block:
            return
        request += block
    path = root / request.split(b" ", 2)[1].decode().lstrip("/")
    with path.open("rb") as file:
        size = path.stat().st_size
        connection.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        connection.sendfile(file)


if __name__ == "__main__":
    main()
