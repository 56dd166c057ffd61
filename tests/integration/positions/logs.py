"""A server whose log a test writes, and what is asked of it."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pytest

from opendrs.engines.mysql.connect import Session
from opendrs.engines.mysql.locating import locate
from opendrs.engines.mysql.log_files import MICRO, LogFiles, Place
from opendrs.engines.mysql.starting import Start, resolve
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint
from opendrs.model.start import StartPosition
from tests.harness import Options
from tests.harness.binlog_text import LoggedBegin, logged_begins
from tests.harness.fixtures import StartServer
from tests.harness.mysql_family import FamilyServer

DATABASE = "shop"
CHECKPOINT: Final = 161  # MariaDB's event of that kind


class Log:
    """It has a database with a table `t`."""

    def __init__(self, server: FamilyServer) -> None:
        self.server = server
        server.create_database(DATABASE)
        server.execute(f"CREATE TABLE {DATABASE}.t (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)")

    @property
    def mariadb(self) -> bool:
        return self.server.name.startswith("mariadb")

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint.parse(self.server.url())

    def run(self, *statements: str) -> None:
        """On one session of its own."""
        with self.server.connect(DATABASE) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def await_clock(self) -> None:
        """Until MariaDB has written the second checkpoint of the newest file, which has the time of its clock: soon after
        a commit, or within a second."""
        file, deadline = self.files[-1], time.monotonic() + 60
        while sum(row[2] == "Binlog_checkpoint" for row in self.server.execute(f"SHOW BINLOG EVENTS IN '{file}'")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def set_clock(self, file: str, at_s: int) -> None:
        """What the server's clock said behind the begin of a file. It must be stopped."""
        path = self.server.data / file
        log, begin, met = bytearray(path.read_bytes()), 4, 0
        while begin < len(log):
            kind, size = struct.unpack_from("<xxxxBxxxxI", log, begin)
            end = begin + size
            if kind == CHECKPOINT and (met := met + 1) > 1:
                struct.pack_into("<I", log, begin, at_s)
                struct.pack_into("<I", log, end - 4, zlib.crc32(log[begin : end - 4]))
            begin = end
        path.write_bytes(log)

    def insert(self, *values: str) -> None:
        self.run(*(f"INSERT INTO t (v) VALUES ('{value}')" for value in values))

    def rotate(self) -> None:
        self.run("FLUSH BINARY LOGS")

    def purge(self, oldest: str) -> None:
        """All files before that one. MariaDB waits for the engine's checkpoint."""
        deadline = time.monotonic() + 60
        while self.files[0] != oldest:
            assert time.monotonic() < deadline
            self.server.execute(f"PURGE BINARY LOGS TO '{oldest}'")

    @property
    def files(self) -> list[str]:
        return [row[0] for row in self.server.execute("SHOW BINARY LOGS")]

    @property
    def end(self) -> str:
        """File and offset where the log ends now."""
        renamed = "SHOW MASTER STATUS" if self.mariadb else "SHOW BINARY LOG STATUS"
        file, pos, *_ = self.server.execute(renamed)[0]
        return f"{file}:{pos}"

    @property
    def gtids(self) -> str:
        """Of all that it has now."""
        name = "gtid_binlog_pos" if self.mariadb else "gtid_executed"
        return str(self.server.execute(f"SELECT @@global.{name}")[0][0]).replace("\n", "")

    def begins(self) -> list[LoggedBegin]:
        """Every transaction, as the server's own tool prints it."""
        return list(logged_begins(self.server))

    @contextmanager
    def session(self) -> Iterator[Session]:
        with Session(self.endpoint) as session:
            yield session

    def locate(self, at_us: int) -> tuple[Place, LogFiles]:
        with self.session() as session:
            files = LogFiles(session)
            return locate(files, at_us), files

    def resolve(self, **start: str) -> Start:
        with self.session() as session:
            return resolve(session, StartPosition(**start))

    def refuses(self, fault: Fault, **start: str) -> DrsError:
        with pytest.raises(DrsError) as raised:
            self.resolve(**start)
        assert raised.value.fault is fault, raised.value
        return raised.value


def own(start_server: StartServer, name: str, **settings: str | int) -> Log:
    """A server of the test's own."""
    server = start_server(name, Options(settings=settings))
    assert isinstance(server, FamilyServer)
    return Log(server)


def linearly(begins: Sequence[LoggedBegin], at_us: int) -> LoggedBegin | None:
    """The first at or after a time. Of a whole second nobody knows where in it."""
    return next((one for one in begins if one.moment_us >= (at_us if one.exact else at_us // MICRO * MICRO)), None)


def found(place: Place | Start) -> str:
    return str(place) if isinstance(place, Place) else place.place


def shown(begin: LoggedBegin | None, end: str) -> str:
    return f"{begin.file}:{begin.pos}" if begin else end


def facts(start: Start) -> dict[str, Any]:
    return start.position.facts
