"""Calls of version 3 that name several jobs: each is dealt with, or refused, by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from opendrs.api.body import Wire, checked
from opendrs.api.errors import message
from opendrs.api.operation import Call
from opendrs.control.waiting import Deadline, result_of
from opendrs.errors import DrsError, Fault

JOBS_MAX: Final = 100  # published are 10


class Named(Wire):
    """Of whatever is asked of a job, whose it is."""

    job_id: str


def demand_some(name: str, jobs: Sequence[object]) -> None:
    """Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not jobs:
        raise DrsError(Fault.PARAMETER_EMPTY, name=name)
    if len(jobs) > JOBS_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name=name, reason=f"there are more than {JOBS_MAX}")


def ids_of(name: str, jobs: Sequence[dict[str, Any]]) -> list[str]:
    """Of every row, whose it is. Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    demand_some(name, jobs)
    return [checked(facts, Named, f"{name}.{number}.").job_id for number, facts in enumerate(jobs)]


def modified(
    call: Call, name: str, jobs: Sequence[dict[str, Any]], act: Callable[[str, dict[str, Any]], None]
) -> dict[str, Any]:
    """`count` and `results`: a ModifyJobResp of each job.

    name   of the list
    jobs   what is asked of each; only that it names a job is looked at before the first is dealt with
    act    deals with one, or raises
    """
    ids = ids_of(name, jobs)
    rows = [_row(call, job_id, facts, act) for job_id, facts in zip(ids, jobs, strict=True)]
    return {"count": len(rows), "results": rows}


def _row(call: Call, job_id: str, facts: dict[str, Any], act: Callable[[str, dict[str, Any]], None]) -> dict[str, Any]:
    try:
        act(job_id, facts)
    except DrsError as error:
        return {"id": job_id, "status": "failed", **problem(call, error)}
    return {"id": job_id, "status": "success"}


def queued(
    call: Call,
    name: str,
    jobs: Sequence[dict[str, Any]],
    ask: Callable[[str, dict[str, Any]], str],
    row: Callable[[str, dict[str, Any] | None], dict[str, Any]],
) -> list[dict[str, Any]]:
    """A row of each job, when a worker has dealt with it.

    name   of the list
    jobs   what is asked of each
    ask    of a worker, what a job is to have; returns the id of that, or raises
    row    of a job, and of the `problem` if there is one
    """
    ids = ids_of(name, jobs)
    deadline = Deadline(call.asking)
    # All are asked for before any is waited for: they are done at the same time.
    asked = [_asked(ask, job_id, facts) for job_id, facts in zip(ids, jobs, strict=True)]
    found = [_result(call, job_id, one, deadline) for job_id, one in zip(ids, asked, strict=True)]
    return [
        row(job_id, None if error is None else problem(call, error)) for job_id, error in zip(ids, found, strict=True)
    ]


def _asked(ask: Callable[[str, dict[str, Any]], str], job_id: str, facts: dict[str, Any]) -> str | DrsError:
    try:
        return ask(job_id, facts)
    except DrsError as error:
        return error


def _result(call: Call, job_id: str, asked: str | DrsError, deadline: Deadline) -> DrsError | None:
    if isinstance(asked, DrsError):
        return asked
    try:
        result_of(call.asking, job_id, asked, deadline)
    except DrsError as error:
        return error
    return None


def problem(call: Call, error: DrsError) -> dict[str, Any]:
    """Of a row, what went wrong."""
    return {"error_code": error.code, "error_msg": message(error, call.language)}
