"""PUT /v5/{project_id}/jobs/{job_id}/data-processing-rules: what is said of tables: rows, columns, names, changes.

The SDK calls it so; it is about the processing of data. A worker holds it against the source before it is saved.
"""

from __future__ import annotations

from typing import Any

from opendrs.api.operation import Call, Operation
from opendrs.api.wire.ddl_choice import chosen_ddl
from opendrs.api.wire.processing import Request, asked
from opendrs.control import rules
from opendrs.control.asking import head_and_policy, link
from opendrs.store import jobs


def handle(call: Call, body: Request) -> dict[str, Any]:
    with call.asking.store.read() as connection:
        head, policy = head_and_policy(call.asking, connection, call.job_id)
        selection = jobs.chosen_of(connection, head.id)
    target = link(head).target
    found = asked(body, target)
    ddl = chosen_ddl(found, selection, policy, target)
    key = rules.change(call.asking, call.job_id, found.changes, ddl=ddl)
    return {"id": key, "job_id": call.job_id, "status": "pending"}


OPERATION = Operation(version="v5", name="update_data_progress", handle=handle, body=Request)
