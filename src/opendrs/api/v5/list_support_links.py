"""GET /v5/{project_id}/support-links: the same as combinations of flow, network, mode and direction."""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.links import JOB_TYPES, offered
from opendrs.model.links import DIRECTIONS, NETWORKS, TASK_WORDS


def handle(call: Call) -> list[dict[str, Any]]:
    call.query.needed("job_type")
    job_type = call.query.word("job_type", JOB_TYPES) or ""
    limit, offset = call.query.page()
    rows = [
        {
            "engine_type": link.engine_type,
            "net_type": net,
            "job_direction": direction,
            "cluster_mode": "Single",
            "job_instance_type": "Single",
            "task_modes": [TASK_WORDS[task] for task in link.tasks],
            "is_support_bind_eip": False,
        }
        for link in offered(job_type)
        for direction in DIRECTIONS
        for net in NETWORKS
    ]
    return [{"total_count": len(rows), "support_links": rows[offset : offset + limit]}]


OPERATION = Operation(version="v5", name="list_support_links", handle=handle)
