"""Calls of version 3 that name several jobs: each is dealt with, or refused, by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from opendrs.api.body import Wire, checked
from opendrs.api.errors import message
from opendrs.api.operation import Call
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


def problem(call: Call, error: DrsError) -> dict[str, Any]:
    """Of a row, what went wrong."""
    return {"error_code": error.code, "error_msg": message(error, call.language)}
