"""GET /v5/{project_id}/jobs/{job_id}/configurations: the parameters of a job that can be tuned."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.times import iso
from opendrs.control.asking import job_head, link
from opendrs.control.steering import current_policy
from opendrs.model.parameters import parameters_of
from opendrs.store import parameters


def handle(call: Call) -> dict[str, Any]:
    limit, offset = call.query.page()
    part = (call.query.text("name") or "").lower()
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        policy = current_policy(connection, head)
        changed_at = parameters.changed_at(connection, head.id)
    found = [one for one in parameters_of(link(head).target) if part in one.name.lower()]
    rows = [
        {
            "name": one.name,
            "value": one.value(policy),
            "default_value": one.default,
            "value_range": one.kind.range,
            "is_need_restart": True,
            "description": one.description,
            "created_at": iso(head.created_at),
            "updated_at": iso(changed_at.get(one.name, head.created_at)),
        }
        for one in found[offset : offset + limit]
    ]
    return {"count": len(found), "parameter_config_list": rows}


OPERATION = Operation(version="v5", name="list_job_parameters", handle=handle)
