"""What columns tables have, for those who choose.

params   {"tables": [[database, table]]}
result   {"tables": [{"name": [database, table], "columns": [[name, type, "PRI", "UNI" or ""]]}]}
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.describing import read_columns
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.precheck import named
from opendrs.worker.errands import Errand, Result

NAMED_MAX: Final = 20


def run(errand: Errand) -> Result:
    """Raises COLUMNS_UNREAD with every table that is not there."""
    wanted = [TableName(*name) for name in errand.action.params["tables"]]
    with Session(errand.job.source) as session:
        found = read_columns(session.query, set(wanted))
    missing = [f"the source does not have table {name}" for name in wanted if name not in found]
    if missing:
        raise DrsError(Fault.COLUMNS_UNREAD, reason=named(missing, NAMED_MAX, separator="; "))
    return {
        "tables": [
            {"name": [name.schema, name.table], "columns": [list(column) for column in found[name]]} for name in wanted
        ]
    }
