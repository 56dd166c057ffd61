"""What the prechecks say about a target as a whole: version, settings, room, and whether it takes writes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from opendrs.engines.postgres.control import SCHEMA, VERSION
from opendrs.engines.postgres.names import quote
from opendrs.engines.postgres.prechecks_server import Server
from opendrs.model.endpoint import Endpoint
from opendrs.model.precheck import Unseen, Verdict, alarm, failed, passed, steps

VERSION_OLDEST: Final = 14
VERSION_NEWEST: Final = 18  # that was tested
CLOCK_S: Final = 60.0
DISK_TIMES: Final = 1.5  # published: diskSizeTimes
SESSIONS: Final = 4  # besides those of the lanes: apply, indexes, proof, a successor's
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")


def connection(server: Server) -> Verdict:
    return passed(f"Logged in at {server.session.endpoint} as {server.account}")


def database(server: Server) -> Verdict:
    """Whether one was named at all is known before anybody connects: `database_missing`."""
    return passed(f"The target database is {server.database}")


def database_missing(endpoint: Endpoint) -> Verdict:
    return failed(
        "The URL of the target names no database",
        f"Name one behind the port: postgresql://{endpoint.host}:{endpoint.port}/DATABASE.",
    )


def database_absent(endpoint: Endpoint) -> Verdict:
    return failed(
        f"There is no database {endpoint.database}",
        f"CREATE DATABASE {quote(endpoint.database)} ENCODING 'UTF8' TEMPLATE template0;",
    )


def version(server: Server) -> Verdict:
    major, minor = divmod(server.version, 10000)
    shown = f"PostgreSQL {major}.{minor}"
    if major < VERSION_OLDEST:
        return failed(f"{shown} is older than {VERSION_OLDEST}", f"Upgrade the target to {VERSION_OLDEST} or newer.")
    if major > VERSION_NEWEST:
        return alarm(
            f"{shown} is newer than {VERSION_NEWEST}, the newest that OpenDRS was tested with", "Try it beforehand."
        )
    return passed(shown)


def encoding(server: Server) -> Verdict:
    value = server.setting("server_encoding")
    if value == "UTF8":
        return passed("The database is encoded in UTF8")
    return failed(
        f"The database is encoded in {value}, which does not have all characters of the source",
        steps(
            "Take a database in UTF8 as the target:",
            f"CREATE DATABASE {quote(server.database + '_utf8')} ENCODING 'UTF8' TEMPLATE template0;",
        ),
    )


def takes_writes(server: Server) -> Verdict:
    if server.value("SELECT pg_is_in_recovery()") == "t":
        return failed("The target is a standby, which takes no writes", "Take its primary server as the target.")
    if server.setting("default_transaction_read_only") == "on":
        return failed(
            "Transactions of the target are read-only by default (default_transaction_read_only)",
            steps(
                f"ALTER ROLE {quote(server.account)} IN DATABASE {quote(server.database)}"
                " SET default_transaction_read_only = off;"
            ),
        )
    return passed("The target takes writes")


def durability(server: Server) -> Verdict:
    value = server.setting("synchronous_commit")
    if value == "off":
        return alarm(
            "synchronous_commit is off: the target may forget its last transactions in a crash. Rows and position go "
            "together, so that the job goes on from there; until then readers of the target see less",
            f"ALTER ROLE {quote(server.account)} IN DATABASE {quote(server.database)} SET synchronous_commit = on;",
        )
    return passed(f"synchronous_commit is {value}")


def control_schema(server: Server) -> Verdict:
    # Not to_regclass(): it wants USAGE on the schema.
    exists = server.session.query(
        "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = 'version'",
        SCHEMA,
    )
    if not exists:
        return passed(f"The schema {SCHEMA} is not there yet, and will be made")
    sql = f"SELECT version FROM {SCHEMA}.version"
    remedy = steps(
        server.grant("USAGE, CREATE", f"SCHEMA {SCHEMA}"),
        server.grant("ALL", f"ALL TABLES IN SCHEMA {SCHEMA}"),
    )
    rows = server.ask(sql, privilege=f"the schema {SCHEMA}", remedy=remedy)
    found = rows[0][0] if rows else None
    if found != str(VERSION):
        return failed(
            f"The schema {SCHEMA} of the target is of version {found}; this release understands {VERSION}",
            "Run the release of OpenDRS that made it; or, if no job uses it any more, drop it.",
        )
    return passed(f"The schema {SCHEMA} is of version {VERSION}")


def clock(server: Server) -> Verdict:
    before = time.time()
    now = float(server.value("SELECT extract(epoch FROM clock_timestamp())"))
    if server.clock_ahead_s is None:
        return passed("The clock of the target was read; there is no source to hold it against")
    apart = abs(now - (before + time.time()) / 2 - server.clock_ahead_s)
    if apart > CLOCK_S:
        return alarm(
            f"The clocks of source and target are {apart:.0f} s apart: the lag that a job shows will be wrong by as "
            "much. Rows are not concerned",
            "Let both machines keep their time by NTP.",
        )
    return passed(f"The clocks of source and target are {apart:.1f} s apart")


LEFT: Final = """
    SELECT current_setting('max_connections')::bigint
         - current_setting('superuser_reserved_connections')::bigint
         - coalesce(current_setting('reserved_connections', true)::bigint, 0)
         - (SELECT coalesce(sum(numbackends), 0) FROM pg_stat_database),
           CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit
             - (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = r.rolname) END,
           CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit
             - (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = d.datname) END
      FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"""


def sessions(server: Server) -> Verdict:
    """Each lane of the load has a session, and one more while it makes the key of its table."""
    needed = 2 * server.policy.readers + SESSIONS
    ((everywhere, role, database_),) = server.session.query(LEFT)
    remedies = {
        "max_connections": (everywhere, "Raise max_connections and restart the server; or take fewer --readers."),
        "the limit of the role": (role, f"ALTER ROLE {quote(server.account)} CONNECTION LIMIT -1;"),
        "the limit of the database": (database_, f"ALTER DATABASE {quote(server.database)} CONNECTION LIMIT -1;"),
    }
    short = {what: (int(left), remedy) for what, (left, remedy) in remedies.items() if left and int(left) < needed}
    if short:
        shown = ", ".join(f"{left} by {what}" for what, (left, _) in short.items())
        return failed(
            f"Too few connections are left: {shown}; a job takes up to {needed}",
            steps(*(remedy for _, remedy in short.values())),
        )
    return passed(f"{everywhere} connections are left; a job takes up to {needed}")


# --- disk -------------------------------------------------------------------------------------------


def disk(server: Server) -> Verdict:
    """No SQL tells the room on a disk. It is known if the server's folder can be seen from here."""
    if server.source_bytes is None:
        raise Unseen("The size of the source's tables is not known", "")
    needed = int(server.source_bytes * DISK_TIMES)
    shown = f"{DISK_TIMES} times the source's {_size(server.source_bytes)}, that is {_size(needed)}"
    folder = _folder(server)
    if folder is None:
        raise Unseen(
            f"How much room the disk of the target has cannot be seen from here; it should be {shown}",
            "Look at the machine of the target: df -h, for the folder that SHOW data_directory names.",
        )
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < needed:
        return failed(
            f"The disk of the target has {_size(free)} left; it should be {shown}",
            f"Make room on the disk that holds {folder}.",
        )
    return passed(f"The disk of the target has {_size(free)} left; it should be {shown}")


def _folder(server: Server) -> Path | None:
    """The data folder, if the server that runs in it is the one we talk to: a port of this machine may lead
    anywhere. postmaster.pid has in its third line when the server was started."""
    endpoint = server.session.endpoint
    if endpoint.host not in LOCAL_HOSTS and "socket" not in endpoint.options:
        return None
    rows = server.session.query(
        "SELECT s.setting, t.spcname, extract(epoch FROM pg_postmaster_start_time())::bigint FROM pg_database d"
        " JOIN pg_tablespace t ON t.oid = d.dattablespace"
        " LEFT JOIN pg_settings s ON s.name = 'data_directory'"
        " WHERE d.datname = current_database() AND current_setting('default_tablespace') = ''"
    )
    if not rows or rows[0][0] is None or rows[0][1] != "pg_default":
        return None
    folder, _, started = rows[0]
    try:
        lines = (Path(folder or "") / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    same = len(lines) > 2 and lines[2].isdigit() and abs(int(lines[2]) - int(started or 0)) <= 1
    return Path(folder or "") if same else None


def _size(nbytes: int) -> str:
    amount = float(nbytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
