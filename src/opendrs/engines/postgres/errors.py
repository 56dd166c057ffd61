"""What the PostgreSQL client and server report, as Faults."""

from __future__ import annotations

from opendrs._core import PgError
from opendrs.errors import DrsError, Fault
from opendrs.model.endpoint import Endpoint

# SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
ACCESS = {"28000", "28P01"}
PRIVILEGE = {"42501"}
GONE = {"57P01", "57P02", "57P03", "57P05", "08000", "08003", "08006", "08001", "08004", "53300"}


def translate(error: PgError, endpoint: Endpoint, what: str) -> DrsError:
    """The Fault that a failed call means; `what` says what was being done."""
    where, reason = str(endpoint), _reason(error)
    kind, state = error.kind, error.sqlstate or ""
    if kind == "net" or kind.startswith("net.") or kind == "interrupted" or state in GONE:
        return DrsError(Fault.TARGET_UNREACHABLE, endpoint=where, reason=reason)
    if state in ACCESS:
        return DrsError(Fault.ACCESS_DENIED, endpoint=where, reason=reason)
    if state in PRIVILEGE:
        return DrsError(Fault.PRIVILEGE_MISSING, endpoint=where, what=what, reason=reason)
    if state == "3D000":
        return DrsError(Fault.ENDPOINT_INVALID, endpoint=where, reason=reason)
    if kind == "conflict":
        return DrsError(Fault.CONFLICT, table=_table(error), reason=reason)
    if kind == "value":
        return DrsError(
            Fault.VALUE_UNREPRESENTABLE,
            table=_table(error),
            reason=f"column {error.column}: {reason}" if error.column else reason,
        )
    if kind == "tls":
        return DrsError(Fault.ENDPOINT_INVALID, endpoint=where, reason=reason)
    if kind == "server":
        return DrsError(Fault.TARGET_REFUSED, what=what, reason=reason)
    return DrsError(Fault.INTERNAL, reason=f"PostgreSQL client: {kind}: {reason}")


def _table(error: PgError) -> str:
    return ".".join(part for part in (error.schema, error.table) if part) or "a table"


def _reason(error: PgError) -> str:
    parts = [error.message, error.detail, f"SQLSTATE {error.sqlstate}" if error.sqlstate else None]
    return "; ".join(part for part in parts if part)
