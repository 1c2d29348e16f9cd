"""Something to compare with: nginx with sendfile, or where there is none, a bare loop."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.ground import Running, running, stop

CONFIG = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@contextmanager
def file_server(root: Path) -> Iterator[tuple[str, Running]]:
    """Serve the files under `root`; give the name of what serves them, and where."""
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        with running("benchmarks.bare_files", root) as server:
            yield "a bare sendfile loop (no nginx here)", server
        return
    with TemporaryDirectory(prefix="handsel-bench-") as folder:
        yield from _nginx(nginx, Path(folder), root)


def _nginx(nginx: str, folder: Path, root: Path) -> Iterator[tuple[str, Running]]:
    port = _free_port()
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(folder=folder, root=root, port=port, user=user))
    process = subprocess.Popen(
        [nginx, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield "nginx with sendfile", Running(process, f"http://127.0.0.1:{port}")
    finally:
        stop(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("nginx did not start.")
