"""GET /v5/{project_id}/jobs/{job_id}/db-object/template: a ZIP with what is to be filled in."""

from __future__ import annotations

from functools import lru_cache

from opendrs.api.operation import Call, File, Operation
from opendrs.api.wire.templates import as_file, level_of, mapping_of
from opendrs.control import importing
from opendrs.control.asking import job_head, link
from opendrs.templates import bundles

# Each takes a moment to make, and is always the same.
_template = lru_cache(maxsize=32)(bundles.template)


def handle(call: Call) -> File:
    level, mapping = level_of(call.query), mapping_of(call.query)
    with call.asking.store.read() as connection:
        flow = link(job_head(call.asking, connection, call.job_id))
    importing.demand_level(flow, level, mapping)
    content = _template(flow.files, level, mapping or "table_mapping")
    return as_file(f"import-{level}.zip", content)


OPERATION = Operation(version="v5", name="download_db_object_template", handle=handle)
