"""Batches of version 3: one row a job, and what is wrong with one is not another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opendrs.api.body import Wire, checked
from opendrs.errors import DrsError, Fault

JOBS_MAX: Final = 100  # published are 10


class Named(Wire):
    """Of a row, whose it is."""

    job_id: str


def ids_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of every row. Raises PARAMETER_EMPTY, PARAMETER_INVALID."""
    if not rows:
        raise DrsError(Fault.PARAMETER_EMPTY, name="jobs")
    if len(rows) > JOBS_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name="jobs", reason=f"there are more than {JOBS_MAX}")
    return [checked(facts, Named, f"jobs.{number}.").job_id for number, facts in enumerate(rows)]
