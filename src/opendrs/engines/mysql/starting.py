"""The place that a user has chosen for a job to begin at, held against the log that the server has now."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from opendrs.engines.mysql import xa
from opendrs.engines.mysql.connect import Session, quote_text
from opendrs.engines.mysql.locating import locate
from opendrs.engines.mysql.log_files import LogFiles, Place
from opendrs.engines.mysql.position import LogPosition, identity, parse_position
from opendrs.errors import DrsError, Fault
from opendrs.model.start import StartPosition

# Servers without GTIDs are asked for a place with 32 bits (COM_BINLOG_DUMP).
OFFSET_MAX: Final = (1 << 32) - 1
_GTID_OF_MARIADB: Final = re.compile(r"\d{1,10}-\d{1,10}-\d{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a job begins.

    position   with transactions of XA that are open there
    place      `mysql-bin.000277:805`; empty: of a set of GTIDs that is not what comes before any one place
    gtid_set   as the server writes it; empty: it has no GTIDs
    moment_us  commit of the transaction behind it, microseconds since 1970; None: not known, or there is none yet
    """

    position: LogPosition
    place: str
    gtid_set: str
    moment_us: int | None = None


def resolve(session: Session, start: StartPosition) -> Start:
    """The position of a start, if a job may begin there.

    Raises TIME_BEFORE_LOG, POSITION_INVALID, POSITION_AHEAD, LOG_PURGED, and those of asking the server.
    """
    files = LogFiles(session)
    if start.time:
        return _begun(session, _opened(session, files, locate(files, start.time_us)))
    if not start.file_and_position:
        return _behind(session, files, start.gtid_set)
    found = _begun(session, _opened(session, files, _at(files, start)))
    if start.gtid_set:
        _demand_same(session, start, found)
    return found


def _begun(session: Session, place: Place) -> Start:
    """With the GTIDs as the server itself tells them."""
    facts = place.position.facts
    if session.mariadb:
        gtids = session.value(f"SELECT BINLOG_GTID_POS({quote_text(place.file)}, {place.pos})")
        if gtids is None:
            raise _invalid(str(place), "the server knows no GTIDs for it (BINLOG_GTID_POS)")
        facts["gtid"] = gtids
    if facts["kind"] == "mysql-file" and place.pos > OFFSET_MAX:
        raise _invalid(str(place), "it lies beyond 4 GiB, which only a server with GTIDs can be asked for")
    position = parse_position(json.dumps(facts))
    return Start(
        position=position, place=str(place), gtid_set=position.facts.get("gtid") or "", moment_us=place.moment_us
    )


def _at(files: LogFiles, start: StartPosition) -> Place:
    """A place that was given."""
    text = start.file_and_position
    file, pos = start.place
    if file not in files.sizes:
        raise _absent(files.names, file, text)
    met, place = files.at(file, pos)
    match met:
        case "transaction":
            return place
        case "event":
            raise _invalid(text, f"it lies inside a transaction, which begins at {place}")
        case "nothing":
            raise _invalid(text, f"no event begins there; the nearest place before it is {place}")
    raise DrsError(Fault.POSITION_AHEAD, position=text, reason=f"{file} ends at {place.pos}")


def _absent(names: Sequence[str], file: str, text: str) -> DrsError:
    has = f"its log has {names[0]} to {names[-1]}"
    base, _, number = file.rpartition(".")
    first_base, _, first = names[0].rpartition(".")
    if base == first_base and int(number) < int(first):
        return DrsError(Fault.LOG_PURGED, position=text, reason=f"it has purged {file}: {has}")
    if base == first_base and int(number) > int(names[-1].rpartition(".")[2]):
        return DrsError(Fault.POSITION_AHEAD, position=text, reason=has)
    return _invalid(text, f"the server has no file {file}: {has}")


def _opened(session: Session, files: LogFiles, place: Place) -> Place:
    """With the XA transactions that were prepared before and are open there: their rows are read again from where they
    begin. Where XA is in use they are looked for in the file before as well. One that was prepared earlier still stops
    the job when it is committed."""
    earlier = files.before(place.file)
    if not earlier or not (place.met_xa or xa.in_use(session)):
        return place
    _, again = files.at(place.file, place.pos, since=earlier)
    return replace(place, position=again.position)


