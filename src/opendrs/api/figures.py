"""The figures of all jobs, as Prometheus reads them: the names of `telemetry.METRICS`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from opendrs.model.lifecycle import State
from opendrs.store import jobs, progress
from opendrs.store.database import Store
from opendrs.telemetry import METRICS

PREFIX: Final = "opendrs_"


class _Jobs(Collector):
    """What the workers of jobs that are being worked at have reported last, and how many jobs there are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        with self._store.read() as connection:
            reported = progress.of_working(connection)
            states = jobs.count_by_state(connection)
        count = GaugeMetricFamily(f"{PREFIX}jobs", "jobs of the service, by state", labels=["state"])
        for state in State:
            count.add_metric([state.value], states.get(state, 0))
        yield count
        for metric in METRICS:
            kind = GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily
            family = kind(PREFIX + metric.name, f"{metric.meaning} ({metric.unit})", labels=["job"])
            for job_id, counters in reported.items():
                value = counters["metrics"].get(metric.name)
                if value is not None:
                    family.add_metric([job_id], value)
            yield family


def exposition(store: Store) -> bytes:
    """The page. Raises StoreError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Jobs(store))
    return generate_latest(registry)
