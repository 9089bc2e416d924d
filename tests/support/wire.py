"""A TCP proxy between a node and its database, which a test can make fail as networks do."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Wire:
    """Forwards connections to the PostgreSQL server of a URL.

    url: of the same database by way of this proxy. state: ``whole``; ``swallowing``: what arrives is acknowledged and
    dropped, and nothing comes back; ``cut``: connections are reset and new ones refused. delay: in seconds, before each
    piece is forwarded.
    """

    def __init__(self, url: str) -> None:
        facts = conninfo_to_dict(url)
        self._host, self._server_port = str(facts["host"]), int(facts.get("port") or 5432)
        self.state, self.delay = "whole", 0.0
        self._linking = threading.Lock()
        self._links: list[tuple[socket.socket, socket.socket, list[threading.Thread]]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        user, name = facts.get("user", "postgres"), facts["dbname"]
        self.url = f"postgresql://{user}@127.0.0.1:{port}/{name}"
        if "options" in facts:
            self.url += f"?options={str(facts['options']).replace('=', '%3D').replace(' ', '%20')}"
        assert make_conninfo(self.url)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def swallow(self) -> None:
        """Acknowledge what is sent, and drop it."""
        self.state = "swallowing"

    def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        self._end_all("cut")

    def heal(self) -> None:
        """Forward again, on new connections."""
        self._end_all("cut")
        self.state = "whole"

    def close(self) -> None:
        """End everything."""
        self._end_all("closed")
        socket.create_connection(self._listener.getsockname()).close()  # wakes the thread that accepts
        self._accepting.join()
        self._listener.close()

    def _end_all(self, state: str) -> None:
        with self._linking:
            self.state = state
            ended, self._links = self._links, []
        for near, far, threads in ended:
            with near, far:
                for one in (near, far):
                    with suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
                for thread in threads:
                    thread.join()

    def _accept(self) -> None:
        while self.state != "closed":
            near, _ = self._listener.accept()
            with self._linking:
                if self.state in ("cut", "closed"):
                    near.close()
                else:
                    try:
                        far = self._connect()
                    except OSError:  # the server itself is gone
                        near.close()
                    else:
                        self._link(near, far)

    def _link(self, near: socket.socket, far: socket.socket) -> None:
        ways = ((near, far), (far, near))
        threads = [threading.Thread(target=self._forward, args=way, daemon=True) for way in ways]
        for thread in threads:
            thread.start()
        self._links.append((near, far, threads))

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._server_port))
        local = socket.socket(socket.AF_UNIX)
        local.connect(f"{self._host}/.s.PGSQL.{self._server_port}")
        return local

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if self.state == "whole":
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