def _demand_same(session: Session, start: StartPosition, found: Start) -> None:
    """Place and GTIDs were both given. Raises POSITION_INVALID unless they say the same."""
    if not found.gtid_set and not session.mariadb and found.position.facts["kind"] == "mysql-file":
        raise _invalid(str(start), "transactions have no GTIDs there: give the place alone")
    wanted = _wanted(session, start.gtid_set)
    there = _plain(found.position)
    if not session.mariadb:
        # Those of which no file is left come before every place, whoever names them.
        purged = session.value("SELECT @@global.gtid_purged") or ""
        wanted = _wanted(session, ",".join(part for part in (start.gtid_set, purged) if part))
    if not (wanted.covers(there) and there.covers(wanted)):
        reason = f"the two disagree: what comes before {start.file_and_position} is {found.gtid_set or 'nothing'}"
        raise _invalid(str(start), reason)


def _wanted(session: Session, gtids: str) -> LogPosition:
    """GTIDs as a position. Raises POSITION_INVALID."""
    kind = "mariadb-gtid" if session.mariadb else "mysql-gtid"
    form = {"version": 1, "kind": kind, "server": identity(session), "gtid": gtids}
    try:
        return parse_position(json.dumps(form))
    except ValueError as error:
        raise _invalid(gtids, str(error)) from error


def _plain(position: LogPosition) -> LogPosition:
    """Without what is open, which was read all the same."""
    facts = position.facts
    kept = {name: facts[name] for name in ("version", "kind", "server", "gtid") if name in facts}
    return parse_position(json.dumps(kept))


def _behind(session: Session, files: LogFiles, gtids: str) -> Start:
    """Behind a set of transactions, which need not be all that come before a place."""
    if not files.by_gtid:
        raise _invalid(gtids, "the server has no GTIDs (gtid_mode): give file and position")
    wanted = _wanted(session, gtids)
    if session.mariadb:
        _demand_known_of_mariadb(session, wanted)
    else:
        _demand_known_of_mysql(session, wanted)
    names = files.names
    if not wanted.covers(files.begin(names[0])):
        reason = f"its log begins behind {_plain(files.begin(names[0])).facts['gtid']}, with {names[0]}"
        raise DrsError(Fault.LOG_PURGED, position=gtids or "its begin", reason=reason)
    low, high = 0, len(names)
    while high - low > 1:
        middle = (low + high) // 2
        if wanted.covers(files.begin(names[middle])):
            low = middle
        else:
            high = middle
    place = files.behind(names[low], wanted)
    there = _plain(place.position)
    if there.covers(wanted) and wanted.covers(there):
        return _begun(session, _opened(session, files, place))
    return Start(position=wanted, place="", gtid_set=str(wanted.facts["gtid"]))


def _demand_known_of_mysql(session: Session, wanted: LogPosition) -> None:
    """Raises POSITION_AHEAD, LOG_PURGED."""
    text = str(wanted.facts["gtid"])
    given = quote_text(text)
    surplus = session.value(f"SELECT GTID_SUBTRACT({given}, @@global.gtid_executed)")
    if surplus:
        raise DrsError(Fault.POSITION_AHEAD, position=text, reason=f"it has not executed {_line(surplus)}")
    missing = session.value(f"SELECT GTID_SUBTRACT(@@global.gtid_purged, {given})")
    if missing:
        reason = f"it has purged {_line(missing)}, which the position does not hold (gtid_purged)"
        raise DrsError(Fault.LOG_PURGED, position=text or "its begin", reason=reason)


def _demand_known_of_mariadb(session: Session, wanted: LogPosition) -> None:
    """As a MariaDB server judges a replica (check_slave_start_position in its sql/sql_repl.cc): it must have written,
    or replicated, each of them. Raises POSITION_AHEAD."""
    state = session.value("SELECT @@global.gtid_binlog_state") or ""
    replicated = (session.value("SELECT @@global.gtid_slave_pos") or "").split(",")
    last = {tuple(one.split("-")[:2]): int(one.split("-")[2]) for one in _GTID_OF_MARIADB.findall(state)}
    for one in filter(None, str(wanted.facts["gtid"]).split(",")):
        domain, server, number = one.split("-")
        if one not in replicated and last.get((domain, server), -1) < int(number):
            reason = f"it has not written {one}: it stands at {state or 'nothing'} (gtid_binlog_state)"
            raise DrsError(Fault.POSITION_AHEAD, position=str(wanted.facts["gtid"]), reason=reason)


def _line(text: str) -> str:
    return text.replace("\n", "")


def _invalid(position: str, reason: str) -> DrsError:
    return DrsError(Fault.POSITION_INVALID, position=position or "nothing", reason=reason)
