"""What the prechecks say about the place in the log that a job without a load is to begin at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from opendrs.engines.mysql.history import Since, place_of
from opendrs.engines.mysql.locating import time_of
from opendrs.engines.mysql.prechecks_server import Objects, Server
from opendrs.engines.mysql.starting import Start
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import Catalog, TableName
from opendrs.model.precheck import Verdict, alarm, failed, how_many, named, passed

# A log of any length may lie behind the place. What is not looked through here, the job looks through when it begins.
LOOK_S: Final = 60.0
_NOT_THERE: Final = frozenset(
    {Fault.TIME_BEFORE_LOG, Fault.POSITION_INVALID, Fault.POSITION_AHEAD, Fault.LOG_PURGED, Fault.DEFINITION_CHANGED}
)


def begin(server: Server) -> Verdict:
    """Raises DrsError if it cannot be looked at."""
    found = server.begin
    if found is None:
        return passed("The job begins where the log ends at that time, or goes on from where it is")
    if isinstance(found, DrsError):
        if found.fault not in _NOT_THERE:
            raise found
        return failed(found.message, found.hint)
    where = f"at {found.place}" if found.place else f"behind {found.gtid_set}"
    if found.moment_us is not None:
        where += f", in front of a transaction of {time_of(found.moment_us)}"
    elif found.place:
        where += ", where the log ends now"
    facts = found.position.facts
    if facts.get("open") or facts.get("restart"):
        where += "; XA transactions that are prepared there are read from where they begin"
    return passed(f"The job begins {where}")


def look_through(server: Server, catalog: Catalog) -> Since | DrsError | None:
    """What the log has done to the selected tables since the place; None: there is none. What cannot be found out is
    the error."""
    if not isinstance(server.begin, Start):
        return None
    until = time.monotonic() + LOOK_S
    try:
        return server.since(server, server.begin, catalog.tables, lambda: time.monotonic() > until)
    except DrsError as error:
        return error


def definitions(objects: Objects) -> Sequence[Verdict]:
    """Raises DrsError if it cannot be looked at."""
    found = objects.since
    if found is None:
        return []  # there is no place, or no job can begin there: that is told of the place
    if isinstance(found, DrsError):
        raise found
    try:
        found.demand_unchanged()
    except DrsError as error:
        return [failed(error.message, error.hint)]
    made = f"; the log makes {how_many(len(found.made), 'table')} that came since: {named(sorted(found.made))}"
    if not found.whole:
        through = place_of(found.through) if found.through else "nowhere yet"
        message = f"The log was looked through for {LOOK_S:.0f} s, up to {through}, and changes no selected table there"
        return [alarm(f"{message}. The rest is looked through when the job begins", "")]
    return [passed(f"The selected tables are defined as they were at that place{made if found.made else ''}")]


def made(found: Since | DrsError | None) -> frozenset[TableName]:
    """Tables that were made since, by the log's own word."""
    return frozenset(found.made) if isinstance(found, Since) else frozenset()
