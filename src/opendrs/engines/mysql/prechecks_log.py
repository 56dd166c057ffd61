"""What the prechecks say about the binary log: whether it holds every change, as rows, for long enough."""

from __future__ import annotations

from typing import Final

from opendrs.engines.mysql.naming import replica_host
from opendrs.engines.mysql.prechecks_privileges import log_status
from opendrs.engines.mysql.prechecks_server import Server
from opendrs.engines.mysql.server import read_databases
from opendrs.model.precheck import Unseen, Verdict, alarm, failed, named, passed, steps

RETENTION_S: Final = 3 * 86_400
RETENTION_ADVISED_S: Final = 7 * 86_400
XA_PATIENCE_S: Final = 5.0
XA_LOOK_S: Final = 0.5


def log_is_on(server: Server) -> Verdict:
    if server.setting("log_bin").upper() == "ON":
        return passed("The binary log is on")
    return failed(
        "The binary log is off (log_bin): changes are written nowhere",
        steps("Write under [mysqld] in the option file, and restart the server:", "log_bin = binlog", "server_id = 1"),
    )


def row_format(server: Server) -> Verdict:
    value = server.setting("binlog_format").upper()
    if value == "ROW":
        return passed("Changes are logged as rows")
    return failed(
        f"binlog_format is {value}: changes are logged as statements, whose effect cannot be known",
        steps(
            server.change("binlog_format", "'ROW'"),
            "Sessions that are open keep the old format: let the applications connect anew.",
        ),
    )


def row_image(server: Server) -> Verdict:
    value = server.setting("binlog_row_image").upper()
    if value == "FULL":
        return passed("Rows are logged whole")
    return failed(
        f"binlog_row_image is {value}: columns are missing in the logged rows",
        steps(
            server.change("binlog_row_image", "'FULL'"),
            "Sessions that are open keep the old setting: let the applications connect anew.",
        ),
    )


def row_metadata(server: Server) -> Verdict:
    value = server.setting("binlog_row_metadata").upper()
    if value == "FULL":
        return passed("Rows are logged with the names and types of their columns")
    meaning = "a change of a table's definition is known from its statement only, and cannot be held against the rows"
    if not value:
        return alarm(f"{server.product} {server.version} has no binlog_row_metadata: {meaning}")
    return alarm(f"binlog_row_metadata is {value}: {meaning}", server.change("binlog_row_metadata", "'FULL'"))


def filters(server: Server) -> Verdict:
    """binlog_do_db and binlog_ignore_db: what the server leaves out of its log."""
    rows = server.ask(log_status(server), "REPLICATION CLIENT")
    listed = {column: rows[0][column] or "" for column in ("Binlog_Do_DB", "Binlog_Ignore_DB")} if rows else {}
    only, without = (set(filter(None, listed.get(c, "").split(","))) for c in ("Binlog_Do_DB", "Binlog_Ignore_DB"))
    if not only and not without:
        return passed("All databases are logged")
    wanted = [one for one in read_databases(server.session.query) if server.selection.wants_database(one)]
    missing = [database for database in wanted if (only and database not in only) or database in without]
    if not missing:
        return passed("All selected databases are logged")
    return failed(
        f"The server leaves databases out of its log: {named(missing)}",
        "Take binlog_do_db and binlog_ignore_db out of the option file and restart it; or select other databases.",
    )


def storage(server: Server) -> Verdict:
    """MariaDB 12.3 can keep its log in InnoDB; its files have other names and no offsets of ours."""
    value = server.setting("binlog_storage_engine")
    if not value:
        return passed("The log is kept in files of its own")
    return failed(
        f"binlog_storage_engine is {value}: OpenDRS has not been run with a log that is kept there",
        "Take binlog_storage_engine out of the option file and restart the server.",
    )


def retention(server: Server) -> Verdict:
    seconds = _retention_s(server)
    size = int(server.setting("max_binlog_total_size", "binlog_space_limit") or 0)
    if size:
        return alarm(
            f"The log is removed as soon as it is larger than {size} bytes: the server may remove what was not read",
            server.change("max_binlog_total_size", "0"),
        )
    if seconds == 0:
        return alarm(
            "The log is never removed by its age: what else removes it cannot be seen, and it may fill the disk",
            _keep(server, RETENTION_ADVISED_S),
        )
    if seconds < RETENTION_S:
        return alarm(
            f"The log is removed after {seconds / 86_400:.1f} days. A job that is down for longer has to begin anew",
            _keep(server, RETENTION_ADVISED_S),
        )
    return passed(f"The log is kept for {seconds / 86_400:.1f} days")


def _retention_s(server: Server) -> int:
    """How long the log is kept; 0: for ever. Of the two settings, the one that is not 0 holds."""
    if server.setting("binlog_expire_logs_auto_purge").upper() == "OFF":
        return 0
    seconds = int(server.setting("binlog_expire_logs_seconds") or 0)
    return seconds or int(float(server.setting("expire_logs_days") or 0) * 86_400)


