"""A shop's page on this machine, over plain HTTP: browsers let no other page load a script from this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.stripejs.bundles import SHOP
from tests.browser.stripejs.shopfront import PAGE, Shopfront


@contextmanager
def served(pages: dict[str, tuple[str, bytes]], policy: str) -> Iterator[str]:
    """Serve pages, each with its media type, by path; the one of ``/`` for all others. Yields the origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = pages.get(self.path, pages["/"])
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def plain_shop(browser: Browser, server: Running) -> Iterator[Shopfront]:
    """A shop without any package, whose page loads the script from the server itself."""
    policy = f"default-src 'none'; base-uri 'none'; script-src 'self' {server.url}; frame-src {server.url}"
    page = PAGE.format(head=f'<script src="{server.url}/endive/stripe.js"></script>').encode()
    pages = {"/": ("text/html", page), "/app.js": ("text/javascript", (SHOP / "plain.js").read_bytes())}
    with served(pages, policy) as origin, Shopfront(browser, server, b"", origin=origin) as shop:
        yield shop
