"""Metrics for Prometheus: what was asked for by route, never by path, and nothing secret."""

from __future__ import annotations

import socket
import urllib.request

from tests.support.api import Api
from tests.test_health import ask
from tollkey.metrics import Metrics


def measured(api: Api) -> str:
    """What Prometheus is told after some requests, over HTTP."""
    metrics = Metrics(api.world.server, iter(range(100)).__next__)

    async def run() -> None:
        for path in ("/v1/customers/cus_1secret", "/v1/customers/cus_2", "/v1/nothing", "/healthz"):
            await ask(metrics, path)
        await ask(metrics, "/v1/customers", "BREW")

    api.world.runner.run(run())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    end = metrics.listen("127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = str(answer.read().decode())
    end()
    return text


def test_requests_are_counted_by_route_and_status_and_labels_stay_few(api: Api) -> None:
    text = measured(api)
    of = (
        'http_server_request_duration_seconds_count{http_request_method="%s",http_response_status_code="%d",'
        'http_route="%s"} %s'
    )
    for expected in (
        of % ("GET", 401, "/v1/customers/{customer}", 2.0),
        of % ("GET", 401, "/v1", 1.0),
        of % ("GET", 200, "", 1.0),
        of % ("_OTHER", 401, "/v1", 1.0),
        "tollkey_database_up 1.0",
        "tollkey_requests_in_progress 0.0",
        "tollkey_request_logs_dropped_total 0.0",
        'tollkey_build_info{version="',
        "process_resident_memory_bytes",
    ):
        assert expected in text
    assert "cus_1secret" not in text
