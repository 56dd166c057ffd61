"""What the prechecks say about a source as a whole: version, settings, and what goes on there now."""

from __future__ import annotations

import time
from typing import Final

from opendrs.engines.mysql.literals import time_zone
from opendrs.engines.mysql.prechecks_server import Objects, Server
from opendrs.model.precheck import Verdict, alarm, failed, named, passed, steps

# From, and up to which series it has been run; what is older than the first cannot work.
SUPPORTED: Final = {"mysql": (50700, 90799), "mariadb": (100400, 110899)}
LONG_TRANSACTION_S: Final = 60
PACKET_BYTES_MIN: Final = 16 << 20  # the largest MEDIUMTEXT and MEDIUMBLOB
SESSIONS: Final = 5  # besides the readers: planner, locker, log, its serving thread, catalog
# Without these in sql_mode, the server takes dates that no calendar has.
STRICT_DATES: Final = ("NO_ZERO_DATE", "NO_ZERO_IN_DATE")
# Names of the target's losses that concern dates.
DATE_LOSSES: Final = frozenset({"impossible-date", "zero-timestamp"})


def connection(server: Server) -> Verdict:
    return passed(f"Logged in at {server.session.endpoint} as {server.account}")


def version(server: Server) -> Verdict:
    flavour, shown = server.flavour, server.version
    product = server.product
    oldest, newest = SUPPORTED[flavour.product]
    if flavour.version < oldest:
        return failed(
            f"{product} {shown} is older than {_series(oldest)}, the oldest that can be read",
            f"Upgrade the source to {product} {_series(oldest)} or newer, or replicate from a newer replica of it.",
        )
    if flavour.version > newest:
        return alarm(
            f"{product} {shown} is newer than {_series(newest)}, the newest that OpenDRS was tested with",
            "Anything unknown in its log stops the job and is not skipped; try it before relying on it.",
        )
    return passed(f"{product} {shown}")


def _series(version: int) -> str:
    return f"{version // 10000}.{version // 100 % 100}"


def clock_offset_s(server: Server) -> float:
    """How far the server's clock is ahead of ours, as exactly as one question can tell."""
    before = time.time()
    rows = server.session.query("SELECT UNIX_TIMESTAMP(NOW(6)) AS it")
    return float(rows[0]["it"] or 0) - (before + time.time()) / 2


def packet(server: Server) -> Verdict:
    nbytes = int(server.setting("max_allowed_packet") or 0)
    if nbytes < PACKET_BYTES_MIN:
        return alarm(
            f"max_allowed_packet is {nbytes} bytes: the server refuses to send a row that is larger",
            steps(server.change("max_allowed_packet", str(PACKET_BYTES_MIN * 4))),
        )
    return passed(f"max_allowed_packet is {nbytes} bytes")


def server_time_zone(server: Server) -> Verdict:
    zone = server.setting("time_zone")
    meant = server.setting("system_time_zone") if zone.upper() == "SYSTEM" else zone
    try:
        time_zone(meant)
    except (KeyError, ValueError, OSError):
        return alarm(
            f"The server calls its time zone {meant!r}, which is not known here. Rows are not concerned, they are read "
            "in UTC; a later ALTER TABLE that gives a TIMESTAMP column a date as its default would stop the job",
            "Give the server a zone by its offset or full name, as in time_zone = 'Europe/Berlin' under [mysqld].",
        )
    return passed(f"The server's time zone is {meant}; rows are read in UTC")


def letter_case(server: Server) -> Verdict:
    value = server.setting("lower_case_table_names")
    if value == "2":
        return alarm(
            "lower_case_table_names is 2: names are kept as written, and compared in lower case; the log may "
            "spell a table in another way than the catalog",
            "Such servers (macOS) are fine for trying things out. Elsewhere, use 0 or 1.",
        )
    how = "as they are written" if value == "0" else "in lower case"
    return passed(f"lower_case_table_names is {value}: names arrive {how}")


def sessions(server: Server) -> Verdict:
    needed = server.policy.readers + SESSIONS
    rows = server.session.query("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
    used = int((rows[0]["Value"] if rows else "") or 0)
    left = int(server.setting("max_connections") or 0) - used
    own = int(server.setting("max_user_connections") or 0)
    if left < needed or 0 < own < needed:
        limit = f"{left} connections are left" if left < needed else f"max_user_connections is {own}"
        return alarm(
            f"{limit}, and a job takes up to {needed}",
            steps(
                server.change("max_connections", str(used + 2 * needed)) if left < needed else "",
                f"Raise max_user_connections to {needed} at least." if 0 < own < needed else "",
                "Or take fewer --readers.",
            ),
        )
    return passed(f"{left} connections are left; a job takes up to {needed}")


def long_transactions(server: Server) -> Verdict:
    """Start times are in the zone of the server's system, whatever the session's zone is."""
    sql = (
        "SELECT trx_mysql_thread_id AS thread, trx_seconds AS seconds FROM (SELECT trx_mysql_thread_id,"
        " TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS trx_seconds"
        " FROM information_schema.INNODB_TRX) AS open_now"
        f" WHERE trx_seconds >= {LONG_TRANSACTION_S} AND trx_mysql_thread_id NOT IN (0, CONNECTION_ID())"
        " ORDER BY trx_seconds DESC"
    )
    rows = server.ask(sql, "PROCESS")
    if not rows:
        return passed(f"No transaction has been open for more than {LONG_TRANSACTION_S} s")
    shown = named(f"connection {row['thread']} ({row['seconds']} s)" for row in rows)
    return alarm(
        f"Transactions have been open for long: {shown}. Locks that the job needs for a moment would wait for them, "
        "and all others behind it",
        steps("Let them end, or end their connections:", *(f"KILL {row['thread']};" for row in rows[:20])),
    )


def strict_dates(objects: Objects) -> Verdict:
    """A count of zero says nothing about tomorrow if the server takes such dates."""
    server = objects.server
    suspects = [
        f"{table}.{one.place}"
        for table, listed in objects.suspects.items()
        for one in listed
        if one.loss in DATE_LOSSES
    ]
    modes = server.setting("sql_mode").upper().split(",")
    missing = [mode for mode in STRICT_DATES if mode not in modes]
    strict = "STRICT_TRANS_TABLES" in modes or "STRICT_ALL_TABLES" in modes
    lax = missing or not strict or "ALLOW_INVALID_DATES" in modes
    if not suspects:
        return passed("No selected column takes dates that no calendar has")
    if lax and server.policy.invalid_dates == "stop":
        return alarm(
            f"sql_mode lets the server take dates such as 0000-00-00. One written later would stop the job: "
            f"it concerns {named(suspects)}",
            "Run the job with --invalid-dates null, epoch or minus_infinity; or, if the applications bear it, add "
            "STRICT_TRANS_TABLES, NO_ZERO_DATE and NO_ZERO_IN_DATE to the sql_mode of the server.",
        )
    return passed(
        "Dates that no calendar has are " + ("taken, and the job has a policy for them" if lax else "refused")
    )
