"""Positions in a binary log: GTIDs or file and position, always with the server's identity.

The algebra (sets with gaps, domains, open XA transactions) is compiled: rust/binlog/src/position.rs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from opendrs._core import BinlogPosition
from opendrs.engines.mysql.connect import Session
from opendrs.errors import DrsError, Fault
from opendrs.model.position import Position


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in the log, held as its versioned text."""

    text: str

    def dump(self) -> str:
        return self.text

    def covers(self, other: LogPosition) -> bool:
        return BinlogPosition(self.text).covers(BinlogPosition(other.text))

    def brief(self) -> str:
        """The file, as people know it; the GTIDs of a position that no file was named for."""
        facts = self.facts
        return f"{facts['file']['file']}:{facts['file']['pos']}" if facts.get("file") else facts.get("gtid") or ""

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads(self.text))

    def __str__(self) -> str:
        """For people: the GTIDs if there are any, and the file."""
        facts = self.facts
        file = f"{facts['file']['file']}:{facts['file']['pos']}" if facts.get("file") else ""
        return " at ".join(part for part in (facts.get("gtid") or "", file) if part)


def parse_position(text: str) -> LogPosition:
    """Reads `dump` back. Raises ValueError on text of an unknown version."""
    return LogPosition(str(BinlogPosition(text)))


def own(position: Position) -> LogPosition:
    """The position, known to be one of this engine's."""
    assert isinstance(position, LogPosition), f"a position of another engine: {type(position)}"
    return position


@dataclass(frozen=True, slots=True)
class LogEnd:
    """A mark: the end of the log as the server's status shows it.

    It runs ahead of what a SELECT sees, and so it may serve as a high mark and never as a low one.
    """

    server: str
    file: str
    offset: int

    def reached(self, position: Position) -> bool:
        facts = own(position).facts
        at = facts.get("file")
        if at is None or facts["server"] != self.server:
            return False
        return (_number(at["file"]), at["pos"]) >= (_number(self.file), self.offset)


def _number(file: str) -> int:
    return int(file.rpartition(".")[2])


def identity(session: Session) -> str:
    """What tells this server from others: MySQL's UUID. MariaDB has none; its GTID domains tell."""
    if session.mariadb:
        return f"mariadb:{session.value('SELECT @@global.server_id')}"
    return session.value("SELECT @@global.server_uuid") or ""


def log_end(session: Session) -> LogEnd:
    """Where the log ends now."""
    row = _status(session)
    return LogEnd(identity(session), row["File"] or "", int(row["Position"] or 0))


def demand_log(session: Session) -> None:
    """Raises SOURCE_REFUSED if the server writes no log."""
    if session.value("SELECT @@global.log_bin") != "1":
        raise _log_is_off()


def _log_is_off() -> DrsError:
    return DrsError(Fault.SOURCE_REFUSED, reason="the binary log is off (log_bin)")


def _status(session: Session) -> dict[str, str | None]:
    # MySQL renamed the statement in 8.2 and dropped the old name in 8.4.
    renamed = not session.mariadb and session.version_numbers >= (8, 2, 0)
    rows = session.query("SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS")
    if not rows:
        raise _log_is_off()
    return rows[0]


def has_gtids(session: Session) -> bool:
    """Whether every transaction has a GTID. MariaDB's always do."""
    return session.mariadb or (session.value("SELECT @@global.gtid_mode") or "").upper() == "ON"


def snapshot_position(session: Session) -> LogPosition:
    """MariaDB only: the position whose state this session's open snapshot shows, exactly."""
    rows = session.query("SHOW STATUS WHERE Variable_name IN ('binlog_snapshot_file', 'binlog_snapshot_position')")
    found = {(row["Variable_name"] or "").lower(): row["Value"] or "" for row in rows}
    file, offset = found["binlog_snapshot_file"], int(found["binlog_snapshot_position"] or 0)
    gtids = session.value(f"SELECT BINLOG_GTID_POS('{file}', {offset})")
    return _mariadb(identity(session), gtids or "", file, offset)


def locked_position(session: Session) -> LogPosition:
    """Where the log stands while the tables of interest are locked, so that nothing of them is on its way."""
    row = _status(session)
    file, offset = row["File"] or "", int(row["Position"] or 0)
    if session.mariadb:
        gtids = session.value(f"SELECT BINLOG_GTID_POS('{file}', {offset})")
        return _mariadb(identity(session), gtids or "", file, offset)
    if has_gtids(session):
        return executed_position(session)
    form = {"version": 1, "kind": "mysql-file", "server": identity(session), "file": {"file": file, "pos": offset}}
    return parse_position(json.dumps(form))


def executed_position(session: Session) -> LogPosition:
    """MySQL with GTIDs: what has been committed. Never ahead of a SELECT if commits keep their order."""
    gtids = (session.value("SELECT @@global.gtid_executed") or "").replace("\n", "")
    form = {"version": 1, "kind": "mysql-gtid", "server": identity(session), "gtid": gtids}
    return parse_position(json.dumps(form))


def _mariadb(server: str, gtids: str, file: str, offset: int) -> LogPosition:
    form = {
        "version": 1,
        "kind": "mariadb-gtid",
        "server": server,
        "gtid": gtids,
        "file": {"file": file, "pos": offset},
    }
    return parse_position(json.dumps(form))
