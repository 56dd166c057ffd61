"""The saving of a selection: every object that it names must be there, and all that are not are named at once.

params   {"selection": as model.selection writes it, "db_object": what was asked for, as it was asked}
result   {"databases": number, "tables": number}
"""

from __future__ import annotations

from typing import Final

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.listing import read_listing
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.lifecycle import ALLOWED, Verb
from opendrs.model.precheck import named
from opendrs.model.selection import Selection
from opendrs.store import jobs
from opendrs.worker.errands import Errand, Result

NAMED_MAX: Final = 20


def run(errand: Errand) -> Result:
    selection = Selection.from_json(errand.action.params["selection"])
    with Session(errand.job.source) as session:
        found = read_listing(session.query)
    there = {name for names in found.values() for name, kind in names}
    missing = [f"database {name}" for name in sorted(selection.databases) if name not in found]
    missing += [f"table {name}" for name in sorted(selection.tables) if name not in there]
    if missing:
        raise DrsError(Fault.OBJECTS_MISSING, reason=f"the source does not have {named(missing, NAMED_MAX)}")
    chosen: set[TableName] = {name for name in there if selection.wants(name)}
    if not chosen:
        raise DrsError(Fault.OBJECTS_MISSING, reason="nothing is selected, or what is selected is empty")
    with errand.place.store.write() as connection:
        head = jobs.find(connection, errand.job.id)
        if head is None or head.state not in ALLOWED[Verb.OBJECTS]:
            state = "" if head is None else head.state.value
            raise DrsError(Fault.WRONG_STATE, what="saving objects", state=state, reason="it has begun meanwhile")
        jobs.change(connection, errand.job.id, prechecked=True, selection=selection.to_json())
    return {"databases": len({name.schema for name in chosen}), "tables": len(chosen)}
