"""GET /v5/{project_id}/links: what can be replicated into what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.endpoints import TYPES
from opendrs.api.wire.links import JOB_TYPES, offered
from opendrs.model.links import DIRECTIONS, NETWORKS, TASK_WORDS


def handle(call: Call) -> dict[str, Any]:
    call.query.needed("job_type")
    job_type = call.query.word("job_type", JOB_TYPES) or ""
    limit, offset = call.query.page()
    rows = list(_rows(job_type))
    return {"total_count": len(rows), "job_links": rows[offset : offset + limit]}


def _rows(job_type: str) -> Iterator[dict[str, Any]]:
    for link in offered(job_type):
        for direction in DIRECTIONS:
            for net in NETWORKS:
                yield {
                    "job_type": job_type,
                    "engine_type": link.engine_type,
                    "job_direction": direction,
                    "net_type": net,
                    "source_endpoint_type": TYPES[0],
                    "target_endpoint_type": TYPES[0],
                    "task_types": [TASK_WORDS[task] for task in link.tasks],
                    "cluster_modes": ["Single"],
                    "description": link.description,
                }


OPERATION = Operation(version="v5", name="list_links", handle=handle)
