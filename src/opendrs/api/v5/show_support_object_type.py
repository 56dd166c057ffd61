"""GET /v5/{project_id}/jobs/{job_id}/object/support: how objects can be chosen in a job's flow, and how they were."""

from __future__ import annotations

from typing import Any, Final

from opendrs.api.operation import Call, Operation
from opendrs.control.asking import job_head, link
from opendrs.model.action import Kind
from opendrs.model.links import LINKS, Link
from opendrs.store import actions, compare_keys
from opendrs.templates.files import FILE_MAX, MB
from opendrs.templates.layout import DEFAULT_LEVEL

IMPORTED: Final = "srcImportObject"


def handle(call: Call) -> dict[str, Any]:
    with call.asking.store.read() as connection:
        head = job_head(call.asking, connection, call.job_id)
        saved = actions.latest(connection, head.id, Kind.OBJECTS, status="success")
        keys = compare_keys.load(connection, head.id)
    source = (saved.params.get("imported") or {}) if saved else {}
    return {
        **_facts(link(head)),
        **({"previous_select": IMPORTED} if source else {}),
        "import_level": "database" if source.get("level") == "database" else DEFAULT_LEVEL,
        "is_import_cloumn": source.get("kind") == Kind.IMPORT_COLUMNS,
        "is_import_unique_key": bool(keys),
    }


def _facts(flow: Link) -> dict[str, Any]:
    tasks = {"full": "full", "incremental": "incre", "full+incremental": "full_incre"}
    return {
        **{f"is_{word}_trans_support_object": task in flow.tasks for task, word in tasks.items()},
        "support_object_import_engine": [one.engine_type for one in LINKS],
        "is_support_column_mapping": True,
        "is_database_support_search": True,
        "is_schema_support_search": False,  # no source here has schemas
        "is_table_support_search": True,
        "file_size": f"{FILE_MAX // MB}MB",
        "import_mapping_type": "topic_mapping" if flow.target == "kafka" else "table_mapping",
    }


OPERATION = Operation(version="v5", name="show_support_object_type", handle=handle)
