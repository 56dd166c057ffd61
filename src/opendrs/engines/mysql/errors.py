"""What the MySQL client and server report, as Faults."""

from __future__ import annotations

from opendrs._core import DecodeError, MysqlError
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import Endpoint
from opendrs.model.engine import SchemaChanged

# Error codes of MySQL and MariaDB: https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html
ACCESS = {1044, 1045, 1130, 1698, 3118, 3955}
PRIVILEGE = {1142, 1143, 1227, 1370}
RETRY = {1205, 1213, 1290, 1836, 3024}  # lock wait, deadlock, read-only for a while, statement timed out
GOING_AWAY = {1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 4031, 3169}
OVERLOADED = {1040, 1203, 1226}
CHANGED_TABLE = {1054, 1146, 1412, 1049, 1356}  # unknown column, no such table, definition has changed


def translate(error: MysqlError, endpoint: Endpoint) -> DrsError:
    """The Fault that a failed call means."""
    reason = error.message
    where = str(endpoint)
    match error.kind:
        case "access_denied" if error.code in PRIVILEGE:
            return DrsError(Fault.PRIVILEGE_MISSING, endpoint=where, what="do this", reason=reason)
        case "access_denied":
            return DrsError(Fault.ACCESS_DENIED, endpoint=where, reason=reason)
        case "log_purged":
            return DrsError(Fault.LOG_PURGED, position="the checkpoint", reason=reason)
        case "ahead_of_source":
            return DrsError(Fault.AHEAD_OF_SOURCE, reason=reason)
        case "other_server":
            return DrsError(Fault.OTHER_SERVER, reason=reason)
        case "server_id_collision":
            return DrsError(Fault.SERVER_ID_TAKEN, reason=reason)
        case "tls":
            return DrsError(Fault.ENDPOINT_INVALID, endpoint=where, reason=reason)
        case "server":
            return _server(error, where)
        case kind if kind.startswith("net.") or kind == "interrupted":
            return DrsError(Fault.SOURCE_UNREACHABLE, endpoint=where, reason=reason)
    return DrsError(Fault.INTERNAL, reason=f"MySQL client: {error.kind}: {reason}")


def _server(error: MysqlError, where: str) -> DrsError:
    code, reason = error.code, f"error {error.code}: {error.message}"
    if code in ACCESS:
        return DrsError(Fault.ACCESS_DENIED, endpoint=where, reason=reason)
    if code in GOING_AWAY | OVERLOADED | RETRY:
        return DrsError(Fault.SOURCE_UNREACHABLE, endpoint=where, reason=reason)
    return DrsError(Fault.SOURCE_REFUSED, reason=reason)


def decoding(error: DecodeError) -> DrsError | SchemaChanged:
    """What an error of the decoder means. Nothing was skipped: the log can be read again from the position."""
    position = f"{error.file}:{error.position}"
    name = TableName(*error.table) if error.table else None
    match error.kind:
        case "schema_mismatch" | "not_registered" if name is not None:
            return SchemaChanged(name, error.what)
        case "statement_logged":
            return DrsError(Fault.STATEMENT_LOGGED, table=name or f"a table ({error.what})", position=position)
        case "corrupt" | "checksum":
            return DrsError(Fault.LOG_CORRUPT, position=position, reason=error.what)
        case "charset" | "value":
            return _unrepresentable(name, error.what)
    return DrsError(Fault.LOG_UNSUPPORTED, position=position, reason=error.what)


def reading(error: MysqlError, name: TableName, endpoint: Endpoint) -> DrsError | SchemaChanged:
    """What an error of reading a table means; SchemaChanged: it is not as it was when its load was planned."""
    match error.kind:
        case "schema_mismatch":
            return SchemaChanged(name, error.message)
        case "server" if error.code in CHANGED_TABLE:
            return SchemaChanged(name, error.message)
        case "value":
            return _unrepresentable(name, error.message)
    return translate(error, endpoint)


def _unrepresentable(table: TableName | None, reason: str) -> DrsError:
    return DrsError(Fault.VALUE_UNREPRESENTABLE, table=table or "a table", reason=reason)
