"""GET /v5/{project_id}/jobs/{job_id}/db-object/template/result: a ZIP with one file, of the kind that `type` names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from opendrs.api.operation import Call, File, Operation
from opendrs.api.wire.exports import changes, compare_keys, synchronized
from opendrs.api.wire.templates import as_file, stored_file
from opendrs.control import importing
from opendrs.model.action import Kind


def handle(call: Call) -> File:
    call.query.needed("type")
    kind = call.query.word("type", TYPES) or ""
    column = call.query.word("file_export_object_level", ("column",))
    if column and kind == "detail":
        return _detail(call, Kind.IMPORT_COLUMNS)
    return TYPES[kind](call)


def _detail(call: Call, kind: Kind) -> File:
    """The last file, with what is wrong in it."""
    name, archive = importing.result(call.asking, call.folder, call.job_id, kind)
    return stored_file(name, archive)


def _made(make: Callable[[Call], bytes], name: str) -> Callable[[Call], File]:
    return lambda call: as_file(f"{name}.zip", make(call))


TYPES: Final[dict[str, Callable[[Call], File]]] = {
    "detail": lambda call: _detail(call, Kind.IMPORT),
    "synchronized": _made(synchronized, "synchronized"),
    "change": _made(changes, "change"),
    "compare": _made(compare_keys, "compare"),
    "compare_key_detail": lambda call: _detail(call, Kind.IMPORT_KEYS),
}

OPERATION = Operation(version="v5", name="show_db_object_template_result", handle=handle)
