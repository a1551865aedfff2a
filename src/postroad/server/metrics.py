"""What the server counts of itself, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["EVENTS", "LATENCY", "LEDGER_ROWS", "METRICS", "UNUSUAL"]

METRICS = CollectorRegistry()
EVENTS = Counter("postroad_events", "Events that were sent, by what became of them.", ["status"], registry=METRICS)
LATENCY = Histogram(
    "postroad_request_seconds",
    "Time from a request's head to the end of its answer.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=METRICS,
)
LEDGER_ROWS = Gauge("postroad_ledger_events", "Events in the ledger.", registry=METRICS)
UNUSUAL = Gauge("postroad_unusual_reading", "Patterns of unusual reading since the start.", registry=METRICS)
