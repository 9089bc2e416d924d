"""Traces for OpenTelemetry: a span for each request, named by its route, with nothing secret."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.support.api import Api
from tests.test_health import ask
from tollkey.traces import Traces, provider_of_environment


def recording() -> tuple[TracerProvider, InMemorySpanExporter]:
    """A provider, and where its spans are."""
    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider, spans


def test_a_request_is_a_span_named_by_its_route(api: Api) -> None:
    provider, spans = recording()
    traces = Traces(api.world.server.app, api.world.server.route_of, provider)

    async def run() -> None:
        for path in ("/v1/customers/cus_1secret", "/v1/secret", "/healthz"):
            await ask(traces, path)
        await ask(traces, "/v1/customers", "BREW")

    api.world.runner.run(run())
    customer, unknown, health, brewed = spans.get_finished_spans()
    assert [one.name for one in (customer, unknown, health, brewed)] == [
        "GET /v1/customers/{customer}", "GET /v1", "GET", "HTTP /v1",
    ]  # fmt: skip
    assert customer.kind is SpanKind.SERVER
    attributes = dict(customer.attributes or {})
    assert attributes == {
        "http.request.method": "GET", "http.route": "/v1/customers/{customer}", "http.response.status_code": 401,
        "url.scheme": "http", "network.protocol.version": "1.1",
    }  # fmt: skip
    assert dict(brewed.attributes or {})["http.request.method"] == "_OTHER"
    assert customer.status.status_code is StatusCode.UNSET  # an error of the caller is none of the server's
    assert "secret" not in "".join(one.to_json() for one in (customer, unknown, health, brewed))


def answered(status: int | BaseException, headers: Sequence[tuple[bytes, bytes]] = ()) -> ReadableSpan:
    """The span of a request to an application that answers so, or raises."""
    provider, spans = recording()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if isinstance(status, BaseException):
            raise status
        await send({"type": "http.response.start", "status": status, "headers": [(b"Request-Id", b"req_1")]})
        await send({"type": "http.response.body", "body": b""})

    async def sent(message: Any) -> None:
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": list(headers)}
    running = Traces(application, lambda method, path: "", provider)(scope, sent, sent)
    with contextlib.suppress(StopIteration, RuntimeError):
        running.send(None)
    (span,) = spans.get_finished_spans()
    return span


def test_a_trace_of_the_caller_goes_on_and_the_request_is_found_by_its_id() -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    span = answered(200, [(b"traceparent", f"00-{trace}-{parent}-01".encode())])
    assert span.context is not None
    assert span.parent is not None
    assert dict(span.attributes or {})["tollkey.request.id"] == "req_1"
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (trace, parent)


@pytest.mark.parametrize("header", [b"", b"00-0-0-01", b"\xff\xfe", b"x" * 10_000])
def test_a_trace_that_cannot_be_read_is_none(header: bytes) -> None:
    assert answered(200, [(b"traceparent", header)]).parent is None


def test_a_fault_of_the_server_is_told_without_its_text() -> None:
    for fault, why in ((503, "503"), (RuntimeError("sk_live_secret"), "RuntimeError")):
        span = answered(fault)
        assert span.status.status_code is StatusCode.ERROR
        assert dict(span.attributes or {})["error.type"] == why
        assert (span.events, span.status.description) == ((), None)


def test_the_end_does_not_wait_for_a_collector_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(provider, "shutdown", never.wait)
    monkeypatch.setattr("tollkey.traces._STOP_SECONDS", 0.01)
    Traces(None, lambda method, path: "", provider).end()
    never.set()


def test_spans_go_by_otlp_to_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, ExportTraceServiceRequest]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "payments")
        provider = provider_of_environment()
        provider.get_tracer("test").start_span("GET /v1/customers").end()
        provider.shutdown()
        collector.shutdown()
    ((path, told),) = received
    (of,) = told.resource_spans
    named = {one.key: one.value.string_value for one in of.resource.attributes}
    assert (path, named["service.name"], of.scope_spans[0].spans[0].name) == (
        "/v1/traces", "payments", "GET /v1/customers",
    )  # fmt: skip
