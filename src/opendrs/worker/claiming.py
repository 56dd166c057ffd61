"""How a supervisor takes a job for a worker that it is about to start: everything in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from opendrs.model.lifecycle import Intent, State
from opendrs.store import commands, jobs, leases
from opendrs.store.database import Store
from opendrs.worker import process
from opendrs.worker.order import Order, changes

RESTED: Final = (
    State.PAUSED, State.START_FAILED, State.FULL_FAILED, State.INCREMENTAL_FAILED, State.FULL_DONE,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What came of it.

    epoch    of the worker to be started; None: somebody else was faster
    known    whether the job is in the store at all
    wanted   whether a job of the service is still to run
    revised  how its policy differs from what it was before
    """

    epoch: int | None
    known: bool = True
    wanted: bool = True
    revised: tuple[str, ...] = ()


class _NotWantedError(Exception):
    """Somebody has just asked for something else."""


def claim(store: Store, order: Order, *, expected: int, above: int) -> Claim:
    """Takes the next epoch, if `expected` is still the last one that was given (0: none was)."""
    try:
        with store.write() as connection:
            return _claim(connection, order, expected=expected, above=above)
    except _NotWantedError:
        return Claim(epoch=None, wanted=False)


def _claim(connection: Connection, order: Order, *, expected: int, above: int) -> Claim:
    record = jobs.find(connection, order.job.id)
    if record is None:
        return Claim(epoch=None, known=False)
    me = process.myself("supervisor")
    epoch = leases.claim(connection, record.id, me, order.settings(), expected=expected, above=above)
    if epoch is None:
        return Claim(epoch=None)
    commands.withdraw(connection, record.id, "pause")  # it was meant for those before
    jobs.lock(connection, record.id)  # behind the lease, as everybody does
    if jobs.intent_of(connection, record.id) not in (None, Intent.RUN):
        raise _NotWantedError
    if record.state in RESTED:
        jobs.enter(connection, record.id, State.STARTING, epoch=epoch)
    if record.project_id is not None:
        return Claim(epoch=epoch)  # its row is what counts, and may be newer than the order
    jobs.revise(connection, order.job)
    return Claim(epoch=epoch, revised=tuple(changes(record.policy.to_json(), order.job.policy.to_json())))
