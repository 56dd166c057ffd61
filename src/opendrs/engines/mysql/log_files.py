"""The files of a server's log, read for places in them and for nothing else: no row is looked at.

Reading is compiled (rust/mysql/src/survey.rs); here is what is asked of it, and what its answers are worth.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from opendrs._core import DecodeError, MysqlError, MysqlSurvey
from opendrs.engines.mysql.connect import Session, connection_options
from opendrs.engines.mysql.errors import decoding, translate
from opendrs.engines.mysql.position import LogPosition, demand_log, has_gtids, identity, parse_position
from opendrs.errors import DrsError, Fault

MICRO: Final = 1_000_000
# Of as many transactions one has been quick, where commits are told in whole seconds of the statements that made them.
HEAD_TRANSACTIONS: Final = 64
HEAD_BYTES: Final = 1 << 20  # read at once of a file of which only the begin is wanted
SLICE_BYTES: Final = 64 << 20  # read at once: whoever waits may press Ctrl-C in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the begin of a file shows. Times are microseconds since 1970.

    begun_us      when the file began. It may have been later: what is told is when the statement began whose commit
                  filled the file before (seen on MariaDB 10.11 and 11.8 and MySQL 9.7)
    started       the server began the file by starting, and so `begun_us` is when it was
    commit_us     the first commit that is told to the microsecond
    clock_us      what the server's clock said behind the begin, in whole seconds
    second_us     the latest second of those transactions that tell no more
    transactions  in the head
    closed        the server does not send what is in it
    """

    begun_us: int
    started: bool = False
    commit_us: int | None = None
    clock_us: int | None = None
    second_us: int | None = None
    transactions: int = 0
    closed: bool = False

    @property
    def sure_us(self) -> int:
        """A time at which the file had begun: `begun_us` may be too early."""
        shown = self.commit_us or self.clock_us or self.second_us
        return self.begun_us if self.started or shown is None else max(self.begun_us, shown)

    def before(self, at_us: int) -> bool:
        """Whether all that the head shows lies before that time. If it tells that, so does every earlier file."""
        if self.commit_us is not None:
            return self.commit_us < at_us
        seconds = [us // MICRO for us in (self.clock_us, self.second_us) if us is not None]
        if seconds:  # nobody knows where in them
            return max(seconds) < at_us // MICRO
        return self.begun_us < at_us

    def tells(self, at_us: int) -> bool:
        """Whether it shows on which side of that time the file began. Statements that took long show nothing by lying
        before it: they were committed later. Nor does an empty file's own word: it began then, or later."""
        if self.closed or self.commit_us is not None or self.clock_us is not None or not self.before(at_us):
            return True
        started = self.started and self.begun_us // MICRO < at_us // MICRO
        return started or self.transactions >= HEAD_TRANSACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place where a job may begin: in front of a transaction, or at the end of the log.

    position   with transactions of XA that are open there
    moment_us  commit of the transaction behind it, microseconds since 1970; None: there is none yet
    exact      as of Head
    met_xa     in what was read to find it some transaction was one of XA
    """

    file: str
    pos: int
    position: LogPosition
    moment_us: int | None = None
    exact: bool = False
    met_xa: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.pos}"


class Files(Protocol):
    """What a search needs."""

    @property
    def names(self) -> Sequence[str]:
        """Oldest first; at least one."""

    def head(self, name: str) -> Head: ...

    def first(self, name: str, at_us: int) -> tuple[bool, Place]:
        """In front of the first transaction of a file at or after a time; False: there is none, and the place is the
        end of the file."""


class LogFiles:
    """Those that a server has now. `opened`: every reading of one, for whoever counts."""

    def __init__(self, session: Session) -> None:
        demand_log(session)
        self._session = session
        rows = session.query("SHOW BINARY LOGS")
        self.sizes = {row["Log_name"] or "": int(row["File_size"] or 0) for row in rows}
        if not self.sizes:
            raise DrsError(Fault.SOURCE_REFUSED, reason="it has no files of a binary log")
        self.by_gtid = has_gtids(session)
        purged = "" if session.mariadb or not self.by_gtid else session.value("SELECT @@global.gtid_purged") or ""
        self._facts: dict[str, Any] = {
            "connection": connection_options(session.endpoint),
            "server": identity(session),
            "by_gtid": self.by_gtid,
            "purged": purged.replace("\n", ""),
        }
        self._heads: dict[str, Head] = {}
        self.opened: list[str] = []

    @property
    def names(self) -> Sequence[str]:
        return list(self.sizes)

    def head(self, name: str) -> Head:
        if name not in self._heads:
            found = self._read({"begun": True}, name, slice_bytes=HEAD_BYTES, transactions=HEAD_TRANSACTIONS)
            exact = found["latest_exact"]
            self._heads[name] = Head(
                begun_us=int(found["begun_s"] or 0) * MICRO, started=found["started"],
                commit_us=found["latest_us"] if exact else None, second_us=None if exact else found["latest_us"],
                clock_us=None if found["clock_s"] is None else found["clock_s"] * MICRO,
                transactions=found["transactions"], closed=found["refused"] is not None,
            )  # fmt: skip
        return self._heads[name]

    def begin(self, name: str) -> LogPosition:
        """The position in front of the first transaction of a file."""
        return parse_position(self._read({"transactions": 1}, name)["position"])

    def first(self, name: str, at_us: int) -> tuple[bool, Place]:
        found = self._read({"time_us": at_us}, name)
        return found["found"], _place(found, name)

    def behind(self, name: str, position: LogPosition) -> Place:
        """In front of the first transaction of a file that a position does not hold, or the end of the file."""
        return _place(self._read({"behind": position.dump()}, name), name)

    def at(self, file: str, pos: int, *, since: str = "") -> tuple[str | None, Place]:
        """A place, and what it is: "transaction" (one may begin there), "event" (inside a transaction), "nothing"
        (inside an event), None: the file ends before.

        since   the file that reading begins with, for transactions of XA that are open there; empty: the same
        """
        until = {"place": {"file": file, "pos": pos}}
        found = self._read(until, since or file, through=file)
        return found["met"], _place(found, f"{file}:{pos}")

    def before(self, name: str) -> str:
        """The file before; empty: there is none."""
        names = self.names
        at = names.index(name)
        return names[at - 1] if at else ""

    def _read(
        self, until: dict[str, Any], file: str, *,
        through: str = "", slice_bytes: int = SLICE_BYTES, transactions: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Reads a file to where it is told, or to its end; so many transactions are enough in any case."""
        self.opened.append(file)
        options = {**self._facts, "file": file, "through": through or file}
        wanted = json.dumps({**until, "bytes": slice_bytes})
        try:
            with closing(MysqlSurvey(json.dumps(options))) as survey:
                while True:
                    found: dict[str, Any] = json.loads(survey.read(wanted))
                    enough = transactions is not None and found["transactions"] >= transactions
                    if found["found"] or found["shown"] or found["ended"] or enough:
                        return found
        except MysqlError as error:
            if error.kind == "log_purged":  # since it was listed
                raise DrsError(Fault.LOG_PURGED, position=file, reason=error.message) from error
            raise translate(error, self._session.endpoint) from error
        except DecodeError as error:
            failure = decoding(error)
            assert isinstance(failure, DrsError), "no table is looked at"
            raise failure from error


def _place(found: dict[str, Any], wanted: str) -> Place:
    """Where reading has come to. Raises POSITION_INVALID if the server has refused to let it get there."""
    if found["refused"] is not None:
        reason = f"the server does not send what comes before: {found['refused']}"
        raise DrsError(Fault.POSITION_INVALID, position=wanted, reason=reason)
    return Place(
        file=found["file"], pos=found["pos"], position=parse_position(found["position"]),
        moment_us=found["moment_us"], exact=found["exact"], met_xa=found["met_xa"],
    )  # fmt: skip
