"""The listing of what the source has, for those who choose.

params   {"databases": [names]}: of these only; none: of all
result   {"databases": {name: {"tables": [[name, "table" or "view"]], "total": tables}}, "most": MOST}
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.listing import read_listing
from opendrs.worker.errands import Errand, Result

MOST: Final = 10_000  # of a database that has more, only the number is told


def run(errand: Errand) -> Result:
    wanted = errand.action.params.get("databases") or None
    with Session(errand.job.source) as session:
        found = read_listing(session.query, wanted)
    databases = {
        database: {
            "tables": [[name.table, kind] for name, kind in names] if len(names) <= MOST else [],
            "total": len(names),
        }
        for database, names in found.items()
    }
    return {"databases": databases, "most": MOST}
