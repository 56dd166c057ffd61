"""What anybody may read, without a token: health, readiness, figures, the description."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from opendrs.api.gateway import Gateway
from opendrs.model.lifecycle import State
from opendrs.signature import Call as Request
from opendrs.store import progress
from opendrs.store.database import open_store
from opendrs.store.sealing import Seal
from opendrs.telemetry import METRICS
from tests.integration.api.jobs import creation
from tests.integration.api.world import World


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.url, timeout=60) as client:
        yield client


def test_health_and_readiness(client: httpx.Client) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert client.head(path).content == b""


def test_no_one_is_ready_whose_workers_nobody_looks_after(world: World) -> None:
    gateway = Gateway(
        world.store, world.seal, folder=world.attendant.place.folder, trouble=lambda: "nobody looks after the workers"
    )
    answer = gateway.answer(Request(method="GET", path="/readyz", query="", headers=(), body=b""))
    assert (answer.status, answer.body) == (503, b"nobody looks after the workers\n")


def test_figures_of_a_job_that_runs(world: World, client: httpx.Client) -> None:
    sdk = world.sdk()
    job = str(sdk.call("create_job", body=creation("with-figures")).id)
    resting = str(sdk.call("create_job", body=creation("at-rest")).id)
    world.configured(sdk, job)
    sdk.act(job, "start")
    world.step()
    world.workers.says(job, State.FULL)
    figures = {metric.name: float(number) for number, metric in enumerate(METRICS, 1)}
    for one in (job, resting):
        with world.store.write() as connection:
            progress.save(connection, one, {"phase": "loading", "load": {"done": 0.5}, "metrics": figures})
    found = figures_of(client)
    assert {name: found[f"opendrs_{name}"] for name in figures} == {
        name: {job: value} for name, value in figures.items()
    }
    assert found["opendrs_jobs"][State.FULL.value] == 1 and found["opendrs_jobs"][State.CONFIGURATION.value] == 1
    with world.store.write() as connection:  # a figure that is not known is not there
        progress.save(connection, job, {"metrics": {**figures, "apply_latency": None, "unknown": 1}})
    found = figures_of(client)
    assert "opendrs_apply_latency" not in found and "opendrs_unknown" not in found


def figures_of(client: httpx.Client) -> dict[str, dict[str, float]]:
    """Metric, label, value; each metric has a meaning."""
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation and family.type in ("gauge", "counter")
        for sample in family.samples:
            (label,) = sample.labels.values()
            found.setdefault(sample.name, {})[label] = sample.value
    return found


@pytest.mark.parametrize("damage", ["DROP TABLE progress", "garbage"])
def test_a_bad_store_gives_an_answer(world: World, client: httpx.Client, tmp_path: Path, damage: str) -> None:
    if damage == "garbage":
        world.store.close()
        for file in tmp_path.glob("opendrs.db*"):
            file.write_bytes(b"this is no database " * 1000)
    else:
        with world.store.write() as connection:
            connection.execute(text(damage))
    answer = client.get("/metrics")
    assert answer.status_code == 422 and answer.json()["error_code"] in ("DRS.M00004", "DRS.M01501")
    assert "Traceback" not in answer.text and "SELECT" not in answer.text
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == (503 if damage == "garbage" else 200)
    listed = client.get("/v5/x/jobs", headers={"X-Auth-Token": "x"})
    assert 400 <= listed.status_code < 500 and listed.json()["error_code"]


def test_the_description(world: World, client: httpx.Client) -> None:
    first = client.get("/openapi.json")
    assert first.status_code == 200 and first.headers["content-type"] == "application/json"
    document = first.json()
    assert document["openapi"].startswith("3.1") and len(document["paths"]) > 100
    # The same for whatever host is asked, for nothing is made of what a stranger sends.
    assert client.get("/openapi.json", headers={"Host": "elsewhere.example"}).content == first.content
    assert client.post("/openapi.json").status_code == 404


def test_the_description_for_many_at_a_time(tmp_path: Path) -> None:
    gateway = Gateway(open_store(f"sqlite:///{tmp_path / 'opendrs.db'}"), Seal(bytes(32)), folder=tmp_path)
    gate = threading.Barrier(8, timeout=60)

    def ask(number: int) -> int:
        gate.wait()
        headers = (("Host", f"host-{number}"),)
        return gateway.answer(Request(method="GET", path="/openapi.json", query="", headers=headers, body=b"")).status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {200}