def _keep(server: Server, seconds: int) -> str:
    if "binlog_expire_logs_seconds" in server.settings:
        purging = server.setting("binlog_expire_logs_auto_purge").upper() == "OFF"
        return steps(
            server.change("binlog_expire_logs_auto_purge", "ON") if purging else "",
            server.change("binlog_expire_logs_seconds", str(seconds)),
        )
    return server.change("expire_logs_days", str(seconds // 86_400))


def identity(server: Server) -> Verdict:
    own = int(server.setting("server_id") or 0)
    if own == 0:
        return failed(
            "server_id is 0: the server gives its log to nobody",
            steps("Any number that no other server of the same replication has:", server.change("server_id", "1")),
        )
    ours = server.server_id
    if not ours:
        return passed(f"server_id is {own}")
    if ours == own:
        return _taken(f"our server_id {ours} is that of the source")
    renamed = not server.flavour.mariadb and server.flavour.version >= 80022
    old = not server.flavour.mariadb or server.flavour.version < 100502
    privilege = "REPLICATION SLAVE" if old else "REPLICATION MASTER ADMIN"
    try:
        rows = server.ask("SHOW REPLICAS" if renamed else "SHOW SLAVE HOSTS", privilege)
    except Unseen as unseen:
        message = (
            f"server_id is {own}. Whether another replica has our {ours} cannot be seen: the account lacks {privilege}"
        )
        raise Unseen(message, unseen.remedy) from unseen
    replicas = [{name.lower(): value for name, value in row.items()} for row in rows]
    # The server may not have noticed yet that the job's own last worker is gone.
    mine = replica_host(server.job) if server.job else None
    others = [row for row in replicas if row.get("server_id") == str(ours) and row.get("host") != mine]
    if others:
        host = {k.lower(): v for k, v in others[0].items()}.get("host")
        return _taken(f"our server_id {ours} is that of another replica ({host or 'unknown host'})")
    return passed(f"server_id is {own}; ours, {ours}, is free")


def _taken(what: str) -> Verdict:
    return failed(f"The server would throw one of two replicas out: {what}", "Give the job another one: --server-id.")


def replica_updates(server: Server) -> Verdict:
    if server.setting("log_replica_updates", "log_slave_updates").upper() == "ON":
        return passed("What the server itself receives as a replica is logged as well")
    statement = "SHOW ALL SLAVES STATUS" if server.flavour.mariadb else "SHOW SLAVE STATUS"
    if not server.flavour.mariadb and server.flavour.version >= 80022:
        statement = "SHOW REPLICA STATUS"
    monitor = server.flavour.mariadb and server.flavour.version >= 100509
    if not server.ask(statement, "SLAVE MONITOR" if monitor else "REPLICATION CLIENT"):
        return passed("The server is no replica")
    return failed(
        "The server is a replica, and does not log what it receives (log_slave_updates)",
        "Write log_slave_updates = ON under [mysqld] in the option file and restart the server; or use its source.",
    )


def gtids(server: Server) -> Verdict:
    if server.flavour.mariadb:
        return passed("Every transaction has a GTID")
    mode = server.setting("gtid_mode").upper()
    if mode == "ON":
        return passed("gtid_mode is ON")
    path = ["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"]
    ahead = path[path.index(mode) + 1 :] if mode in path else path[1:]
    return alarm(
        f"gtid_mode is {mode}: positions are taken under a short lock of the tables, and the job cannot follow the "
        "source to another server",
        steps(
            "Once applications write nothing that GTIDs forbid (see enforce_gtid_consistency = WARN):",
            server.change("enforce_gtid_consistency", "ON"),
            *(server.change("gtid_mode", step) for step in ahead),
        ),
    )


def order_of_commits(server: Server) -> Verdict:
    value = server.setting("binlog_order_commits").upper()
    if value in ("", "ON"):
        return passed("Transactions become visible in the order of the log")
    return alarm(
        "binlog_order_commits is OFF: a SELECT may not show yet what the log has. Positions are taken under a short "
        "lock of the tables",
        server.change("binlog_order_commits", "ON"),
    )


def prepared(server: Server) -> Verdict:
    """XA transactions that are prepared now. Some always are where applications use XA; only those that stay
    stand in the way: their rows lie in the log before our position, and their COMMIT behind it."""
    if server.policy.start is not None and server.task == "incremental":
        return _prepared_long_before(server)
    seen = {row["xid"]: row for row in _prepared(server)}
    waited_s = 0.0
    while seen and waited_s < XA_PATIENCE_S:
        server.wait(XA_LOOK_S)
        waited_s += XA_LOOK_S
        now = {row["xid"] for row in _prepared(server)}
        seen = {xid: row for xid, row in seen.items() if xid in now}
    if not seen:
        return passed("No XA transaction stays prepared")
    return failed(
        f"XA transactions are prepared, and neither committed nor rolled back: {named(seen)}",
        steps(
            "Let their coordinator end them. If it is gone, commit each, or take XA ROLLBACK instead:",
            *(f"XA COMMIT {xid};" for xid in seen),
        ),
    )


def _prepared_long_before(server: Server) -> Verdict:
    """A job that begins at a place of its own reads the log from there, and from where those begin that are open there;
    of these it sees only what the file of that place and the one before it show."""
    now = [row["xid"] for row in _prepared(server)]
    if not now:
        return passed("No XA transaction is prepared")
    return alarm(
        f"XA transactions are prepared: {named(now)}. One that was prepared more than a file of the log before the "
        "place where the job begins stops the job when it is committed",
        "Let their coordinator end them; or begin the job before they were prepared.",
    )


def _prepared(server: Server) -> list[dict[str, str]]:
    """Prepared transactions, `xid` as XA COMMIT takes it."""
    if server.flavour.mariadb:
        rows = server.ask("XA RECOVER FORMAT='SQL'", "SELECT")
        return [{"xid": row["data"] or ""} for row in rows]
    found = []
    for row in server.ask("XA RECOVER CONVERT XID", "XA_RECOVER_ADMIN"):
        digits = (row["data"] or "").removeprefix("0x")
        cut = 2 * int(row["gtrid_length"] or 0)
        parts = [f"x'{digits[:cut]}'", f"x'{digits[cut:]}'", row["formatID"] or "1"]
        found.append({"xid": ", ".join(parts)})
    return found
