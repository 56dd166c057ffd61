"""A place in the log of the source: that of a time, or one that a job is to begin at, which must be there.

params   {"start": as model.start writes it}
result   {"position": file and offset, or the GTIDs; "gtid_set": text; "time": of the transaction behind it, as in
         2026-11-30T07:00:00Z, or empty}
"""

from __future__ import annotations

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.locating import time_of
from opendrs.engines.mysql.starting import resolve
from opendrs.model.start import StartPosition
from opendrs.worker.errands import Errand, Result


def run(errand: Errand) -> Result:
    with Session(errand.job.source) as session:
        found = resolve(session, StartPosition.from_json(errand.action.params["start"]))
    time = "" if found.moment_us is None else time_of(found.moment_us)
    return {"position": found.place or found.gtid_set, "gtid_set": found.gtid_set, "time": time}
