"""Traces for OpenTelemetry: one span for each request over HTTP, sent by OTLP from a thread of its own.

Names and attributes follow OpenTelemetry's conventions for HTTP servers. A span has no path, no header, no key and no
address: paths of pages and headers hold secrets. Its route and the id of the request, which the answer and the request
log have too, say what it was. A request with ``traceparent`` (W3C Trace Context) continues that trace.

The libraries, of the extra ``otel``, are imported when traces are asked for. The variables that they document
(``OTEL_…``) say where spans go, which are sent, and what the service is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tollkey import __version__
from tollkey.server import method_label

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_CARRIED = (b"traceparent", b"tracestate")
_STOP_SECONDS = 2.0  # how long the last spans may take at the end


def provider_of_environment() -> TracerProvider:
    """Return what makes spans and sends them by OTLP over HTTP, as the variables ``OTEL_…`` say.

    The service is called ``tollkey`` unless they name it. Raises ModuleNotFoundError without the extra ``otel``;
    ValueError for variables that cannot be used.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = Resource({"service.name": "tollkey", "service.version": __version__}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create().merge(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces:
    """An ASGI application with a span for each request.

    app: the application. route_of: (method, path) -> the declared route, empty for an unknown one.
    provider: makes the spans.
    """

    def __init__(self, app: Any, route_of: Callable[[str, str], str], provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app, self._route_of, self._provider = app, route_of, provider
        self._tracer = provider.get_tracer("tollkey", __version__)
        self._continued = TraceContextTextMapPropagator()
        self._kind, self._failed = trace.SpanKind.SERVER, trace.StatusCode.ERROR

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, in a span when it is one over HTTP."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}
        method, route = scope["method"], self._route_of(scope["method"], scope["path"])
        label = method_label(method)
        known = label if label == method else "HTTP"  # the convention for names of spans
        span = self._tracer.start_span(
            f"{known} {route}" if route else known,
            self._continued.extract(carrier) if carrier else None,
            self._kind,
            {
                "http.request.method": label,
                "url.scheme": scope.get("scheme", "http"),
                "network.protocol.version": scope.get("http_version", "1.1"),
                **({"http.route": route} if route else {}),
            },
        )

        async def answered(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._describe(span, message)
            await send(message)

        try:
            await self._app(scope, receive, answered)
        except BaseException as problem:
            self._fail(span, type(problem).__qualname__)  # its text and its frames may hold secrets
            raise
        finally:
            span.end()

    def _describe(self, span: Span, message: Any) -> None:
        status = message["status"]
        span.set_attribute("http.response.status_code", status)
        for name, value in message.get("headers", ()):
            if name.lower() == b"request-id":
                span.set_attribute("tollkey.request.id", value.decode("latin-1"))
        if status >= 500:
            self._fail(span, str(status))

    def _fail(self, span: Span, why: str) -> None:
        span.set_attribute("error.type", why)
        span.set_status(self._failed)

    def end(self) -> None:
        """Send the last spans. It takes two seconds at most, also when nobody receives them."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_STOP_SECONDS)
