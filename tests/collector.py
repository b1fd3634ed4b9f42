"""A collector of OpenTelemetry (OTLP over HTTP) that keeps what it is sent."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(slots=True)
class Collector:
    """`sent`: path and body of each request, as they came, unpacked."""

    url: str
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def metrics(self) -> set[str]:
        """Names of the metrics that came."""
        read = (
            ExportMetricsServiceRequest.FromString(body) for path, body in self.sent if path == "/v1/metrics"
        )
        of = (scope for one in read for resource in one.resource_metrics for scope in resource.scope_metrics)
        return {metric.name for scope in of for metric in scope.metrics}

    def spans(self) -> dict[str, set[str]]:
        """Name of a span → names of its attributes and events."""
        read = (
            ExportTraceServiceRequest.FromString(body) for path, body in self.sent if path == "/v1/traces"
        )
        of = (scope for one in read for resource in one.resource_spans for scope in resource.scope_spans)
        found: dict[str, set[str]] = {}
        for span in (span for scope in of for span in scope.spans):
            found.setdefault(span.name, set()).update(one.key for one in span.attributes)
            found[span.name] |= {f"event {event.name}" for event in span.events}
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """On a free port of the loopback, until the end."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            collector.sent.append((self.path, gzip.decompress(body) if packed else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
