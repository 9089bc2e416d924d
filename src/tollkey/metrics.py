"""Metrics for Prometheus, on a port of their own: requests by route and status, and the state of the server.

Names follow OpenTelemetry's conventions for HTTP servers and Prometheus's for the rest. Labels have few values: routes
as they are declared, never paths; no account, key or address. The library, of the extra ``metrics``, is imported when
metrics are asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from tollkey import __version__
from tollkey.server import method_label

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

    from tollkey.server import Server

#: Seconds, as OpenTelemetry's conventions advise for ``http.server.request.duration``.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class _State:
    """What is read from a server when Prometheus asks: a ``Collector``."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        server = self._server
        info = GaugeMetricFamily("tollkey_build_info", "The version that runs; always 1.", labels=["version"])
        info.add_metric([__version__], 1)
        up = 0 if server.core.database.away is not None else 1
        return [
            info,
            GaugeMetricFamily("tollkey_database_up", "Whether the database can be used.", value=up),
            GaugeMetricFamily(
                "tollkey_requests_in_progress", "API requests that use or wait for the database.",
                value=server.service.admission.running,
            ),
            GaugeMetricFamily(
                "tollkey_requests_limit", "How many of them there may be (TOLLKEY_MOST_REQUESTS).",
                value=server.core.settings.most_requests,
            ),
            CounterMetricFamily(
                "tollkey_request_logs_dropped", "Request logs that found no room in memory.", value=server.log.dropped
            ),
        ]  # fmt: skip


class Metrics:
    """The metrics of a server, and its application with each request measured.

    server: whose ``app`` is measured. clock: returns seconds of a monotonic clock.
    Raises ModuleNotFoundError without the extra ``metrics``.
    """

    def __init__(self, server: Server, clock: Callable[[], float] = time.perf_counter) -> None:
        from prometheus_client import CollectorRegistry, GCCollector, Histogram, ProcessCollector

        self.registry = CollectorRegistry()
        self._app, self._clock = server.app, clock
        self._route_of = server.route_of
        self._duration = Histogram(
            "http_server_request_duration_seconds", "How long HTTP requests took.",
            ["http_request_method", "http_route", "http_response_status_code"],
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.registry.register(cast("Collector", _State(server)))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def listen(self, host: str, port: int) -> Callable[[], None]:
        """Answer Prometheus on a port of its own, on a thread. Returns what ends it. Raises OSError."""
        from prometheus_client import start_http_server

        listening, thread = start_http_server(port, host, self.registry)

        def end() -> None:
            listening.shutdown()
            listening.server_close()
            thread.join()

        return end

    def at_once(self, path: bytes, sent: Any, ip: str | None, secure: bool) -> tuple[int, bytes, bytes] | None:
        """See ``WireApp.at_once``."""
        began = self._clock()
        answer: tuple[int, bytes, bytes] | None = self._app.at_once(path, sent, ip, secure)
        if answer is not None:
            self._count("GET", path.decode("latin-1"), answer[0], began)
        return answer

    def soon(
        self, path: bytes, sent: Any, ip: str | None, secure: bool, give: Callable[[tuple[int, bytes, bytes]], None]
    ) -> bool:
        """See ``WireApp.soon``."""
        began = self._clock()

        def counted(answer: tuple[int, bytes, bytes]) -> None:
            self._count("GET", path.decode("latin-1"), answer[0], began)
            give(answer)

        found: bool = self._app.soon(path, sent, ip, secure, counted)
        return found

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and measure it when it is one over HTTP."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), [500]

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            self._count(scope["method"], scope["path"], status[0], began)

    def _count(self, method: str, path: str, status: int, began: float) -> None:
        route = self._route_of(method, path)
        self._duration.labels(method_label(method), route, str(status)).observe(self._clock() - began)
