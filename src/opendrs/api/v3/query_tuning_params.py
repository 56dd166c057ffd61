"""GET /v3/{project_id}/job/{job_id}/tuning-params/query-params: the parameters of a job, by phase."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.parameters import tuning


def handle(call: Call) -> dict[str, Any]:
    return dict(tuning(call))


OPERATION = Operation(version="v3", name="query_tuning_params", handle=handle)
