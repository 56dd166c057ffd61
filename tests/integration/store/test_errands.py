"""The queue of errands, as several runners see it."""

from __future__ import annotations

from threading import Thread

from opendrs.model.action import Action, Kind
from opendrs.model.job import Job
from opendrs.store import actions
from opendrs.store.database import Store
from opendrs.store.leases import Holder

OVERLAP_S = 1.0  # long enough for the second runner to come to the store while the first has not committed


def test_two_runners_at_once_never_have_two_errands_of_one_job(store: Store, job: Job) -> None:
    with store.write() as connection:
        for kind in (Kind.NETWORK, Kind.PRECHECK):
            actions.ask(connection, job.id, kind, "somebody", revision=0, status="waiting")
    taken: list[Action | None] = []

    def second() -> None:
        with store.write() as connection:
            taken.append(actions.take(connection, _runner(2)))

    other = Thread(target=second)
    with store.write() as connection:
        first = actions.take(connection, _runner(1))
        other.start()
        other.join(OVERLAP_S)
    other.join()

    assert first is not None
    assert first.kind is Kind.NETWORK
    assert taken == [None]
    with store.write() as connection:
        assert actions.finish(connection, first.id, _runner(1))
        following = actions.take(connection, _runner(2))
    assert following is not None
    assert following.kind is Kind.PRECHECK


def _runner(number: int) -> Holder:
    return Holder(owner="worker", pid=number, started_at=float(number), host="here")
