"""The lease: every epoch is given once, the newest wins, and the others find out."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from opendrs.model.job import Job
from opendrs.store import jobs, leases
from opendrs.store.database import Store, open_store
from opendrs.store.leases import Holder

SUPERVISOR = Holder(owner="supervisor", pid=1, started_at=1.5, host="a")
WORKER = Holder(owner="worker", pid=2, started_at=2.5, host="a")

CLAIM = """
import sys
from opendrs.store import leases
from opendrs.store.database import open_store
from opendrs.store.leases import Holder
store = open_store(sys.argv[1])
me = Holder(owner="supervisor", pid=int(sys.argv[3]), started_at=0.0, host="x")
sys.stdin.readline()
for _ in range(int(sys.argv[4])):
    with store.write() as connection:
        print(leases.claim(connection, sys.argv[2], me, {}), flush=True)
"""


def claim(store: Store, job: Job, **options: int) -> int | None:
    with store.write() as connection:
        return leases.claim(connection, job.id, SUPERVISOR, {"version": 1}, **options)


def test_the_life_of_a_lease(store: Store, job: Job) -> None:
    with store.read() as connection:
        assert leases.current(connection, job.id) is None
    assert claim(store, job) == 1
    with store.write() as connection:
        lease = leases.current(connection, job.id)
        assert lease is not None
        assert (lease.epoch, lease.holder, lease.settings, lease.outcome) == (1, SUPERVISOR, {"version": 1}, None)
        assert leases.take(connection, job.id, 1, WORKER)
        assert not leases.take(connection, job.id, 1, replace(WORKER, pid=3)), "taken twice"
    with store.write() as connection:
        assert leases.renew(connection, job.id, 1)
        renewed = leases.current(connection, job.id)
        assert renewed is not None and renewed.holder == WORKER and renewed.renewed_at > lease.renewed_at
        assert leases.advance(connection, job.id, 1) == 2
        assert not leases.renew(connection, job.id, 1)
        assert leases.finish(connection, job.id, 2, {"exit": "DONE"})
        ended = leases.current(connection, job.id)
        assert ended is not None and ended.outcome == {"exit": "DONE"}
    assert claim(store, job) == 3
    with store.read() as connection:
        fresh = leases.current(connection, job.id)
        assert fresh is not None and fresh.outcome is None and fresh.holder == SUPERVISOR


def test_whoever_was_overtaken_can_do_nothing(store: Store, job: Job) -> None:
    claim(store, job)
    claim(store, job)
    with store.write() as connection:
        assert not leases.take(connection, job.id, 1, WORKER)
        assert not leases.renew(connection, job.id, 1)
        assert leases.advance(connection, job.id, 1) is None
        assert not leases.finish(connection, job.id, 1, {})
        lease = leases.current(connection, job.id)
    assert lease is not None and lease.epoch == 2 and lease.holder == SUPERVISOR


def test_a_claim_may_depend_on_what_was_seen(store: Store, job: Job) -> None:
    assert claim(store, job, expected=3) is None, "there is none"
    assert claim(store, job, expected=0) == 1
    assert claim(store, job, expected=0) is None, "there is one now"
    assert claim(store, job, expected=1) == 2
    assert claim(store, job, expected=1) is None


@pytest.mark.parametrize("before", [0, 1])
def test_a_claim_may_be_above_another_store_s(store: Store, job: Job, before: int) -> None:
    for _ in range(before):
        claim(store, job)
    assert claim(store, job, above=41) == 42
    assert claim(store, job, above=7) == 43


def test_threads_never_get_the_same_epoch(store: Store, job: Job) -> None:
    with ThreadPoolExecutor(8) as pool:
        epochs = list(pool.map(lambda _: claim(store, job), range(200)))
    assert sorted(epochs) == list(range(1, 201))


def test_of_many_who_saw_the_same_exactly_one_wins(store: Store, job: Job) -> None:
    for round_ in range(10):
        barrier = threading.Barrier(8, timeout=60)

        def race(_: int, seen: int = round_, start: threading.Barrier = barrier) -> int | None:
            start.wait()
            return claim(store, job, expected=seen)

        with ThreadPoolExecutor(8) as pool:
            won = [epoch for epoch in pool.map(race, range(8)) if epoch is not None]
        assert won == [round_ + 1]


def test_processes_never_get_the_same_epoch(store: Store, url: str, job: Job) -> None:
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, url, job.id, str(number), "25"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in claimers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    epochs = [int(line) for process in claimers for line in process.communicate()[0].split()]
    assert sorted(epochs) == list(range(1, 101))


def test_renewals_and_claims_at_once_leave_one_holder(store: Store, job: Job) -> None:
    """A renewal that says yes was not overtaken at that moment."""
    claim(store, job)
    stop = threading.Event()
    broken: list[str] = []

    def renew() -> None:
        while not stop.is_set():
            with store.write() as connection:
                lease = leases.current(connection, job.id)
                assert lease is not None
                if leases.renew(connection, job.id, lease.epoch):
                    after = leases.current(connection, job.id)
                    if after is None or after.epoch != lease.epoch:
                        broken.append(f"{lease} became {after} inside a transaction that holds it")

    threads = [threading.Thread(target=renew) for _ in range(3)]
    for thread in threads:
        thread.start()
    epochs = [claim(store, job) for _ in range(50)]
    stop.set()
    for thread in threads:
        thread.join()
    assert epochs == list(range(2, 52))
    assert not broken


def test_an_epoch_outlives_its_store(url: str, tmp_path: Path) -> None:
    from tests.integration.state_fixtures import a_job

    job = a_job()
    for expected in (1, 2, 3):
        store = open_store(url)
        with store.write() as connection:
            jobs.create(connection, job)
            assert leases.claim(connection, job.id, SUPERVISOR, {}) == expected
        store.close()
