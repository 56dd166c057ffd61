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
# The begin of a file is so much of it. Where commits are told in whole seconds of the statement that made them, one
# that took long tells little: of several transactions one is likely to have been quick.
HEAD_TRANSACTIONS: Final = 64
HEAD_BYTES: Final = 1 << 20
SLICE_BYTES: Final = 64 << 20  # read at once: whoever waits may press Ctrl-C in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the begin of a file shows.

    begun_us      when the file began. It may have been later: what is told is when the statement began whose commit
                  filled the file before (seen on MariaDB 10.11 and 11.8 and MySQL 9.7)
    latest_us     the latest moment in the head, microseconds since 1970
    exact         that moment is a commit, to the microsecond; else it is a whole second
    transactions  in the head
    started       the server began the file by starting, and so `begun_us` is when it was
    closed        the server does not send what is in it
    """

    begun_us: int
    latest_us: int
    exact: bool
    transactions: int
    started: bool
    closed: bool = False

    def before(self, at_us: int) -> bool:
        """Whether all that the head shows lies before that time. If it tells that, so does every earlier file."""
        whole = self.transactions > 0 and not self.exact
        return self.latest_us < (at_us // MICRO * MICRO if whole else at_us)

    def tells(self, at_us: int) -> bool:
        """Whether it shows on which side of that time the file began. An empty file has nothing but its own word, and
        that only to the second: it began then, or later."""
        word = self.closed or self.transactions > 0 or (self.started and self.begun_us // MICRO < at_us // MICRO)
        return word or not self.before(at_us)


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
            found = self._read({"transactions": HEAD_TRANSACTIONS, "bytes": HEAD_BYTES}, name, partly=True)
            begun_us = int(found["begun_s"] or 0) * MICRO
            self._heads[name] = Head(
                begun_us=begun_us, latest_us=max(begun_us, found["latest_us"] or 0), exact=found["latest_exact"],
                transactions=found["transactions"], started=found["started"], closed=found["refused"] is not None,
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

    def _read(self, until: dict[str, Any], file: str, *, through: str = "", partly: bool = False) -> dict[str, Any]:
        """Reads a file to where it is told, or to its end."""
        self.opened.append(file)
        options = {**self._facts, "file": file, "through": through or file}
        wanted = json.dumps(until if partly else {**until, "bytes": SLICE_BYTES})
        enough = until.get("transactions")
        try:
            with closing(MysqlSurvey(json.dumps(options))) as survey:
                while True:
                    found: dict[str, Any] = json.loads(survey.read(wanted))
                    shown = enough is not None and found["transactions"] >= enough
                    if found["found"] or found["ended"] or shown or partly:
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
